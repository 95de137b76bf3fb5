//! The metrics of checks.

use std::collections::HashSet;

use crate::metrics;
use vigie_metrics::{Family, Gauge, Registry};

use crate::report::Report;
use crate::state::{Status, Verdict};

/// The metric families of verdicts.
#[derive(Clone)]
pub(crate) struct Published {
    up: Family<Gauge, 1>,
    duration: Family<Gauge, 1>,
    last_success: Family<Gauge, 1>,
    source_up: Family<Gauge, 1>,
}

impl Published {
    pub(crate) fn new(registry: &Registry) -> Self {
        Self {
            up: registry.family(&metrics::CHECK_UP),
            duration: registry.family(&metrics::CHECK_DURATION),
            last_success: registry.family(&metrics::CHECK_LAST_SUCCESS),
            source_up: registry.family(&vigie_metrics::own::SOURCE_UP),
        }
    }

    /// Publishes one verdict. Values that are not known yet have no series.
    pub(crate) fn verdict(&self, name: &str, verdict: &Verdict) {
        match is_up(verdict) {
            Some(up) => self.up.set([name], up),
            None => self.up.forget([name]),
        }
        if let Some(duration) = verdict.duration {
            self.duration.set([name], duration.as_secs_f64());
        }
        if let Some(passed) = verdict.last_success {
            let millis = passed.wall.as_millisecond();
            self.last_success.set([name], millis as f64 / 1_000.0);
        }
    }

    /// Publishes whether a source answers, if a check determines it.
    pub(crate) fn source(&self, source: &str, verdict: &Verdict) {
        if let Some(up) = is_up(verdict) {
            self.source_up.set([source], up);
        }
    }

    /// Publishes all parts of groups, and removes the parts that no longer exist.
    pub(crate) fn parts(&self, report: &Report) {
        let mut known = HashSet::new();
        for entry in &report.entries {
            for (part, verdict) in entry.parts.iter().flatten() {
                let name = format!("{}/{part}", entry.name);
                self.verdict(&name, verdict);
                known.insert(name);
            }
        }
        let is_part = |name: &str| report.entries.iter().any(|entry| entry.owns(name));
        for family in [&self.up, &self.duration, &self.last_success] {
            family.retain(|[name]| !is_part(name) || known.contains(name));
        }
    }
}

fn is_up(verdict: &Verdict) -> Option<f64> {
    match verdict.status {
        Status::Pending => None,
        Status::Ok => Some(1.0),
        Status::Failed => Some(0.0),
    }
}
