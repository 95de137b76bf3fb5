//! Grouping and timing of messages: a state machine driven by times, alerts and outcomes.
//!
//! It behaves as Alertmanager does, with these differences:
//!
//! * A message is repeated exactly after `repeat_interval`, not at the next multiple of `group_interval`. The interval of the
//!   group restarts from there.
//! * A resolved message is sent if and only if the firing message was delivered, or may have been. If the alert is muted when
//!   it resolves, the resolved message is sent once the mute ends.
//! * A failed message is sent again after `group_interval`, or when [`Dispatcher::retry`] says. It then has the group's alerts
//!   of that time. An alert that resolved by then is reported as [`Undelivered`].
//! * A group is kept for `group_interval` after its last message, also when it is empty: a flapping alert causes at most one
//!   message in that time.
//! * An alert that resolved and fires again causes another firing message, also with `send_resolved: false`.
//! * An alert whose source cannot be read counts as firing and is marked.

mod acknowledge;
mod advance;
mod changes;
mod failing;
mod group;
mod limits;
mod listing;
mod log;
mod mute;
mod notification;
mod observe;
mod outcome;
mod plan;
mod state;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use vigie_promql::Labels;

pub use acknowledge::NotFiring;
pub use changes::{Change, Replay};
pub use failing::{FAILING, failing_alert};
pub use limits::{Limits, Refused};
pub use listing::{Listed, ListedGroup, Listing};
pub use mute::{Acknowledgement, Mute};
pub use notification::{Advance, Notification, Outcome, Planned, Reason, Undelivered, Why};
pub use plan::{Plan, Target};
pub use state::Saved;

use crate::Time;
use crate::alert::Alert;
use crate::silence::Silences;
use changes::Changes;
use group::Group;
use mute::Mutes;
use view::View;

/// The number of undelivered alerts kept.
const UNDELIVERED: usize = 100;

/// An alert of some group.
#[derive(Clone, Debug)]
struct Entry {
    alert: Arc<Alert>,
    acknowledged: Option<Acknowledgement>,
    /// The time it was last observed, or of the restart.
    updated_at: Time,
    /// The number of groups it is in.
    groups: usize,
}

/// A route and the labels by which it groups.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct GroupId {
    route: usize,
    labels: Labels,
}

/// Decides which messages are sent, and when.
#[derive(Clone, Debug)]
pub struct Dispatcher {
    plan: Plan,
    limits: Limits,
    alerts: BTreeMap<Labels, Entry>,
    groups: BTreeMap<GroupId, Group>,
    /// The group and the integration of each message whose outcome is unknown.
    flights: BTreeMap<u64, (GroupId, usize)>,
    next_id: u64,
    silences: Silences,
    undelivered: VecDeque<Undelivered>,
    changes: Changes,
}

impl Dispatcher {
    /// A dispatcher without alerts.
    #[must_use]
    pub fn new(plan: Plan, limits: Limits) -> Self {
        Self {
            plan,
            limits,
            alerts: BTreeMap::new(),
            groups: BTreeMap::new(),
            flights: BTreeMap::new(),
            next_id: 1,
            silences: Silences::new(limits.silences),
            undelivered: VecDeque::new(),
            changes: Changes::default(),
        }
    }

    /// The time of the next call of [`Self::advance`]; `None` if no message can become due by itself.
    ///
    /// A call looks at all alerts if anything is due, so with many groups it is best rounded up to whole seconds.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        self.groups.values().filter_map(Group::next).min()
    }

    /// Everything that mutes alerts at `now`.
    fn mutes(&self, now: Time) -> Mutes<'_> {
        let rules = &self.plan.inhibit_rules;
        Mutes::new(rules, self.alerts.values(), &self.silences, now)
    }

    /// The alerts and their acknowledgements.
    pub fn alerts(&self) -> impl Iterator<Item = (&Arc<Alert>, Option<&Acknowledgement>)> {
        let entries = self.alerts.values();
        entries.map(|entry| (&entry.alert, entry.acknowledged.as_ref()))
    }

    /// The alert with these labels.
    #[must_use]
    pub fn alert(&self, labels: &Labels) -> Option<&Arc<Alert>> {
        self.alerts.get(labels).map(|entry| &entry.alert)
    }

    /// The number of messages that are not delivered yet, and the age of the oldest.
    #[must_use]
    pub fn unsent(&self, now: Time) -> (usize, Option<Time>) {
        let unsent = self.groups.values().flat_map(Group::unsent);
        let oldest = unsent.clone().min();
        (unsent.count(), oldest.map(|oldest| (now - oldest).max(0)))
    }

    /// The number of alerts that each firing alert inhibits.
    #[must_use]
    pub fn inhibitors(&self, now: Time) -> BTreeMap<Labels, usize> {
        let mutes = self.mutes(now);
        let mut inhibitors = BTreeMap::new();
        for entry in self.alerts.values() {
            if let Some(Mute::Inhibited(by)) = mutes.of(entry) {
                *inhibitors.entry(by).or_default() += 1;
            }
        }
        inhibitors
    }

    /// The integrations of all receivers.
    #[must_use]
    pub fn targets(&self) -> Arc<BTreeSet<Target>> {
        Arc::clone(&self.plan.all_targets)
    }

    /// The bounds.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The number of groups.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// The last alerts about which a message could not be delivered.
    pub fn undelivered(&self) -> impl Iterator<Item = &Undelivered> {
        self.undelivered.iter()
    }

    /// The silences.
    #[must_use]
    pub fn silences(&self) -> &Silences {
        &self.silences
    }

    /// The silences, to change them.
    pub fn silences_mut(&mut self) -> &mut Silences {
        self.changes.silences = true;
        &mut self.silences
    }
}

/// The members of a group as they are now.
fn views<'a>(
    group: &Group,
    alerts: &'a BTreeMap<Labels, Entry>,
    mutes: &Mutes<'a>,
    all: Option<Mute>,
    now: Time,
) -> Vec<View<'a>> {
    let members = group.members.keys();
    let members = members.filter_map(|labels| alerts.get(labels));
    members
        .map(|entry| View {
            alert: &entry.alert,
            state: entry.alert.state(now),
            mute: all.clone().or_else(|| mutes.of(entry)),
        })
        .collect()
}
