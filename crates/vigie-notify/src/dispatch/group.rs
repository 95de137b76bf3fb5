//! A group of alerts, and the messages sent to each integration.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vigie_promql::Labels;

use super::mute::Mute;
use super::notification::{Outcome, Reason, Why};
use super::plan::Target;
use crate::Time;
use crate::alert::{Alert, State};
use crate::route::Options;

/// Whether an integration was notified that an alert fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Notified {
    /// No, or it was notified since that the alert resolved.
    #[default]
    No,
    /// No: the message failed.
    Failed,
    /// The outcome of the message is unsure.
    Unsure,
    /// Yes.
    Yes,
}

impl Notified {
    /// Whether a resolved message must follow.
    fn is_notified(self) -> bool {
        matches!(self, Self::Unsure | Self::Yes)
    }
}

/// A message whose outcome is unknown. The labels are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) id: u64,
    pub(super) at: Time,
    pub(super) firing: Vec<Labels>,
    pub(super) resolved: Vec<Labels>,
}

impl Flight {
    fn holds(&self, labels: &Labels) -> bool {
        let mut lists = [&self.firing, &self.resolved].into_iter();
        lists.any(|list| list.binary_search(labels).is_ok())
    }
}

/// The messages to one integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Log {
    /// The time of the next check.
    pub(super) next: Time,
    /// The time of the last message.
    pub(super) attempt: Option<Time>,
    /// The time of the last message that was delivered.
    pub(super) sent: Option<Time>,
    pub(super) flight: Option<Flight>,
}

impl Log {
    pub(super) fn new(next: Time) -> Self {
        Self {
            next,
            attempt: None,
            sent: None,
            flight: None,
        }
    }

    pub(super) fn is_due(&self, now: Time) -> bool {
        self.flight.is_none() && self.next <= now
    }

    /// The time at which the last message is repeated: exactly `repeat_interval` later, but at least `group_interval` after
    /// the last attempt.
    fn repeat_at(&self, options: &Options) -> Option<Time> {
        let repeat = self.sent?.saturating_add(options.repeat_interval);
        let earliest = self.attempt?.saturating_add(options.group_interval);
        Some(repeat.max(earliest))
    }
}

/// A member as it is now.
pub(super) struct View<'a> {
    pub(super) alert: &'a Arc<Alert>,
    pub(super) state: State,
    pub(super) mute: Option<Mute>,
}

/// A message to send.
pub(super) struct Draft {
    pub(super) reason: Reason,
    pub(super) firing: Vec<Arc<Alert>>,
    pub(super) resolved: Vec<Arc<Alert>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// The state of each integration, by alert.
    pub(super) members: BTreeMap<Labels, Box<[Notified]>>,
    /// One for each integration.
    pub(super) logs: Box<[Log]>,
}

impl Group {
    /// Whether a check is due. A group without integrations is checked always.
    pub(super) fn is_due(&self, now: Time) -> bool {
        self.logs.is_empty() || self.logs.iter().any(|log| log.is_due(now))
    }

    /// The next time at which something is due.
    pub(super) fn next(&self) -> Option<Time> {
        let logs = self.logs.iter().filter(|log| log.flight.is_none());
        logs.map(|log| log.next).min()
    }

    /// Whether it can be dropped: it has no alerts, and its last message is at least `group_interval` ago.
    pub(super) fn is_done(&self, now: Time, options: &Options) -> bool {
        let recent = |attempt: Time| attempt.saturating_add(options.group_interval) > now;
        self.members.is_empty() && !self.logs.iter().any(|log| log.attempt.is_some_and(recent))
    }

    /// Adds an alert, unless it is a member.
    pub(super) fn join(&mut self, labels: &Labels) -> bool {
        let integrations = self.logs.len();
        let mut new = false;
        self.members.entry(labels.clone()).or_insert_with(|| {
            new = true;
            vec![Notified::No; integrations].into()
        });
        new
    }

    /// The message to one integration, if one is due.
    pub(super) fn decide(
        &mut self,
        at: usize,
        target: &Target,
        options: &Options,
        now: Time,
        views: &[View<'_>],
    ) -> Option<Draft> {
        if !self.logs[at].is_due(now) {
            return None;
        }
        let notified_before = self
            .members
            .values()
            .any(|notified| notified[at].is_notified());
        let (mut firing, mut resolved, mut pending) = (Vec::new(), Vec::new(), false);
        for view in views {
            let Some(notified) = self.members.get_mut(&view.alert.labels) else {
                continue;
            };
            let notified = &mut notified[at];
            match view.state {
                // No resolved message is sent, but another firing one when the alert fires again.
                State::Resolved if !target.send_resolved && notified.is_notified() => {
                    *notified = Notified::No
                }
                _ if view.mute.is_some() => {}
                State::Resolved if notified.is_notified() => resolved.push(Arc::clone(view.alert)),
                State::Resolved => {}
                State::Firing | State::Unknown => {
                    pending |= *notified != Notified::Yes;
                    firing.push(Arc::clone(view.alert));
                }
            }
        }
        let log = &mut self.logs[at];
        let repeat = log.repeat_at(options);
        let over = || views.iter().all(|view| view.state == State::Resolved);
        let reason = match (pending, resolved.is_empty(), firing.is_empty()) {
            (true, ..) if notified_before => Some(Reason::NewAlerts),
            (true, ..) => Some(Reason::First),
            (_, false, _) if over() => Some(Reason::AllResolved),
            (_, false, _) => Some(Reason::NewResolved),
            (_, _, false) if repeat.is_some_and(|repeat| repeat <= now) => Some(Reason::Repeat),
            _ => None,
        };
        let tick = now.saturating_add(options.group_interval);
        let Some(reason) = reason else {
            let repeat = repeat.filter(|repeat| *repeat > now);
            log.next = repeat.map_or(tick, |repeat| repeat.min(tick));
            return None;
        };
        log.attempt = Some(now);
        log.next = tick;
        Some(Draft {
            reason,
            firing,
            resolved,
        })
    }

    /// Records an outcome.
    pub(super) fn outcome(&mut self, at: usize, outcome: Outcome, options: &Options) {
        let log = &mut self.logs[at];
        let Some(flight) = log.flight.take() else {
            return;
        };
        log.next = flight.at.saturating_add(options.group_interval);
        if outcome == Outcome::Delivered {
            log.sent = Some(flight.at);
        }
        for labels in &flight.firing {
            if let Some(notified) = self.members.get_mut(labels) {
                notified[at] = match (outcome, notified[at]) {
                    (Outcome::Delivered, _) | (_, Notified::Yes) => Notified::Yes,
                    (Outcome::Unsure, _) | (_, Notified::Unsure) => Notified::Unsure,
                    (Outcome::Failed, _) => Notified::Failed,
                };
            }
        }
        for labels in &flight.resolved {
            if let (Outcome::Delivered, Some(notified)) = (outcome, self.members.get_mut(labels)) {
                notified[at] = Notified::No;
            }
        }
    }

    /// Removes resolved alerts about which no message remains to be sent. Calls `removed` with each, and with the numbers of
    /// the integrations whose firing message failed.
    pub(super) fn sweep(
        &mut self,
        views: &[View<'_>],
        mut removed: impl FnMut(&Arc<Alert>, Vec<usize>),
    ) {
        for view in views.iter().filter(|view| view.state == State::Resolved) {
            let labels = &view.alert.labels;
            let flights = self.logs.iter().filter_map(|log| log.flight.as_ref());
            if flights.into_iter().any(|flight| flight.holds(labels)) {
                continue;
            }
            let Some(notified) = self.members.get(labels) else {
                continue;
            };
            if notified.iter().any(|notified| notified.is_notified()) {
                continue;
            }
            let failed = notified.iter().enumerate();
            let failed = failed.filter(|(_, notified)| **notified == Notified::Failed);
            removed(view.alert, failed.map(|(at, _)| at).collect());
            self.members.remove(labels);
        }
    }

    /// The time of the next message to one integration, and the reason for it.
    pub(super) fn planned(
        &self,
        at: usize,
        target: &Target,
        options: &Options,
        views: &[View<'_>],
    ) -> (Option<Time>, Why) {
        let log = &self.logs[at];
        if log.flight.is_some() {
            return (None, Why::InFlight);
        }
        let notified = |view: &View<'_>| self.members[&view.alert.labels][at];
        let pending = |view: &&View<'_>| match view.state {
            State::Resolved => target.send_resolved && notified(view).is_notified(),
            State::Firing | State::Unknown => notified(view) != Notified::Yes,
        };
        let mut pending = views.iter().filter(pending);
        if let Some(view) = pending.clone().find(|view| view.mute.is_none()) {
            let why = match (notified(view), log.attempt) {
                (Notified::Failed | Notified::Unsure, _) => Why::Retry,
                (_, None) => Why::GroupWait,
                _ => Why::GroupInterval,
            };
            return (Some(log.next), why);
        }
        let firing = |view: &&View<'_>| view.state != State::Resolved && view.mute.is_none();
        if views.iter().any(|view| firing(&view)) {
            return (log.repeat_at(options), Why::Repeat);
        }
        let held = pending
            .next()
            .or_else(|| views.iter().find(|view| view.state != State::Resolved));
        match held.and_then(|view| view.mute.clone()) {
            Some(mute) => (Some(log.next), Why::Muted(mute)),
            None => (None, Why::Nothing),
        }
    }
}
