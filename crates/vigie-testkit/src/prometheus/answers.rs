//! Answers of Prometheus' API.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

/// One series of an instant query's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The labels, with the name as `__name__`.
    pub labels: BTreeMap<String, String>,
    /// The value, which may be NaN or infinite.
    pub value: f64,
}

/// One series of a range query's result.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The labels, with the name as `__name__`.
    pub labels: BTreeMap<String, String>,
    /// Unix seconds and values, oldest first.
    pub values: Vec<(f64, f64)>,
}

/// The state of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its labels after relabelling.
    pub labels: BTreeMap<String, String>,
    /// Whether the last scrape succeeded; `None` before the first.
    pub up: Option<bool>,
    /// The error of the last scrape.
    pub error: String,
}

/// A loaded rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The name of the alert or the recorded metric.
    pub name: String,
    /// The expression, as formatted by Prometheus.
    pub query: String,
    /// The rule's own labels.
    pub labels: BTreeMap<String, String>,
    /// `ok`, `err`, or `unknown` before the first evaluation.
    pub health: String,
    /// The error of the last evaluation.
    pub error: String,
    /// `None` for a recording rule.
    pub alert: Option<Alerting>,
}

/// Properties of an alerting rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Alerting {
    /// `inactive`, `pending` or `firing`: the most severe state of its alerts.
    pub state: String,
    /// How long an alert stays pending (`for`).
    pub pending_for: Duration,
}

pub(super) fn samples(data: &Value) -> Option<Vec<Sample>> {
    let result = &data["result"];
    match data["resultType"].as_str()? {
        "vector" => {
            let sample = |one: &Value| {
                Some(Sample {
                    labels: labels(&one["metric"])?,
                    value: point(&one["value"])?.1,
                })
            };
            result.as_array()?.iter().map(sample).collect()
        }
        "scalar" => Some(vec![Sample {
            labels: BTreeMap::new(),
            value: point(result)?.1,
        }]),
        _ => None,
    }
}

pub(super) fn series(data: &Value) -> Option<Vec<Series>> {
    let series = |one: &Value| {
        Some(Series {
            labels: labels(&one["metric"])?,
            values: one["values"]
                .as_array()?
                .iter()
                .map(point)
                .collect::<Option<_>>()?,
        })
    };
    data["result"].as_array()?.iter().map(series).collect()
}

/// `[1435781451.781, "1"]`
fn point(pair: &Value) -> Option<(f64, f64)> {
    Some((pair[0].as_f64()?, pair[1].as_str()?.parse().ok()?))
}

pub(super) fn target(target: &Value) -> Option<Target> {
    Some(Target {
        labels: labels(&target["labels"])?,
        up: match target["health"].as_str()? {
            "up" => Some(true),
            "down" => Some(false),
            _ => None,
        },
        error: text(&target["lastError"]),
    })
}

pub(super) fn rule(rule: &Value) -> Option<Rule> {
    let alert = match rule["type"].as_str()? {
        "alerting" => Some(Alerting {
            state: rule["state"].as_str()?.to_owned(),
            pending_for: Duration::try_from_secs_f64(rule["duration"].as_f64()?).ok()?,
        }),
        _ => None,
    };
    Some(Rule {
        name: rule["name"].as_str()?.to_owned(),
        query: rule["query"].as_str()?.to_owned(),
        // Omitted if empty.
        labels: labels(&rule["labels"]).unwrap_or_default(),
        health: rule["health"].as_str()?.to_owned(),
        error: text(&rule["lastError"]),
        alert,
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// An object with string values.
pub(crate) fn labels(object: &Value) -> Option<BTreeMap<String, String>> {
    let pairs = object.as_object()?.iter();
    pairs
        .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}
