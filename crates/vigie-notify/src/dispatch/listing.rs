//! Everything that is known about the alerts and their groups at one time, for lists.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use vigie_promql::Labels;

use super::group::Group;
use super::mute::{Acknowledgement, Mute, Mutes};
use super::notification::Planned;
use super::{Dispatcher, Entry, GroupId, views};
use crate::alert::{Alert, State};
use crate::{Fingerprint, Time};

/// The alerts that fire at some time, and their groups.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The alerts, in the order of their fingerprints.
    pub alerts: Vec<Listed>,
    /// The groups with at least one of them, in the order of their labels and receivers.
    pub groups: Vec<ListedGroup>,
}

/// An alert that fires.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// The alert.
    pub alert: Arc<Alert>,
    /// The time it was last observed.
    pub updated_at: Time,
    /// Its acknowledgement.
    pub acknowledged: Option<Acknowledgement>,
    /// The silences that mute it.
    pub silenced_by: Vec<String>,
    /// An alert that inhibits it.
    pub inhibited_by: Option<Fingerprint>,
    /// The receivers of its groups.
    pub receivers: Vec<Arc<str>>,
}

/// A group of alerts.
#[derive(Clone, Debug)]
pub struct ListedGroup {
    /// Its key, as Alertmanager writes it.
    pub key: String,
    /// Its receiver.
    pub receiver: Arc<str>,
    /// The labels that its alerts share.
    pub labels: Labels,
    /// The time interval that mutes its route.
    pub muted: Option<Mute>,
    /// The places of its alerts in [`Listing::alerts`], ordered by their labels `job` and `instance`, then by all labels.
    pub alerts: Vec<usize>,
    /// The next message to each integration.
    pub planned: Vec<Planned>,
}

impl Dispatcher {
    /// The alerts that fire at `now` and that `keep` accepts, with their groups.
    #[must_use]
    pub fn listing(&self, now: Time, keep: impl Fn(&Alert) -> bool) -> Listing {
        let mutes = self.mutes(now);
        let entries = self.alerts.values();
        let fires = |entry: &&Entry| entry.alert.state(now) != State::Resolved;
        let entries = entries.filter(fires).filter(|entry| keep(&entry.alert));
        let mut alerts: Vec<Listed> = entries
            .map(|entry| self.listed(entry, &mutes, now))
            .collect();
        alerts.sort_by_key(|listed| listed.fingerprint);
        let mut places = BTreeMap::new();
        for (place, listed) in alerts.iter().enumerate() {
            places.insert(listed.alert.labels.clone(), place);
        }
        let mut groups = Vec::new();
        for (id, group) in &self.groups {
            let members = group.members.keys();
            let mut members: Vec<usize> = members
                .filter_map(|labels| places.get(labels).copied())
                .collect();
            if members.is_empty() {
                continue;
            }
            members.sort_by_cached_key(|place| order(&alerts[*place].alert));
            let options = self.plan.routes.options(id.route);
            groups.push(ListedGroup {
                key: options.group_key(&id.labels),
                receiver: Arc::clone(&options.receiver),
                labels: id.labels.clone(),
                muted: self.plan.muted(options, now),
                alerts: members,
                planned: self.planned_of(id, group, &mutes, now),
            });
        }
        groups.sort_by(|a, b| {
            let labels = before(&a.labels).cmp(&before(&b.labels));
            labels.then_with(|| a.receiver.cmp(&b.receiver))
        });
        Listing { alerts, groups }
    }

    /// The alert with this fingerprint, if it fires at `now`.
    #[must_use]
    pub fn firing(&self, now: Time, fingerprint: Fingerprint) -> Option<&Arc<Alert>> {
        let alerts = self.alerts.values().map(|entry| &entry.alert);
        let mut firing = alerts.filter(|alert| alert.state(now) != State::Resolved);
        firing.find(|alert| Fingerprint::of(&alert.labels) == fingerprint)
    }

    /// The acknowledgement of the alert with these labels.
    #[must_use]
    pub fn acknowledgement(&self, labels: &Labels) -> Option<&Acknowledgement> {
        self.alerts.get(labels)?.acknowledged.as_ref()
    }

    /// The next message of a group to each integration.
    pub(super) fn planned_of<'a>(
        &'a self,
        id: &GroupId,
        group: &Group,
        mutes: &Mutes<'a>,
        now: Time,
    ) -> Vec<Planned> {
        let plan = &self.plan;
        let options = plan.routes.options(id.route);
        let views = views(group, &self.alerts, mutes, plan.muted(options, now), now);
        let targets = plan.targets(&options.receiver);
        let planned = targets.iter().enumerate().map(|(at, target)| {
            let (when, why) = group.planned(at, target, options, &views);
            Planned {
                receiver: Arc::clone(&options.receiver),
                integration: Arc::clone(&target.integration),
                group_key: options.group_key(&id.labels),
                at: when,
                why,
            }
        });
        planned.collect()
    }

    fn listed<'a>(&'a self, entry: &'a Entry, mutes: &Mutes<'a>, now: Time) -> Listed {
        let labels = &entry.alert.labels;
        let silences = self.silences.mutes(labels, now);
        let routes = self.plan.routes.find(labels).into_iter();
        let receivers = routes.map(|route| Arc::clone(&self.plan.routes.options(route).receiver));
        Listed {
            fingerprint: Fingerprint::of(labels),
            alert: Arc::clone(&entry.alert),
            updated_at: entry.updated_at,
            acknowledged: entry.acknowledged.clone(),
            silenced_by: silences.map(|silence| silence.id.clone()).collect(),
            inhibited_by: mutes.inhibited_by(labels).map(Fingerprint::of),
            receivers: receivers.collect(),
        }
    }
}

/// Alertmanager's order of alerts: those with the label `job` first, then those with `instance`.
fn order(alert: &Alert) -> impl Ord + use<'_> {
    let first = |name| match alert.labels.get(name) {
        "" => (true, ""),
        value => (false, value),
    };
    (first("job"), first("instance"), before(&alert.labels))
}

/// Prometheus' order of label sets: fewer labels first, then the one that lacks the first name in which they differ.
fn before(labels: &Labels) -> impl Ord + use<'_> {
    let pairs = labels.iter().map(|(name, value)| (Reverse(name), value));
    (labels.len(), pairs.collect::<Vec<_>>())
}
