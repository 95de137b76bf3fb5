//! Records the metrics of the rules.

use std::collections::BTreeSet;
use std::time::Duration;

use vigie_alerts::engine::Time;
use vigie_metrics::{Counter, Family, Gauge, Registry};

use super::metrics;
use super::published::{Counts, Id};

/// The result of the evaluation of a group.
pub(super) struct Outcome {
    pub(super) at: Time,
    pub(super) took: Duration,
    /// The evaluations missed before it.
    pub(super) missed: u64,
    pub(super) rules: usize,
    pub(super) failures: usize,
    pub(super) template_failures: usize,
    pub(super) refused: usize,
}

/// The metrics of the rules.
#[derive(Clone)]
pub(super) struct Recorder {
    evaluations: Family<Counter, 1>,
    failures: Family<Counter, 1>,
    missed: Family<Counter, 1>,
    duration: Family<Gauge, 1>,
    interval: Family<Gauge, 1>,
    last: Family<Gauge, 1>,
    alerts: Family<Gauge, 1>,
    refused: Family<Counter, 0>,
    template_failures: Family<Counter, 0>,
    disk_up: Family<Gauge, 0>,
    reload_successful: Family<Gauge, 0>,
    reload_time: Family<Gauge, 0>,
}

impl Recorder {
    pub(super) fn new(registry: &Registry) -> Self {
        let recorder = Self {
            evaluations: registry.family(&metrics::RULE_EVALUATIONS),
            failures: registry.family(&metrics::RULE_EVALUATION_FAILURES),
            missed: registry.family(&metrics::RULE_GROUP_MISSED),
            duration: registry.family(&metrics::RULE_GROUP_DURATION),
            interval: registry.family(&metrics::RULE_GROUP_INTERVAL),
            last: registry.family(&metrics::RULE_GROUP_LAST_EVALUATION),
            alerts: registry.family(&metrics::RULE_ALERTS),
            refused: registry.family(&metrics::RULE_ALERTS_REFUSED),
            template_failures: registry.family(&metrics::RULE_TEMPLATE_FAILURES),
            disk_up: registry.family(&metrics::RULE_STATE_DISK_UP),
            reload_successful: registry.family(&metrics::RELOAD_SUCCESSFUL),
            reload_time: registry.family(&metrics::RELOAD_SUCCESS_TIME),
        };
        recorder.refused.add([], 0);
        recorder.template_failures.add([], 0);
        recorder
    }

    /// Records the evaluation of a group, and the number of all alerts after it.
    pub(super) fn evaluated(&self, id: &Id, outcome: &Outcome, alerts: Counts) {
        let group = &*label(id);
        self.evaluations.add([group], count(outcome.rules));
        self.failures.add([group], count(outcome.failures));
        self.missed.add([group], outcome.missed);
        self.duration.set([group], outcome.took.as_secs_f64());
        self.last.set([group], outcome.at as f64 / 1e3);
        self.refused.add([], count(outcome.refused));
        self.template_failures
            .add([], count(outcome.template_failures));
        for (state, alerts) in [
            ("pending", alerts.pending),
            ("firing", alerts.firing),
            ("unknown", alerts.unknown),
        ] {
            self.alerts.set([state], alerts as f64);
        }
    }

    /// Records alerts that were refused outside of an evaluation.
    pub(super) fn refused(&self, alerts: usize) {
        self.refused.add([], count(alerts));
    }

    /// Records the interval of a group.
    pub(super) fn interval(&self, id: &Id, interval: Duration) {
        self.interval.set([&*label(id)], interval.as_secs_f64());
    }

    /// Removes the series of groups that no longer exist.
    pub(super) fn forget<'a>(&self, gone: impl Iterator<Item = &'a Id>) {
        let gone: BTreeSet<String> = gone.map(label).collect();
        if gone.is_empty() {
            return;
        }
        let keep = |[group]: [&str; 1]| !gone.contains(group);
        for family in [&self.evaluations, &self.failures, &self.missed] {
            family.retain(keep);
        }
        for family in [&self.duration, &self.interval, &self.last] {
            family.retain(keep);
        }
    }

    /// Records whether the state can be written; `None` if it is not kept on disk.
    pub(super) fn state_is_up(&self, is_up: Option<bool>) {
        if let Some(is_up) = is_up {
            self.disk_up.set([], f64::from(u8::from(is_up)));
        }
    }

    /// Records the time of a successful reload, or a failed one.
    pub(super) fn reloaded(&self, at: Option<Time>) {
        let success = f64::from(u8::from(at.is_some()));
        self.reload_successful.set([], success);
        if let Some(at) = at {
            self.reload_time.set([], at as f64 / 1e3);
        }
    }
}

/// As in Prometheus.
fn label((file, name): &Id) -> String {
    format!("{file};{name}")
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
