//! One alert: its series, and its form for the notifier and for the API.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vigie_promql::{Labels, METRIC_NAME};

use super::super::rule::Produced;
use super::super::{Pairs, Sample, Time, Update};
use super::state::{Report, State};

/// The label of `ALERTS` that holds the state.
const ALERT_STATE: &str = "alertstate";

/// The state of an alert in `ALERTS` and Prometheus' API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AlertState {
    /// Returned for less than `for`.
    Pending,
    /// Returned for `for`, or kept firing.
    Firing,
}

impl AlertState {
    /// `pending` or `firing`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// An alert that is pending, fires, or is unknown.
#[derive(Clone, Debug)]
pub struct ActiveAlert<'a> {
    /// The labels, without external ones.
    pub labels: &'a Labels,
    /// The annotations.
    pub annotations: &'a Pairs,
    /// Prometheus' state; `None` if the alert is unknown, and inactive for Prometheus.
    pub state: Option<AlertState>,
    /// The time of the first evaluation that returned it; for an alert without state, the time at which it began to fire.
    pub active_at: Time,
    /// The first evaluation that did not return it, while `keep_firing_for` keeps it firing.
    pub keep_firing_since: Option<Time>,
    /// Since when its state is unknown.
    pub unknown_since: Option<Time>,
    /// The latest value.
    pub value: f64,
}

/// An alert that is not forgotten.
#[derive(Debug)]
pub(in crate::engine) struct Alert {
    pub(in crate::engine) state: State,
    pub(in crate::engine) annotations: Pairs,
    pub(in crate::engine) value: f64,
    /// The value of the compared operand when it resolved.
    pub(in crate::engine) resolved_value: Option<f64>,
    /// The state of the series in `ALERTS`, if there is one.
    pub(in crate::engine) written: Option<AlertState>,
    /// Whether the current evaluation returned it, and whether its texts or value changed.
    pub(in crate::engine) returned: bool,
    pub(in crate::engine) refreshed: bool,
}

impl Alert {
    /// Whether it is active or reported.
    pub(in crate::engine) fn is_current(&self) -> bool {
        self.state.active.is_some() || self.state.is_open()
    }

    fn alert_state(&self) -> Option<AlertState> {
        self.state.active.map(|active| match active.fired {
            None => AlertState::Pending,
            Some(_) => AlertState::Firing,
        })
    }

    /// Adds the samples of `ALERTS` and `ALERTS_FOR_STATE`, and the series of them that ended.
    pub(super) fn write(&mut self, labels: &Labels, at: Time, produced: &mut Produced) {
        let state = self.alert_state();
        if let (Some(active), Some(state)) = (self.state.active, state) {
            let since = active.since.saturating_add(active.paused);
            let pair = [
                (alerts_series(labels, state), 1.0),
                (for_state_series(labels), since.div_euclid(1_000) as f64),
            ];
            produced.samples.extend(pair.map(|(labels, value)| Sample {
                labels,
                time: at,
                value,
            }));
        }
        self.end_series(labels, state, &mut produced.gone);
    }

    /// Adds the series of `ALERTS` that end when the state becomes `state`.
    pub(in crate::engine) fn end_series(
        &mut self,
        labels: &Labels,
        state: Option<AlertState>,
        gone: &mut Vec<Labels>,
    ) {
        if let Some(before) = self.written.filter(|before| Some(*before) != state) {
            gone.push(alerts_series(labels, before));
            if state.is_none() {
                gone.push(for_state_series(labels));
            }
        }
        self.written = state;
    }

    pub(in crate::engine) fn update(
        &self,
        labels: &Labels,
        external: &Labels,
        generator_url: &Arc<str>,
    ) -> Option<Update> {
        let (starts_at, ends_at, unknown_since) = match self.state.report {
            Report::Silent => return None,
            Report::Open {
                starts_at,
                unknown_since,
            } => (starts_at, None, unknown_since),
            Report::Closed { starts_at, ends_at } => (starts_at, Some(ends_at), None),
        };
        Some(Update {
            labels: reported(labels, external),
            annotations: Arc::clone(&self.annotations),
            starts_at,
            ends_at,
            unknown_since,
            value: ends_at.map_or(Some(self.value), |_| self.resolved_value),
            generator_url: Arc::clone(generator_url),
        })
    }

    pub(super) fn shown<'a>(&'a self, labels: &'a Labels) -> Option<ActiveAlert<'a>> {
        let (reported, unknown_since) = match self.state.report {
            Report::Open {
                starts_at,
                unknown_since,
            } => (Some(starts_at), unknown_since),
            _ => (None, None),
        };
        let active = self.state.active;
        Some(ActiveAlert {
            labels,
            annotations: &self.annotations,
            state: self.alert_state(),
            active_at: active.map(|active| active.since).or(reported)?,
            keep_firing_since: active.and_then(|active| active.missing),
            unknown_since,
            value: self.value,
        })
    }
}

/// The labels with which an alert is reported.
pub(in crate::engine) fn reported(labels: &Labels, external: &Labels) -> Labels {
    match external.is_empty() {
        true => labels.clone(),
        false => Labels::new(external.pairs().iter().chain(labels.pairs()).cloned()),
    }
}

fn alerts_series(labels: &Labels, state: AlertState) -> Labels {
    let named = labels.with(METRIC_NAME, "ALERTS");
    named.with(ALERT_STATE, state.name())
}

fn for_state_series(labels: &Labels) -> Labels {
    labels.with(METRIC_NAME, "ALERTS_FOR_STATE")
}
