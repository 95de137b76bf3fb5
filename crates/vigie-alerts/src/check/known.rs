//! What there is to be read: metrics, their labels and bounds, and what recording rules make of them.

use std::collections::{BTreeMap, BTreeSet};

use super::labels::{self, Labels};
use super::thresholds;
use crate::rules::{RuleFile, RuleKind};

/// The metrics that rules may read.
#[derive(Clone, Debug, Default)]
pub struct Known {
    metrics: BTreeMap<String, Metric>,
    recorded: BTreeMap<String, Recorded>,
}

/// A metric as it is exposed.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Its type.
    pub kind: Kind,
    /// Its label names, `le` left out.
    pub labels: BTreeSet<String>,
    /// The bounds of a histogram's finite buckets, ascending.
    pub buckets: Vec<f64>,
    /// For a metric that is both a count and a level: which is which.
    pub states: Option<States>,
}

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A count that only grows.
    Counter,
    /// A level.
    Gauge,
    /// Series `_bucket`, `_sum` and `_count`, all of them counts.
    Histogram,
    /// Not said.
    Untyped,
}

/// A metric whose label tells whether a series is a count or a level.
#[derive(Clone, Debug)]
pub struct States {
    /// The label.
    pub label: String,
    /// Its values that are counts.
    pub counts: Vec<String>,
    /// Its values that are levels.
    pub levels: Vec<String>,
}

/// What a recording rule makes.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) labels: Labels,
    /// The bounds of the histogram whose quantile it is.
    pub(super) quantile: Option<thresholds::Quantile>,
}

/// A series name, looked up.
#[derive(Clone, Copy)]
pub(super) enum Series<'a> {
    /// A metric of its own name, or a part of a histogram.
    Of(&'a Metric),
    /// The buckets of a histogram, by its name.
    Bucket(&'a str, &'a Metric),
    Recorded(&'a Recorded),
    /// Made by Prometheus itself, all of them gauges.
    Prometheus,
}

/// What Prometheus makes without being told to.
const PROMETHEUS: [&str; 7] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
    "ALERTS",
    "ALERTS_FOR_STATE",
];

impl Known {
    /// Adds a metric.
    pub fn add(&mut self, name: impl Into<String>, metric: Metric) {
        self.metrics.insert(name.into(), metric);
    }

    /// Adds what the recording rules of a file make.
    pub fn learn(&mut self, file: &RuleFile) {
        let records = |rule: &&crate::Rule| matches!(rule.kind, RuleKind::Record { .. });
        // A rule may read what a later one records: all names first, with labels that are not known yet.
        for rule in file.rules().filter(records) {
            let unknown = Recorded {
                labels: Labels::any(),
                quantile: None,
            };
            self.recorded.insert(rule.name().to_string(), unknown);
        }
        for rule in file.rules().filter(records) {
            let mut labels = labels::of(&rule.expr.tree, self);
            for label in &rule.labels {
                if label.value.is_empty() {
                    labels.remove(&label.key);
                } else {
                    labels.insert(&label.key);
                }
            }
            let quantile = thresholds::quantile(&rule.expr.tree, self);
            let recorded = Recorded { labels, quantile };
            self.recorded.insert(rule.name().to_string(), recorded);
        }
    }

    /// What the series `name` is.
    pub(super) fn series(&self, name: &str) -> Option<Series<'_>> {
        if let Some(recorded) = self.recorded.get(name) {
            return Some(Series::Recorded(recorded));
        }
        if PROMETHEUS.contains(&name) {
            return Some(Series::Prometheus);
        }
        match self.metrics.get_key_value(name) {
            Some((_, metric)) if metric.kind != Kind::Histogram => return Some(Series::Of(metric)),
            _ => {}
        }
        let (base, part) = name.rsplit_once('_')?;
        let (base, metric) = self.metrics.get_key_value(base)?;
        match part {
            _ if metric.kind != Kind::Histogram => None,
            "bucket" => Some(Series::Bucket(base, metric)),
            "sum" | "count" => Some(Series::Of(metric)),
            _ => None,
        }
    }

    /// Whether `name` is a histogram, which has no series of that name itself.
    pub(super) fn is_histogram(&self, name: &str) -> bool {
        let metric = self.metrics.get(name);
        metric.is_some_and(|metric| metric.kind == Kind::Histogram)
    }

    /// The names of all series.
    pub(super) fn names(&self) -> Vec<String> {
        let metrics = self.metrics.iter().flat_map(|(name, metric)| {
            let parts: &[_] = match metric.kind {
                Kind::Histogram => &["_bucket", "_sum", "_count"],
                _ => &[""],
            };
            parts.iter().map(move |part| format!("{name}{part}"))
        });
        let others = self.recorded.keys().cloned();
        let prometheus = PROMETHEUS.map(str::to_owned);
        metrics.chain(others).chain(prometheus).collect()
    }
}
