//! A group of alerts, and the messages sent to each integration.

use std::collections::BTreeMap;
use std::sync::Arc;

use vigie_promql::Labels;

use super::failing::is_about;
use super::log::{Log, Notified};
use super::notification::{Outcome, Reason, Why};
use super::plan::Integration;
use super::view::View;
use crate::Time;
use crate::alert::{Alert, State};
use crate::route::Options;

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

    /// The messages that are not delivered: the time of the decision, or of the first message that failed.
    pub(super) fn unsent(&self) -> impl Iterator<Item = Time> + Clone {
        self.logs.iter().filter_map(|log| {
            let flight = log.flight.as_ref().map(|flight| flight.at);
            log.failing_since.or(flight)
        })
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

    /// Records that a firing message about an alert may have been delivered. Returns whether the alert is a member.
    pub(super) fn doubt(&mut self, labels: &Labels) -> bool {
        let member = self.members.get_mut(labels);
        let is_member = member.is_some();
        for notified in member.into_iter().flat_map(|member| member.iter_mut()) {
            *notified = Notified::Unsure;
        }
        is_member
    }

    /// The message to one integration, if one is due.
    pub(super) fn decide(
        &mut self,
        at: usize,
        target: &Integration,
        options: &Options,
        now: Time,
        patience: Time,
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
        let mut given_up = false;
        let views = views.iter();
        let views = views.filter(|view| !is_about(&view.alert.labels, options, target));
        for view in views.clone() {
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
                State::Resolved if self.logs[at].gives_up(view, patience, now) => given_up = true,
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
        let over = || views.clone().all(|view| view.state == State::Resolved);
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
            log.failing_since = log.failing_since.filter(|_| given_up);
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

    /// Records an outcome. A message that was not delivered is decided upon again at `retry`, or after `group_interval`.
    pub(super) fn outcome(
        &mut self,
        at: usize,
        outcome: Outcome,
        retry: Option<Time>,
        options: &Options,
    ) {
        let log = &mut self.logs[at];
        let Some(flight) = log.flight.take() else {
            return;
        };
        log.next = flight.at.saturating_add(options.group_interval);
        if outcome == Outcome::Delivered {
            log.sent = Some(flight.at);
            log.failing_since = None;
        } else {
            log.failing_since.get_or_insert(flight.at);
            log.next = retry.unwrap_or(log.next);
        }
        if outcome == Outcome::Failed && retry.is_some() {
            // A message that did not arrive does not delay the next one.
            log.attempt = log.sent;
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

    /// Removes resolved alerts about which no message remains to be sent, or whose resolved message failed for too long.
    /// Calls `removed` with each, and with the numbers of the integrations that were not notified and whether a firing
    /// message was delivered to them.
    pub(super) fn sweep(
        &mut self,
        views: &[View<'_>],
        now: Time,
        patience: Time,
        mut removed: impl FnMut(&Arc<Alert>, Vec<(usize, bool)>),
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
            let waits = |(notified, log): (&Notified, &Log)| {
                notified.is_notified() && !log.gives_up(view, patience, now)
            };
            if notified.iter().zip(&self.logs).any(waits) {
                continue;
            }
            let lost = notified.iter().enumerate();
            let lost = lost.filter(|(_, notified)| **notified != Notified::No);
            removed(
                view.alert,
                lost.map(|(at, notified)| (at, notified.is_notified()))
                    .collect(),
            );
            self.members.remove(labels);
        }
    }

    /// The time of the next message to one integration, and the reason for it.
    pub(super) fn planned(
        &self,
        at: usize,
        target: &Integration,
        options: &Options,
        views: &[View<'_>],
    ) -> (Option<Time>, Why) {
        let log = &self.logs[at];
        if log.flight.is_some() {
            return (None, Why::InFlight);
        }
        let notified = |view: &View<'_>| self.members[&view.alert.labels][at];
        let views = views.iter();
        let views = views.filter(|view| !is_about(&view.alert.labels, options, target));
        let pending = |view: &&View<'_>| match view.state {
            State::Resolved => target.send_resolved && notified(view).is_notified(),
            State::Firing | State::Unknown => notified(view) != Notified::Yes,
        };
        let mut pending = views.clone().filter(pending);
        if let Some(view) = pending.clone().find(|view| view.mute.is_none()) {
            let why = match (notified(view), log.attempt) {
                (Notified::Failed | Notified::Unsure, _) => Why::Retry,
                (_, None) => Why::GroupWait,
                _ => Why::GroupInterval,
            };
            return (Some(log.next), why);
        }
        let firing = |view: &&View<'_>| view.state != State::Resolved && view.mute.is_none();
        if views.clone().any(|view| firing(&view)) {
            return (log.repeat_at(options), Why::Repeat);
        }
        let held = pending
            .next()
            .or_else(|| views.clone().find(|view| view.state != State::Resolved));
        match held.and_then(|view| view.mute.clone()) {
            Some(mute) => (Some(log.next), Why::Muted(mute)),
            None => (None, Why::Nothing),
        }
    }
}
