//! Rules about the queries of a panel.

use vigie_promql::MatchOp;

use super::Findings;
use crate::model::{Dashboard, Panel};
use crate::query::{self, Use};

const TO_RATES: [&str; 2] = ["rate", "irate"];
const TO_CHANGES: [&str; 3] = ["rate", "irate", "increase"];

fn is_loki(panel: Panel<'_>) -> bool {
    let of_target = panel
        .targets()
        .iter()
        .any(|target| target["datasource"]["type"] == "loki");
    of_target || panel.0["datasource"]["type"] == "loki"
}

/// Every expression, LogQL or PromQL, for which `problem` returns a text.
fn each(dashboard: &Dashboard, loki: bool, problem: impl Fn(&str) -> Option<String>) -> Findings {
    let mut findings = Vec::new();
    for panel in dashboard
        .panels()
        .into_iter()
        .filter(|panel| is_loki(*panel) == loki)
    {
        let problems = panel.expressions().into_iter().filter_map(&problem);
        findings.extend(problems.map(|problem| (panel.title().to_owned(), problem)));
    }
    findings
}

/// Every selector for which `bad` is true. Expressions that are not PromQL are reported by another rule.
fn selectors(dashboard: &Dashboard, bad: impl Fn(&Use) -> bool) -> Findings {
    each(dashboard, false, |text| {
        let uses = query::uses(&query::parse(text).ok()?);
        uses.iter().any(&bad).then(|| text.to_owned())
    })
}

/// There are no LogQL queries, since there is no parser for them here.
pub(super) fn logql(dashboard: &Dashboard) -> Findings {
    each(dashboard, true, |text| {
        Some(format!("LogQL is not checked: {text}"))
    })
}

/// Ranges in LogQL are `[$__auto]`.
pub(super) fn logql_auto(dashboard: &Dashboard) -> Findings {
    each(dashboard, true, |text| {
        let mut ranges = text.split('[').skip(1);
        ranges
            .any(|range| !range.starts_with("$__auto]"))
            .then(|| text.to_owned())
    })
}

/// The expression is PromQL.
pub(super) fn promql(dashboard: &Dashboard) -> Findings {
    each(dashboard, false, |text| query::parse(text).err())
}

/// Rates have the range `$__rate_interval`, which contains four scrapes at any zoom.
pub(super) fn rate_interval(dashboard: &Dashboard) -> Findings {
    selectors(dashboard, |used| {
        let Some(range) = &used.range else {
            return false;
        };
        let rate = range.function.is_some_and(|name| TO_RATES.contains(&name));
        rate && !range.is_rate_interval
    })
}

pub(super) fn job(dashboard: &Dashboard) -> Findings {
    matched_by(dashboard, "job", "$job")
}

pub(super) fn instance(dashboard: &Dashboard) -> Findings {
    matched_by(dashboard, "instance", "$instance")
}

/// Every selector has `label=~"$variable"`.
fn matched_by(dashboard: &Dashboard, label: &str, value: &str) -> Findings {
    selectors(dashboard, |used| {
        let mut matchers = used.matchers.iter();
        !matchers.any(|m| m.name() == label && m.op() == MatchOp::Match && m.value() == value)
    })
}

/// The absolute value of a counter is meaningless; only its rate or increase is shown.
pub(super) fn counter_agg(dashboard: &Dashboard) -> Findings {
    selectors(dashboard, |used| {
        let function = used.range.as_ref().and_then(|range| range.function);
        used.metric.ends_with("_total") && !function.is_some_and(|name| TO_CHANGES.contains(&name))
    })
}
