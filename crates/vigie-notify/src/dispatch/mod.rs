//! Grouping and timing of messages: a state machine driven by times, alerts and outcomes.
//!
//! It behaves as Alertmanager does, with these differences:
//!
//! * A message is repeated exactly after `repeat_interval`, not at the next multiple of `group_interval`. The interval of the
//!   group restarts from there.
//! * A resolved message is sent if and only if the firing message was delivered, or may have been. If the alert is muted when
//!   it resolves, the resolved message is sent once the mute ends.
//! * A failed message is sent again after `group_interval`. An alert that resolved by then is reported as [`Undelivered`].
//! * A group is kept for `group_interval` after its last message, also when it is empty: a flapping alert causes at most one
//!   message in that time.
//! * An alert that resolved and fires again causes another firing message, also with `send_resolved: false`.
//! * An alert whose source cannot be read counts as firing and is marked.

mod advance;
mod group;
mod limits;
mod mute;
mod notification;
mod plan;
mod state;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use vigie_promql::Labels;

pub use limits::{Limits, Refused};
pub use mute::{Acknowledgement, Mute};
pub use notification::{Advance, Notification, Outcome, Planned, Reason, Undelivered, Why};
pub use plan::Plan;
pub use state::Saved;

use crate::Time;
use crate::alert::{Alert, State};
use crate::silence::Silences;
use group::{Group, Log, View};
use mute::Mutes;

/// The number of undelivered alerts kept.
const UNDELIVERED: usize = 100;

/// No firing alert has these labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such alert is firing")]
pub struct NotFiring;

/// An alert of some group.
#[derive(Clone, Debug)]
struct Entry {
    alert: Arc<Alert>,
    acknowledged: Option<Acknowledgement>,
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
        }
    }

    /// Adds or updates an alert. A resolved one that is unknown is ignored.
    ///
    /// # Errors
    /// If a bound is exceeded: the alert is not added.
    pub fn observe(&mut self, now: Time, mut alert: Alert) -> Result<(), Refused> {
        let (found, most) = (alert.bytes(), self.limits.alert_bytes);
        if found > most {
            return Err(Refused::TooLarge { found, most });
        }
        let resolved = alert.state(now) == State::Resolved;
        let full = self.alerts.len() >= self.limits.alerts;
        match self.alerts.get_mut(&alert.labels) {
            None if resolved => return Ok(()),
            None if full => return Err(Refused::TooManyAlerts(self.limits.alerts)),
            None => {
                let entry = Entry {
                    alert: Arc::new(alert.clone()),
                    acknowledged: None,
                    groups: 0,
                };
                self.alerts.insert(alert.labels.clone(), entry);
            }
            Some(entry) => {
                if resolved || entry.alert.state(now) == State::Resolved {
                    entry.acknowledged = None;
                } else {
                    alert.starts_at = alert.starts_at.min(entry.alert.starts_at);
                }
                entry.alert = Arc::new(alert.clone());
            }
        }
        match resolved {
            true => Ok(()),
            false => self.join(now, &alert),
        }
    }

    /// Puts an alert into the groups of its routes.
    fn join(&mut self, now: Time, alert: &Alert) -> Result<(), Refused> {
        let mut full = false;
        for route in self.plan.routes.find(&alert.labels) {
            let options = self.plan.routes.options(route);
            let labels = options.group(&alert.labels);
            let id = GroupId { route, labels };
            if !self.groups.contains_key(&id) {
                if self.groups.len() >= self.limits.groups {
                    full = true;
                    continue;
                }
                // As in Alertmanager, an alert that has been firing for `group_wait` is sent at once.
                let waited = alert.starts_at.saturating_add(options.group_wait) < now;
                let next = match waited {
                    true => now,
                    false => now.saturating_add(options.group_wait),
                };
                let targets = self.plan.targets(&options.receiver);
                let group = Group {
                    members: BTreeMap::new(),
                    logs: targets.iter().map(|_| Log::new(next)).collect(),
                };
                self.groups.insert(id.clone(), group);
            }
            let group = self.groups.get_mut(&id);
            let joined = group.is_some_and(|group| group.join(&alert.labels));
            if let Some(entry) = self.alerts.get_mut(&alert.labels) {
                entry.groups += usize::from(joined);
            }
        }
        if !full {
            return Ok(());
        }
        let entry = self.alerts.get(&alert.labels);
        if entry.is_some_and(|entry| entry.groups == 0) {
            self.alerts.remove(&alert.labels);
        }
        Err(Refused::TooManyGroups(self.limits.groups))
    }

    /// Records the outcome of a message. An unknown identifier is ignored.
    pub fn outcome(&mut self, id: u64, outcome: Outcome) {
        let Some((group, at)) = self.flights.remove(&id) else {
            return;
        };
        let options = self.plan.routes.options(group.route);
        if let Some(group) = self.groups.get_mut(&group) {
            group.outcome(at, outcome, options);
        }
    }

    /// The messages whose outcome is unknown. After a restart, those that the outbox does not hold are to be reported as
    /// [`Outcome::Unsure`].
    pub fn in_flight(&self) -> impl Iterator<Item = u64> {
        self.flights.keys().copied()
    }

    /// The time of the next call of [`Self::advance`]; `None` if no message can become due by itself.
    ///
    /// A call looks at all alerts if anything is due, so with many groups it is best rounded up to whole seconds.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        self.groups.values().filter_map(Group::next).min()
    }

    /// The next message of each group to each integration, with its time and reason.
    #[must_use]
    pub fn planned(&self, now: Time) -> Vec<Planned> {
        let plan = &self.plan;
        let mutes = Mutes::new(
            &plan.inhibit_rules,
            self.alerts.values(),
            &self.silences,
            now,
        );
        let mut planned = Vec::new();
        for (id, group) in &self.groups {
            let options = plan.routes.options(id.route);
            let views = views(group, &self.alerts, &mutes, plan.muted(options, now), now);
            for (at, target) in plan.targets(&options.receiver).iter().enumerate() {
                let (when, why) = group.planned(at, target, options, &views);
                planned.push(Planned {
                    receiver: Arc::clone(&options.receiver),
                    integration: Arc::clone(&target.integration),
                    group_key: options.group_key(&id.labels),
                    at: when,
                    why,
                });
            }
        }
        planned
    }

    /// The reason for which the alert with these labels is muted, time intervals of routes aside.
    #[must_use]
    pub fn muted(&self, now: Time, labels: &Labels) -> Option<Mute> {
        let rules = &self.plan.inhibit_rules;
        let mutes = Mutes::new(rules, self.alerts.values(), &self.silences, now);
        mutes.of(self.alerts.get(labels)?)
    }

    /// Mutes an alert until it resolves.
    ///
    /// # Errors
    /// If it is not firing.
    pub fn acknowledge(
        &mut self,
        now: Time,
        labels: &Labels,
        acknowledgement: Acknowledgement,
    ) -> Result<(), NotFiring> {
        let entry = self.alerts.get_mut(labels);
        let entry = entry.filter(|entry| entry.alert.state(now) != State::Resolved);
        entry.ok_or(NotFiring)?.acknowledged = Some(acknowledgement);
        Ok(())
    }

    /// The alerts and their acknowledgements.
    pub fn alerts(&self) -> impl Iterator<Item = (&Arc<Alert>, Option<&Acknowledgement>)> {
        let entries = self.alerts.values();
        entries.map(|entry| (&entry.alert, entry.acknowledged.as_ref()))
    }

    /// The last alerts that resolved before a firing message about them could be delivered.
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
