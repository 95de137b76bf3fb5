//! The alerts to forward, and which of them each Alertmanager has.

use std::collections::BTreeMap;
use std::sync::Arc;

use vigie_promql::Labels;

use crate::alert::{Alert, State};
use crate::{Time, millis};
use std::time::Duration;

/// How long resolved alerts are sent.
const RESOLVED_FOR: Duration = Duration::from_secs(15 * 60);

/// The alerts.
#[derive(Debug)]
pub(super) struct Table {
    alerts: BTreeMap<Labels, Held>,
    most: usize,
    next_version: u64,
}

#[derive(Debug)]
struct Held {
    alert: Arc<Alert>,
    /// Increases when it fires or resolves.
    version: u64,
}

/// The alerts that one Alertmanager has.
#[derive(Debug, Default)]
pub(super) struct Ledger(BTreeMap<Labels, Sent>);

#[derive(Debug)]
struct Sent {
    version: u64,
    /// The time at which it is sent again; `None` if it was refused.
    again: Option<Time>,
}

/// An alert to send.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) alert: Arc<Alert>,
    version: u64,
}

#[cfg(test)]
impl Item {
    pub(super) fn of(alert: Arc<Alert>) -> Self {
        Self { alert, version: 0 }
    }
}

impl Table {
    pub(super) fn new(most: usize) -> Self {
        Self {
            alerts: BTreeMap::new(),
            most,
            next_version: 0,
        }
    }

    /// Adds or updates an alert. Returns whether there is room for it. One that resolved before it was known is forwarded, too:
    /// it may have been sent before a restart.
    pub(super) fn observe(&mut self, now: Time, mut alert: Alert) -> bool {
        let over = |alert: &Alert| alert.state(now) == State::Resolved;
        if over(&alert) && is_old(&alert, now) {
            return true;
        }
        self.next_version += 1;
        let mut version = self.next_version;
        match self.alerts.get(&alert.labels) {
            None if self.alerts.len() >= self.most => return false,
            None => {}
            Some(held) if over(&held.alert) && over(&alert) => return true,
            Some(held) if over(&held.alert) == over(&alert) => {
                version = held.version;
                alert.starts_at = alert.starts_at.min(held.alert.starts_at);
            }
            Some(held) if over(&alert) => {
                alert.starts_at = alert.starts_at.min(held.alert.starts_at);
            }
            Some(_) => {}
        }
        let held = Held {
            alert: Arc::new(alert),
            version,
        };
        self.alerts.insert(held.alert.labels.clone(), held);
        true
    }

    /// Forgets alerts that resolved long ago.
    pub(super) fn expire(&mut self, now: Time) {
        self.alerts.retain(|_, held| !is_old(&held.alert, now));
    }

    /// The alerts to send to an Alertmanager now, at most `most`.
    pub(super) fn due(&self, ledger: &mut Ledger, now: Time, most: usize) -> Vec<Item> {
        ledger
            .0
            .retain(|labels, _| self.alerts.contains_key(labels));
        let due = self.alerts.iter().filter(|(labels, held)| {
            let sent = ledger.0.get(*labels);
            sent.is_none_or(|sent| {
                sent.version != held.version || sent.again.is_some_and(|again| again <= now)
            })
        });
        let due = due.take(most).map(|(_, held)| Item {
            alert: Arc::clone(&held.alert),
            version: held.version,
        });
        due.collect()
    }
}

impl Ledger {
    /// Records that alerts were sent. They are sent again at `again`; if that is `None`, only after a change.
    pub(super) fn sent(&mut self, items: &[Item], again: Option<Time>) {
        for item in items {
            let sent = Sent {
                version: item.version,
                again,
            };
            self.0.insert(item.alert.labels.clone(), sent);
        }
    }

    /// The next time at which an alert is sent again.
    pub(super) fn next(&self) -> Option<Time> {
        self.0.values().filter_map(|sent| sent.again).min()
    }
}

fn is_old(alert: &Alert, now: Time) -> bool {
    let end = alert.ends_at.filter(|_| alert.unknown_since.is_none());
    end.is_some_and(|end| end.saturating_add(millis(RESOLVED_FOR)) <= now)
}
