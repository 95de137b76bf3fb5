//! A group, its samples and its sources.

use std::cell::Cell;
use std::time::Duration;

use vigie_promql::script::notation::{self, Point};
use vigie_promql::storage::Selection;
use vigie_promql::{Expr, Labels, Matcher, Sample, Value};

use super::super::*;
use crate::load;
use crate::unit::Samples;

/// Samples in memory, with sources that may be unreadable.
#[derive(Default)]
pub(super) struct World {
    pub(super) samples: Samples,
    /// The metrics that cannot be read, since when.
    pub(super) unreadable: Vec<(String, Time)>,
    /// The error of every query.
    pub(super) broken: Option<String>,
    /// The alerts that may still be added; `None` is unlimited.
    pub(super) room: Cell<Option<usize>>,
}

impl World {
    /// Loads series in the notation of promtool, with `step` milliseconds between points.
    pub(super) fn load(&mut self, step: i64, lines: &[&str]) {
        for line in lines {
            let (labels, points) = notation::series(line).unwrap();
            for (at, point) in points.into_iter().enumerate() {
                if let Point::Value(value) = point {
                    let time = at as i64 * step;
                    self.samples
                        .insert(&labels, Sample { time, value })
                        .unwrap();
                }
            }
        }
    }

    /// The result of a query, as text, one series a line.
    pub(super) fn query(&self, query: &str, at: Time) -> Vec<String> {
        let expr = vigie_promql::parse(query).unwrap();
        match self.samples.query(&expr, at).unwrap() {
            Value::Vector(samples) => {
                let lines = samples.iter();
                let lines = lines.map(|one| format!("{} {}", one.labels, one.value));
                let mut lines: Vec<_> = lines.collect();
                lines.sort();
                lines
            }
            value => vec![format!("{value:?}")],
        }
    }
}

impl Context for World {
    fn query(&self, expr: &Expr, at: Time) -> Result<Value, String> {
        match &self.broken {
            Some(error) => Err(error.clone()),
            None => self.samples.query(expr, at),
        }
    }

    fn write(&mut self, samples: &[super::super::Sample]) -> Result<(), String> {
        self.samples.write(samples)
    }

    fn unreadable_since(&self, matchers: &[Matcher], _at: Time) -> Option<Time> {
        let reads = |metric: &str| {
            let mut matchers = matchers.iter();
            matchers.any(|matcher| matcher.name() == "__name__" && matcher.matches(metric))
        };
        let found = self.unreadable.iter().find(|(metric, _)| reads(metric));
        found.map(|(_, since)| *since)
    }

    fn has_series(&self, selection: &Selection<'_>) -> bool {
        self.samples.has_series(selection)
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn admit(&self, _of_rule: usize) -> bool {
        let room = self.room.get();
        self.room.set(room.map(|room| room.saturating_sub(1)));
        room != Some(0)
    }
}

/// The only group of a file.
pub(super) fn group(file: &str) -> Group {
    group_with(file, &Defaults::default())
}

pub(super) fn group_with(file: &str, defaults: &Defaults) -> Group {
    let loaded = load(file);
    assert_eq!(loaded.findings, []);
    Group::new("rules.yml", &loaded.rules.groups[0], defaults)
}

/// A group of the rules, each a YAML flow mapping.
pub(super) fn rules(rules: &[&str]) -> Group {
    let rules: Vec<_> = rules.iter().map(|rule| format!("{{{rule}}}")).collect();
    group(&format!(
        "groups: [{{name: g, interval: 1m, rules: [{}]}}]",
        rules.join(", ")
    ))
}

/// An update in short: the state, the labels without `alertname`, the start in seconds.
pub(super) fn short(update: &Update) -> String {
    let state = match (update.ends_at, update.unknown_since) {
        (Some(_), _) => "resolved",
        (None, Some(_)) => "unknown",
        (None, None) => "firing",
    };
    let labels = update
        .labels
        .iter()
        .filter(|(name, _)| *name != "alertname");
    let labels: Vec<_> = labels
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{state} {} {}", labels.join(","), update.starts_at / 1_000).replace("  ", " ")
}

pub(super) fn shorts(evaluation: &Evaluation) -> Vec<String> {
    evaluation.updates.iter().map(short).collect()
}

/// Labels from pairs.
pub(super) fn labels(pairs: &[(&str, &str)]) -> Labels {
    Labels::new(pairs.iter().copied())
}
