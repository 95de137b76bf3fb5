//! The state of an alert: its verdict and its report.

use serde::{Deserialize, Serialize};

use super::super::Time;

/// A pending or firing alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::engine) struct Active {
    /// The first evaluation that returned it.
    pub(in crate::engine) since: Time,
    /// The time that does not count towards `for`, because nothing was evaluated.
    pub(in crate::engine) paused: i64,
    /// When it began to fire; `None` while it is pending.
    pub(in crate::engine) fired: Option<Time>,
    /// The first evaluation that did not return it, while `keep_firing_for` keeps it firing.
    pub(in crate::engine) missing: Option<Time>,
}

/// The last state of an alert that was passed to the notifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Report {
    /// None, or an earlier alert with these labels resolved.
    Silent,
    /// It fires, or its state is unknown.
    Open {
        starts_at: Time,
        unknown_since: Option<Time>,
    },
    /// It resolved.
    Closed { starts_at: Time, ends_at: Time },
}

/// `for` and `keep_firing_for`, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Durations {
    pub(in crate::engine) hold: i64,
    pub(in crate::engine) keep_firing: i64,
}

/// The state of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct State {
    /// Prometheus' verdict: it is pending or fires; `None` if the expression does not return it.
    pub(in crate::engine) active: Option<Active>,
    pub(in crate::engine) report: Report,
}

impl State {
    /// An alert that was never returned.
    pub(super) const NEW: Self = Self {
        active: None,
        report: Report::Silent,
    };

    /// When it began to fire.
    fn fired(&self) -> Option<Time> {
        self.active?.fired
    }

    pub(in crate::engine) fn is_open(&self) -> bool {
        matches!(self.report, Report::Open { .. })
    }

    /// Advances the state by an evaluation. `returned` says whether the result contains the alert, `unreadable_since`
    /// whether a missing alert may be missing because its metrics cannot be read.
    pub(super) fn advance(
        &mut self,
        at: Time,
        returned: bool,
        durations: Durations,
        unreadable_since: Option<Time>,
    ) {
        let fired_before = self.fired().is_some();
        self.active = self.judge(at, returned, durations);
        let unknown_since = unreadable_since.filter(|_| !returned);
        self.report = match (self.report, self.active) {
            (Report::Open { starts_at, .. }, Some(active)) => match active.fired {
                Some(_) => Report::Open {
                    starts_at,
                    unknown_since,
                },
                // A reload made `for` longer.
                None if fired_before => closed(starts_at, at),
                // It was unknown, and the condition holds: `for` was served before.
                None => open(starts_at),
            },
            (
                Report::Open {
                    starts_at,
                    unknown_since: known,
                },
                None,
            ) => match unknown_since {
                None => closed(starts_at, at),
                Some(_) => Report::Open {
                    starts_at,
                    unknown_since: known.or(unknown_since),
                },
            },
            (_, Some(active)) => active.fired.map_or(Report::Silent, open),
            (report, None) => report,
        };
    }

    /// The verdict of Prometheus.
    fn judge(&self, at: Time, returned: bool, durations: Durations) -> Option<Active> {
        let mut active = match self.active {
            Some(active) => active,
            None if returned => Active {
                since: at,
                paused: 0,
                fired: None,
                missing: None,
            },
            None => return None,
        };
        if returned {
            active.missing = None;
        } else {
            active.fired?;
            let missing = *active.missing.get_or_insert(at);
            if at.saturating_sub(missing) >= durations.keep_firing {
                return None;
            }
        }
        let held = at.saturating_sub(active.since);
        let due = held.saturating_sub(active.paused) >= durations.hold;
        match (active.fired, due) {
            (None, true) => active.fired = Some(at),
            (Some(_), false) => active.fired = None,
            _ => {}
        }
        Some(active)
    }

    /// Marks a reported alert as unknown, because its rule failed.
    pub(super) fn fail(&mut self, at: Time) {
        if let Report::Open { unknown_since, .. } = &mut self.report {
            unknown_since.get_or_insert(at);
        }
    }

    /// Excludes a time in which nothing was evaluated from `for` and `keep_firing_for`.
    pub(in crate::engine) fn pause(&mut self, millis: i64) {
        if let Some(active) = &mut self.active {
            if active.fired.is_none() {
                active.paused = active.paused.saturating_add(millis);
            }
            active.missing = active.missing.map(|since| since.saturating_add(millis));
        }
    }

    /// Resolves a reported alert whose rule no longer exists.
    pub(in crate::engine) fn end(&mut self, at: Time) -> bool {
        self.active = None;
        match self.report {
            Report::Open { starts_at, .. } => {
                self.report = closed(starts_at, at);
                true
            }
            _ => false,
        }
    }
}

fn open(starts_at: Time) -> Report {
    Report::Open {
        starts_at,
        unknown_since: None,
    }
}

fn closed(starts_at: Time, ends_at: Time) -> Report {
    Report::Closed { starts_at, ends_at }
}

#[cfg(test)]
mod tests;
