//! Decides which messages are due.

use std::sync::Arc;

use vigie_promql::Labels;

use super::log::Flight;
use super::mute::Mutes;
use super::notification::{Advance, Notification, Undelivered};
use super::{Dispatcher, GroupId, UNDELIVERED, views};
use crate::Time;
use crate::alert::{Alert, State};

impl Dispatcher {
    /// The messages due at `now`. To be called at the time that [`Self::due`] returns; earlier calls do no harm.
    pub fn advance(&mut self, now: Time) -> Advance {
        let due = self.groups.iter().filter(|(_, group)| group.is_due(now));
        let due: Vec<GroupId> = due.map(|(id, _)| id.clone()).collect();
        let mut advance = Advance::default();
        if due.is_empty() {
            return advance;
        }
        let Self {
            plan,
            alerts,
            groups,
            flights,
            next_id,
            silences,
            limits,
            changes,
            ..
        } = self;
        let mutes = Mutes::new(&plan.inhibit_rules, alerts.values(), silences, now);
        let mut left: Vec<Labels> = Vec::new();
        for id in due {
            let Some(group) = groups.get_mut(&id) else {
                continue;
            };
            let options = plan.routes.options(id.route);
            let targets = plan.targets(&options.receiver);
            let views = views(group, alerts, &mutes, plan.muted(options, now), now);
            let mut changed = views.iter().any(|view| view.state == State::Resolved);
            for (at, target) in targets.iter().enumerate() {
                let Some(draft) = group.decide(at, target, options, now, limits.patience, &views)
                else {
                    continue;
                };
                changed = true;
                let labels = |alerts: &[Arc<Alert>]| {
                    let labels = alerts.iter().map(|alert| alert.labels.clone());
                    labels.collect::<Vec<_>>()
                };
                group.logs[at].flight = Some(Flight {
                    id: *next_id,
                    at: now,
                    attempted: false,
                    firing: labels(&draft.firing),
                    resolved: labels(&draft.resolved),
                });
                flights.insert(*next_id, (id.clone(), at));
                advance.notifications.push(Notification {
                    id: *next_id,
                    receiver: Arc::clone(&options.receiver),
                    integration: Arc::clone(&target.integration),
                    group_key: options.group_key(&id.labels),
                    group_labels: id.labels.clone(),
                    reason: draft.reason,
                    at: now,
                    firing: draft.firing,
                    resolved: draft.resolved,
                });
                *next_id += 1;
            }
            group.sweep(&views, now, limits.patience, |alert, lost| {
                left.push(alert.labels.clone());
                advance
                    .undelivered
                    .extend(lost.into_iter().map(|(at, fired)| Undelivered {
                        receiver: Arc::clone(&options.receiver),
                        integration: Arc::clone(&targets[at].integration),
                        fired,
                        labels: alert.labels.clone(),
                        starts_at: alert.starts_at,
                        ends_at: alert.ends_at.unwrap_or(now),
                    }));
            });
            if group.is_done(now, options) {
                groups.remove(&id);
                changed = true;
            }
            if changed {
                changes.groups.insert(id);
            }
        }
        for labels in left {
            self.leave(&labels);
        }
        self.changes.undelivered |= !advance.undelivered.is_empty();
        self.undelivered.extend(advance.undelivered.iter().cloned());
        let beyond = self.undelivered.len().saturating_sub(UNDELIVERED);
        self.undelivered.drain(..beyond);
        advance
    }

    /// An alert left one of its groups.
    fn leave(&mut self, labels: &Labels) {
        if let Some(entry) = self.alerts.get_mut(labels) {
            entry.groups -= 1;
            if entry.groups == 0 {
                self.alerts.remove(labels);
                self.changes.alerts.insert(labels.clone());
            }
        }
    }
}
