//! Changes of the state since it was last saved, so that a log of them can be kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vigie_promql::Labels;

use super::notification::Undelivered;
use super::state::{Saved, SavedAlert, SavedGroup, save};
use super::{Dispatcher, GroupId};
use crate::alert::Alert;
use crate::saved;
use crate::silence::Silence;

/// The parts of the state that changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    pub(super) alerts: BTreeSet<Labels>,
    /// Alerts of which only the value or the texts changed, or the end was moved.
    refreshed: BTreeSet<Labels>,
    pub(super) groups: BTreeSet<GroupId>,
    pub(super) silences: bool,
    pub(super) undelivered: bool,
}

impl Changes {
    /// An alert was replaced.
    pub(super) fn observed(&mut self, before: &Arc<Alert>, after: &Alert) {
        let same = before.starts_at == after.starts_at
            && before.unknown_since == after.unknown_since
            && before.ends_at.is_some() == after.ends_at.is_some();
        let texts = || {
            before.value.map(f64::to_bits) == after.value.map(f64::to_bits)
                && before.ends_at == after.ends_at
                && before.annotations == after.annotations
                && before.generator_url == after.generator_url
        };
        // An end in the past resolves the alert; one in the future was moved.
        let moved = after.ends_at < before.ends_at;
        if !same || moved {
            self.alerts.insert(after.labels.clone());
        } else if !texts() {
            self.refreshed.insert(after.labels.clone());
        }
    }
}

/// A change of the state. Later changes replace earlier ones of the same part.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Change(Part);

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Part {
    #[serde(rename = "a")]
    Alert(Box<SavedAlert>),
    #[serde(rename = "A", with = "saved::labels")]
    AlertGone(Labels),
    #[serde(rename = "g")]
    Group(Box<SavedGroup>),
    #[serde(rename = "G")]
    GroupGone(SavedGroupId),
    #[serde(rename = "s")]
    Silences(Vec<Silence>),
    #[serde(rename = "u")]
    Undelivered(Vec<Undelivered>),
    #[serde(rename = "n")]
    NextId(u64),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SavedGroupId {
    route: usize,
    #[serde(with = "saved::labels")]
    labels: Labels,
}

impl Dispatcher {
    /// Whether there are changes that must soon be saved.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        let changes = &self.changes;
        let is_empty = changes.alerts.is_empty() && changes.groups.is_empty();
        !is_empty || changes.silences || changes.undelivered
    }

    /// Whether only values, texts or ends of alerts changed. They are renewed soon after a restart, so saving them can wait.
    #[must_use]
    pub fn is_refreshed(&self) -> bool {
        !self.changes.refreshed.is_empty()
    }

    /// The changes since the last call. To be saved together: a part of them is not a consistent state.
    pub fn take_changes(&mut self) -> Vec<Change> {
        let mut changes = std::mem::take(&mut self.changes);
        changes.alerts.append(&mut changes.refreshed);
        let mut parts = Vec::new();
        for labels in changes.alerts {
            parts.push(match self.alerts.get(&labels) {
                Some(entry) => Part::Alert(Box::new(entry.save())),
                None => Part::AlertGone(labels),
            });
        }
        if !changes.groups.is_empty() {
            parts.push(Part::NextId(self.next_id));
        }
        for id in changes.groups {
            parts.push(match self.groups.get(&id) {
                Some(group) => Part::Group(Box::new(save(&self.plan, &id, group))),
                None => Part::GroupGone(SavedGroupId {
                    route: id.route,
                    labels: id.labels,
                }),
            });
        }
        if changes.silences {
            parts.push(Part::Silences(self.silences.iter().cloned().collect()));
        }
        if changes.undelivered {
            let undelivered = self.undelivered.iter().cloned();
            parts.push(Part::Undelivered(undelivered.collect()));
        }
        parts.into_iter().map(Change).collect()
    }
}

impl Saved {
    /// The whole state as changes of an empty one.
    pub fn into_changes(self) -> impl Iterator<Item = Change> {
        let alerts = self.alerts.into_iter();
        let alerts = alerts.map(|alert| Part::Alert(Box::new(alert)));
        let groups = self.groups.into_iter();
        let groups = groups.map(|group| Part::Group(Box::new(group)));
        let rest = [
            Part::NextId(self.next_id),
            Part::Silences(self.silences),
            Part::Undelivered(self.undelivered),
        ];
        alerts.chain(groups).chain(rest).map(Change)
    }
}

/// Applies changes, in their order.
#[derive(Debug, Default)]
pub struct Replay {
    alerts: BTreeMap<Labels, SavedAlert>,
    groups: BTreeMap<GroupId, SavedGroup>,
    rest: Saved,
}

impl Replay {
    /// Applies the next change.
    pub fn apply(&mut self, change: Change) {
        match change.0 {
            Part::Alert(alert) => {
                self.alerts.insert(alert.alert.labels.clone(), *alert);
            }
            Part::AlertGone(labels) => {
                self.alerts.remove(&labels);
            }
            Part::Group(group) => {
                let id = GroupId {
                    route: group.route,
                    labels: group.labels.clone(),
                };
                self.groups.insert(id, *group);
            }
            Part::GroupGone(SavedGroupId { route, labels }) => {
                self.groups.remove(&GroupId { route, labels });
            }
            Part::Silences(silences) => self.rest.silences = silences,
            Part::Undelivered(undelivered) => self.rest.undelivered = undelivered,
            Part::NextId(id) => self.rest.next_id = self.rest.next_id.max(id),
        }
    }

    /// The state after all changes.
    #[must_use]
    pub fn finish(self) -> Saved {
        Saved {
            alerts: self.alerts.into_values().collect(),
            groups: self.groups.into_values().collect(),
            ..self.rest
        }
    }
}
