//! The saved form of a dispatcher's state.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vigie_promql::Labels;

use super::group::Group;
use super::log::{Flight, Log, Notified};
use super::mute::Acknowledgement;
use super::notification::Undelivered;
use super::plan::Plan;
use super::{Dispatcher, Entry, GroupId, Limits, UNDELIVERED};
use crate::alert::Alert;
use crate::silence::{Silence, Silences};
use crate::{Time, saved};

/// The state, without the configuration: it can be restored with another one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Saved {
    pub(super) alerts: Vec<SavedAlert>,
    pub(super) groups: Vec<SavedGroup>,
    pub(super) next_id: u64,
    pub(super) silences: Vec<Silence>,
    pub(super) undelivered: Vec<Undelivered>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SavedAlert {
    pub(super) alert: Alert,
    acknowledged: Option<Acknowledgement>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SavedGroup {
    /// The number of its route, and by what it is recognised if the numbers changed.
    pub(super) route: usize,
    key: String,
    receiver: String,
    #[serde(with = "saved::labels")]
    pub(super) labels: Labels,
    /// The names of the integrations, in the order of the rest.
    integrations: Vec<String>,
    logs: Vec<SavedLog>,
    members: Vec<SavedMember>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SavedMember {
    #[serde(with = "saved::labels")]
    labels: Labels,
    notified: Vec<Notified>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SavedLog {
    next: Time,
    attempt: Option<Time>,
    sent: Option<Time>,
    #[serde(default)]
    failing_since: Option<Time>,
    flight: Option<SavedFlight>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SavedFlight {
    id: u64,
    at: Time,
    #[serde(default)]
    attempted: bool,
    #[serde(with = "saved::label_sets")]
    firing: Vec<Labels>,
    #[serde(with = "saved::label_sets")]
    resolved: Vec<Labels>,
}

impl Dispatcher {
    /// The state as it is now.
    #[must_use]
    pub fn save(&self) -> Saved {
        let alerts = self.alerts.values().map(Entry::save);
        let groups = self.groups.iter();
        Saved {
            alerts: alerts.collect(),
            groups: groups
                .map(|(id, group)| save(&self.plan, id, group))
                .collect(),
            next_id: self.next_id,
            silences: self.silences.iter().cloned().collect(),
            undelivered: self.undelivered.iter().cloned().collect(),
        }
    }

    /// A dispatcher in a saved state, with a configuration that can be another one.
    ///
    /// An alert whose group no longer exists joins a new one, so one more message about it is sent. Alerts and groups beyond
    /// the bounds are dropped.
    #[must_use]
    pub fn restore(plan: Plan, limits: Limits, saved: Saved, now: Time) -> Self {
        let mut restored = Self::new(plan, limits);
        restored.silences = Silences::restore(limits.silences, saved.silences);
        restored.next_id = saved.next_id.max(1);
        let skipped = saved.undelivered.len().saturating_sub(UNDELIVERED);
        restored.undelivered = saved.undelivered.into_iter().skip(skipped).collect();
        for saved in saved.alerts.into_iter().take(limits.alerts) {
            let entry = Entry {
                alert: Arc::new(saved.alert),
                acknowledged: saved.acknowledged,
                updated_at: now,
                groups: 0,
            };
            restored.alerts.insert(entry.alert.labels.clone(), entry);
        }
        for saved in saved.groups {
            restored.restore_group(saved, now);
        }
        let alerts = restored.alerts.values();
        let alerts: Vec<_> = alerts.map(|entry| Arc::clone(&entry.alert)).collect();
        for alert in alerts {
            if alert.state(now) == crate::State::Resolved {
                // No group has a message to send about it.
                let entry = restored.alerts.get(&alert.labels);
                if entry.is_some_and(|entry| entry.groups == 0) {
                    restored.alerts.remove(&alert.labels);
                }
                continue;
            }
            // Beyond the bound of groups nothing can be done.
            let _ = restored.join(now, &alert);
        }
        restored
    }

    fn restore_group(&mut self, saved: SavedGroup, now: Time) {
        let Some(route) = self.route_of(&saved) else {
            return;
        };
        let options = self.plan.routes.options(route);
        let id = GroupId {
            route,
            labels: saved.labels,
        };
        if self.groups.contains_key(&id) {
            return;
        }
        let targets = self.plan.targets(&options.receiver);
        let places = targets.iter().map(|target| {
            let mut names = saved.integrations.iter();
            names.position(|name| **name == *target.integration)
        });
        let places: Vec<Option<usize>> = places.collect();
        let mut members = BTreeMap::new();
        for member in saved.members {
            let here = self.plan.find(&member.labels).contains(&route);
            let Some(entry) = self.alerts.get_mut(&member.labels) else {
                continue;
            };
            if here && options.group(&member.labels) == id.labels {
                entry.groups += 1;
                let notified = places.iter().map(|place| {
                    let notified = place.and_then(|place| member.notified.get(place));
                    notified.copied().unwrap_or_default()
                });
                let labels = entry.alert.labels.clone();
                members.insert(labels, notified.collect());
            }
        }
        let mut logs = Vec::new();
        for (at, place) in places.into_iter().enumerate() {
            let log = place.and_then(|place| saved.logs.get(place)).cloned();
            let wait = now.saturating_add(options.group_wait);
            let log = log.map_or_else(|| Log::new(wait), |log| log.restore(&members));
            if let Some(flight) = &log.flight {
                self.flights.insert(flight.id, (id.clone(), at));
            }
            logs.push(log);
        }
        let logs = logs.into();
        self.groups.insert(id, Group { members, logs });
    }

    /// The route that a group belonged to: the same number, or else the first one that looks the same.
    fn route_of(&self, saved: &SavedGroup) -> Option<usize> {
        let routes = &self.plan.routes;
        let same = |route: &usize| {
            let options = routes.options(*route);
            *options.key == *saved.key && *options.receiver == *saved.receiver
        };
        let number = Some(saved.route).filter(|route| *route < routes.len());
        let number = number.filter(same);
        number.or_else(|| (0..routes.len()).find(same))
    }
}

impl Entry {
    pub(super) fn save(&self) -> SavedAlert {
        SavedAlert {
            alert: (*self.alert).clone(),
            acknowledged: self.acknowledged.clone(),
        }
    }
}

pub(super) fn save(plan: &Plan, id: &GroupId, group: &Group) -> SavedGroup {
    let options = plan.routes.options(id.route);
    let targets = plan.targets(&options.receiver);
    let members = group.members.iter().map(|(labels, notified)| SavedMember {
        labels: labels.clone(),
        notified: notified.to_vec(),
    });
    let logs = group.logs.iter().map(|log| SavedLog {
        next: log.next,
        attempt: log.attempt,
        sent: log.sent,
        failing_since: log.failing_since,
        flight: log.flight.as_ref().map(|flight| SavedFlight {
            id: flight.id,
            at: flight.at,
            attempted: flight.attempted,
            firing: flight.firing.clone(),
            resolved: flight.resolved.clone(),
        }),
    });
    let integrations = targets.iter().map(|target| target.integration.to_string());
    SavedGroup {
        route: id.route,
        key: options.key.to_string(),
        receiver: options.receiver.to_string(),
        labels: id.labels.clone(),
        integrations: integrations.collect(),
        logs: logs.collect(),
        members: members.collect(),
    }
}

impl SavedLog {
    fn restore(self, members: &BTreeMap<Labels, Box<[Notified]>>) -> Log {
        // The texts are those of the members, so that they are held once.
        let known = |labels: Vec<Labels>| {
            let known = labels
                .iter()
                .filter_map(|labels| members.get_key_value(labels));
            let mut known: Vec<_> = known.map(|(labels, _)| labels.clone()).collect();
            known.sort();
            known
        };
        let flight = self.flight.map(|flight| Flight {
            id: flight.id,
            at: flight.at,
            attempted: flight.attempted,
            firing: known(flight.firing),
            resolved: known(flight.resolved),
        });
        Log {
            next: self.next,
            attempt: self.attempt,
            sent: self.sent,
            failing_since: self.failing_since,
            flight,
        }
    }
}
