//! The saved form of an alert.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vigie_promql::Labels;

use super::super::Time;
use super::super::alerting::{Active, Alert, AlertState, Report, State};
use super::{Pairs, pairs};

/// Numbers are saved as their bits, since JSON has no NaN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SavedAlert {
    pub(super) labels: Pairs,
    annotations: Pairs,
    value: u64,
    resolved_value: Option<u64>,
    active: Option<Active>,
    report: Option<SavedReport>,
    written: Option<AlertState>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct SavedReport {
    starts_at: Time,
    ends_at: Option<Time>,
    unknown_since: Option<Time>,
}

impl SavedAlert {
    pub(super) fn is_current(&self) -> bool {
        let is_open = |report: SavedReport| report.ends_at.is_none();
        self.active.is_some() || self.report.is_some_and(is_open)
    }

    pub(super) fn of(labels: &Labels, alert: &Alert) -> Self {
        let annotations = alert.annotations.iter();
        let annotations =
            annotations.map(|(name, value)| ((**name).to_owned(), (**value).to_owned()));
        Self {
            labels: pairs(labels),
            annotations: annotations.collect(),
            value: alert.value.to_bits(),
            resolved_value: alert.resolved_value.map(f64::to_bits),
            active: alert.state.active,
            report: SavedReport::of(alert.state.report),
            written: alert.written,
        }
    }

    pub(super) fn into_alert(self) -> (Labels, Alert) {
        let annotations = self.annotations.into_iter();
        let annotations = annotations.map(|(name, value)| (Arc::from(name), Arc::from(value)));
        let alert = Alert {
            state: State {
                active: self.active,
                report: self.report.map_or(Report::Silent, SavedReport::report),
            },
            annotations: annotations.collect(),
            value: f64::from_bits(self.value),
            resolved_value: self.resolved_value.map(f64::from_bits),
            written: self.written,
            returned: false,
            refreshed: false,
        };
        (Labels::new(self.labels), alert)
    }
}

impl SavedReport {
    fn of(report: Report) -> Option<Self> {
        match report {
            Report::Silent => None,
            Report::Open {
                starts_at,
                unknown_since,
            } => Some(Self {
                starts_at,
                ends_at: None,
                unknown_since,
            }),
            Report::Closed { starts_at, ends_at } => Some(Self {
                starts_at,
                ends_at: Some(ends_at),
                unknown_since: None,
            }),
        }
    }

    fn report(self) -> Report {
        let starts_at = self.starts_at;
        match self.ends_at {
            Some(ends_at) => Report::Closed { starts_at, ends_at },
            None => Report::Open {
                starts_at,
                unknown_since: self.unknown_since,
            },
        }
    }
}
