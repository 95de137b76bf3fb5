//! Takes alerts, and puts them into groups.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::group::Group;
use super::limits::Refused;
use super::log::Log;
use super::{Dispatcher, Entry, GroupId};
use crate::Time;
use crate::alert::{Alert, State};

impl Dispatcher {
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
        let most = available(self.limits.alerts, &alert);
        let full = self.alerts.len() >= most;
        match self.alerts.get_mut(&alert.labels) {
            None if resolved => return Ok(()),
            None if full => return Err(Refused::TooManyAlerts(most)),
            None => {
                self.changes.alerts.insert(alert.labels.clone());
                let entry = Entry {
                    alert: Arc::new(alert.clone()),
                    acknowledged: None,
                    updated_at: now,
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
                self.changes.observed(&entry.alert, &alert);
                entry.alert = Arc::new(alert.clone());
                entry.updated_at = now;
            }
        }
        match resolved {
            true => Ok(()),
            false => self.join(now, &alert),
        }
    }

    /// Adds or updates an alert that another replica may have announced. Unlike with [`Self::observe`], a message is also sent
    /// if the alert has resolved and this dispatcher does not contain it.
    ///
    /// # Errors
    /// As [`Self::observe`].
    pub fn take_over(&mut self, now: Time, alert: Alert) -> Result<(), Refused> {
        let resolved = alert.state(now) == State::Resolved;
        if resolved && !self.alerts.contains_key(&alert.labels) {
            let fired = Alert {
                ends_at: None,
                ..alert.clone()
            };
            self.observe(now, fired)?;
            for (id, group) in &mut self.groups {
                if group.doubt(&alert.labels) {
                    self.changes.groups.insert(id.clone());
                }
            }
        }
        self.observe(now, alert)
    }

    /// Puts an alert into the groups of its routes.
    pub(super) fn join(&mut self, now: Time, alert: &Alert) -> Result<(), Refused> {
        let mut full = false;
        let most = available(self.limits.groups, alert);
        for route in self.plan.find(&alert.labels) {
            let options = self.plan.routes.options(route);
            let labels = options.group(&alert.labels);
            let id = GroupId { route, labels };
            if !self.groups.contains_key(&id) {
                if self.groups.len() >= most {
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
                self.changes.groups.insert(id.clone());
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
            self.changes.alerts.insert(alert.labels.clone());
        }
        Err(Refused::TooManyGroups(most))
    }
}

/// The part of a bound that an alert may use: a quarter is reserved for those of the rules, so that clients cannot displace them.
/// An alert of a client has an end.
fn available(most: usize, alert: &Alert) -> usize {
    match alert.ends_at {
        Some(_) => most - most / 4,
        None => most,
    }
}
