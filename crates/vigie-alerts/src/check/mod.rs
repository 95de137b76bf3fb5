//! Finds rules that Prometheus accepts and that never fire, or fire without cause.

mod counters;
mod known;
mod labels;
mod names;
mod subset;
mod templates;
#[cfg(test)]
mod tests;
mod thresholds;

use vigie_promql::Expr;
use vigie_promql::syntax::{ValueType, walk};

use crate::finding::{Finding, Span};
use crate::lint::Lint;
use crate::rules::{Rule, RuleFile};
pub use known::{Kind, Known, Metric, States};

/// Checks rules against the known metrics. The recording rules of the file are known, too.
#[must_use]
pub fn check(file: &RuleFile, known: &Known) -> Vec<Finding> {
    let mut known = known.clone();
    known.learn(file);
    let mut findings = Vec::new();
    for key in file.groups.iter().flat_map(|group| &group.newer) {
        findings.push(subset::newer_key(key));
    }
    for rule in file.rules() {
        check_rule(rule, &known, &mut findings);
    }
    findings.sort_by_key(|finding| finding.span.start);
    findings
}

fn check_rule(rule: &Rule, known: &Known, findings: &mut Vec<Finding>) {
    let text = &rule.expr.text;
    let value_type = rule.expr.tree.value_type();
    if matches!(value_type, ValueType::Matrix | ValueType::String) {
        let title = format!("the result is {}", value_type.described());
        let label = "each evaluation fails";
        findings.push(Finding::new(Lint::ResultType, text.span(), title, label));
    }
    for finding in check_expr(&rule.expr.tree, text, known) {
        findings.push(moved(finding, |span| text.locate(span)));
    }
    let labels = labels::of(&rule.expr.tree, known);
    for entry in rule.entries() {
        let Some(template) = &entry.template else {
            continue;
        };
        for finding in templates::check(template, &entry.value, &labels, known) {
            findings.push(moved(finding, |span| entry.value.locate(span)));
        }
    }
}

/// The findings of one expression; their spans are positions in `text`, its source.
fn check_expr(tree: &Expr, text: &str, known: &Known) -> Vec<Finding> {
    let mut names = names::Names::new(known);
    walk(tree, &mut names);
    let mut counters = counters::Counters::new(known);
    walk(tree, &mut counters);
    let mut thresholds = thresholds::Thresholds::new(known);
    walk(tree, &mut thresholds);
    let mut subset = subset::Subset::new(text);
    walk(tree, &mut subset);
    let mut findings = names.findings;
    findings.extend(counters.findings);
    findings.extend(thresholds.findings);
    findings.extend(subset.findings);
    findings
}

/// The finding with its spans translated.
fn moved(mut finding: Finding, locate: impl Fn(Span) -> Span) -> Finding {
    finding.span = locate(finding.span);
    finding.also = finding.also.map(|(span, what)| (locate(span), what));
    finding
}
