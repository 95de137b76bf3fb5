//! What there is to be read: metrics, their labels and bounds, and what recording rules make of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vigie_promql::MatchOp;
use vigie_promql::syntax::Selector;

use super::labels::{self, Labels};
use super::thresholds;
use crate::rules::{RuleFile, RuleKind};

/// The metrics that rules may read.
#[derive(Clone, Debug)]
pub struct Known {
    metrics: BTreeMap<String, Metric>,
    recorded: BTreeMap<String, Recorded>,
    /// Names of series of other exporters.
    declared: BTreeSet<String>,
    /// Prefixes of such names.
    prefixes: BTreeSet<String>,
    /// Labels that scraping adds to each series.
    pub(super) target_labels: Arc<BTreeSet<String>>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            metrics: BTreeMap::new(),
            recorded: BTreeMap::new(),
            declared: BTreeSet::new(),
            prefixes: BTreeSet::new(),
            target_labels: Arc::new(TARGET_LABELS.map(str::to_owned).into()),
        }
    }
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
    /// Another exporter's: only its name is known.
    Foreign,
}

/// The part of a `job` that identifies this program's own metrics.
const JOB: &str = "vigie";

/// The labels that service discovery usually adds.
const TARGET_LABELS: [&str; 14] = [
    "job",
    "instance",
    "namespace",
    "pod",
    "container",
    "endpoint",
    "service",
    "node",
    "cluster",
    "env",
    "environment",
    "region",
    "zone",
    "replica",
];

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

    /// Adds a series of another exporter, of which only the name is known.
    pub fn declare_metric(&mut self, name: impl Into<String>) {
        self.declared.insert(name.into());
    }

    /// Adds all series of other exporters whose names begin with `prefix`.
    pub fn declare_prefix(&mut self, prefix: impl Into<String>) {
        self.prefixes.insert(prefix.into());
    }

    /// Adds a label that scraping adds to each series.
    pub fn declare_target_label(&mut self, name: impl Into<String>) {
        Arc::make_mut(&mut self.target_labels).insert(name.into());
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

    /// The series that a selector with a metric name selects. A series of our metrics that another `job` exposes is not ours.
    pub(super) fn selected(&self, selector: &Selector) -> Option<Series<'_>> {
        let name = selector.metric()?;
        match self.series(name) {
            Some(Series::Of(_) | Series::Bucket(..)) if has_other_job(selector) => {
                Some(Series::Foreign)
            }
            None if self.is_declared(name) => Some(Series::Foreign),
            found => found,
        }
    }

    fn is_declared(&self, name: &str) -> bool {
        self.declared.contains(name)
            || self
                .prefixes
                .iter()
                .any(|prefix| name.starts_with(prefix.as_str()))
    }

    fn series(&self, name: &str) -> Option<Series<'_>> {
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
        let others = self.recorded.keys().chain(&self.declared).cloned();
        let prometheus = PROMETHEUS.map(str::to_owned);
        metrics.chain(others).chain(prometheus).collect()
    }
}

/// Whether a selector asks for a `job` that is not Vigie's.
fn has_other_job(selector: &Selector) -> bool {
    let mut matchers = selector.matchers.iter().map(|given| &given.matcher);
    matchers.any(|matcher| {
        let positive = matches!(matcher.op(), MatchOp::Equal | MatchOp::Match);
        matcher.name() == "job"
            && !matcher.matches(JOB)
            && !(positive && matcher.value().contains(JOB))
    })
}
