//! A group of alerts, and what each integration was told of them.

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

/// What an integration knows of an alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Told {
    /// Nothing, or that it is over.
    #[default]
    No,
    /// Nothing: the message that it fires failed.
    Failed,
    /// Perhaps that it fires.
    Maybe,
    /// That it fires.
    Yes,
}

impl Told {
    /// Whether it must be told when the alert is over.
    fn is_told(self) -> bool {
        matches!(self, Self::Maybe | Self::Yes)
    }
}

/// A message whose outcome is not known yet. The labels are sorted.
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

/// Where the messages to one integration stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Log {
    /// When the group is looked at next.
    pub(super) next: Time,
    /// When the last message was decided.
    pub(super) attempt: Option<Time>,
    /// When the last message that arrived was decided.
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

    /// When the last message is repeated if nothing changes: at its own time, but no sooner than the next message may follow
    /// an attempt.
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

/// What is to be sent.
pub(super) struct Draft {
    pub(super) reason: Reason,
    pub(super) firing: Vec<Arc<Alert>>,
    pub(super) resolved: Vec<Arc<Alert>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// What each integration knows of each alert.
    pub(super) members: BTreeMap<Labels, Box<[Told]>>,
    /// One for each integration.
    pub(super) logs: Box<[Log]>,
}

impl Group {
    /// Whether there is something to look at. Without integrations, that is always so.
    pub(super) fn is_due(&self, now: Time) -> bool {
        self.logs.is_empty() || self.logs.iter().any(|log| log.is_due(now))
    }

    /// The next time at which something is due.
    pub(super) fn next(&self) -> Option<Time> {
        let logs = self.logs.iter().filter(|log| log.flight.is_none());
        logs.map(|log| log.next).min()
    }

    /// Whether nothing is left of it: no alert, and no message so recent that another one would follow too soon.
    pub(super) fn is_done(&self, now: Time, options: &Options) -> bool {
        let recent = |attempt: Time| attempt.saturating_add(options.group_interval) > now;
        self.members.is_empty() && !self.logs.iter().any(|log| log.attempt.is_some_and(recent))
    }

    /// Adds an alert of which no integration was told.
    pub(super) fn join(&mut self, labels: &Labels) -> bool {
        let integrations = self.logs.len();
        let mut new = false;
        self.members.entry(labels.clone()).or_insert_with(|| {
            new = true;
            vec![Told::No; integrations].into()
        });
        new
    }

    /// What one integration is to be sent now, if it is due.
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
        let told_before = self.members.values().any(|told| told[at].is_told());
        let (mut firing, mut resolved, mut news) = (Vec::new(), Vec::new(), false);
        for view in views {
            let Some(told) = self.members.get_mut(&view.alert.labels) else {
                continue;
            };
            let told = &mut told[at];
            match view.state {
                // It is not told, but told again when the alert comes back.
                State::Resolved if !target.send_resolved && told.is_told() => *told = Told::No,
                _ if view.mute.is_some() => {}
                State::Resolved if told.is_told() => resolved.push(Arc::clone(view.alert)),
                State::Resolved => {}
                State::Firing | State::Unknown => {
                    news |= *told != Told::Yes;
                    firing.push(Arc::clone(view.alert));
                }
            }
        }
        let log = &mut self.logs[at];
        let repeat = log.repeat_at(options);
        let over = || views.iter().all(|view| view.state == State::Resolved);
        let reason = match (news, resolved.is_empty(), firing.is_empty()) {
            (true, ..) if told_before => Some(Reason::NewAlerts),
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

    /// Takes note of an outcome.
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
            if let Some(told) = self.members.get_mut(labels) {
                told[at] = match (outcome, told[at]) {
                    (Outcome::Delivered, _) | (_, Told::Yes) => Told::Yes,
                    (Outcome::Unsure, _) | (_, Told::Maybe) => Told::Maybe,
                    (Outcome::Failed, _) => Told::Failed,
                };
            }
        }
        for labels in &flight.resolved {
            if let (Outcome::Delivered, Some(told)) = (outcome, self.members.get_mut(labels)) {
                told[at] = Told::No;
            }
        }
    }

    /// Removes the alerts that are over and that no integration has to be told of any more. Calls `removed` with each, and
    /// with the numbers of the integrations that failed to be told of it.
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
            let Some(told) = self.members.get(labels) else {
                continue;
            };
            if told.iter().any(|told| told.is_told()) {
                continue;
            }
            let failed = told.iter().enumerate();
            let failed = failed.filter(|(_, told)| **told == Told::Failed);
            removed(view.alert, failed.map(|(at, _)| at).collect());
            self.members.remove(labels);
        }
    }

    /// When one integration is sent the next message, and why then.
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
        let told = |view: &View<'_>| self.members[&view.alert.labels][at];
        let pending = |view: &&View<'_>| match view.state {
            State::Resolved => target.send_resolved && told(view).is_told(),
            State::Firing | State::Unknown => told(view) != Told::Yes,
        };
        let mut pending = views.iter().filter(pending);
        if let Some(view) = pending.clone().find(|view| view.mute.is_none()) {
            let why = match (told(view), log.attempt) {
                (Told::Failed | Told::Maybe, _) => Why::Retry,
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
