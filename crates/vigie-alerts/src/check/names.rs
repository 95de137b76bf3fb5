//! Finds metrics, labels and values that do not exist: they select nothing, so the alert cannot fire.

use vigie_promql::MatchOp;
use vigie_promql::syntax::{
    Aggregate, Expr, LabelMatcher, Left, Name, Operation, Selector, Side, Visitor,
};

use super::known::{Known, Metric, Series};
use super::labels::{self, Labels};
use crate::finding::Finding;
use crate::lint::Lint;
use crate::suggest::{did_you_mean, listed};

pub(super) struct Names<'k> {
    known: &'k Known,
    pub(super) findings: Vec<Finding>,
}

impl<'k> Names<'k> {
    pub(super) fn new(known: &'k Known) -> Self {
        Self {
            known,
            findings: Vec::new(),
        }
    }

    fn unknown_metric(&mut self, selector: &Selector, name: &str) {
        let span = match &selector.name {
            Some(name) => name.span,
            None => selector.span,
        };
        let title = format!("unknown metric `{name}`");
        let finding = Finding::new(Lint::UnknownMetric, span.range(), title, "selects nothing");
        let help = if self.known.is_histogram(name) {
            Some(format!(
                "a histogram has `{name}_bucket`, `{name}_sum` and `{name}_count`"
            ))
        } else {
            let names = self.known.names();
            did_you_mean(name, names.iter().map(String::as_str))
        };
        self.findings.push(finding.help(help));
    }

    fn matcher(&mut self, given: &LabelMatcher, labels: &Labels, series: Series<'_>) {
        let matcher = &given.matcher;
        let name = matcher.name();
        if name == "__name__" {
            return;
        }
        if !labels.has(name) {
            self.unknown_label(given.span.range(), name, labels);
        }
        match series {
            Series::Of(metric) => self.state(given, metric),
            Series::Bucket(base, metric) if name == "le" => self.bound(given, base, metric),
            _ => {}
        }
    }

    /// Reports a value that the label never has.
    fn state(&mut self, given: &LabelMatcher, metric: &Metric) {
        let Some(states) = &metric.states else {
            return;
        };
        let matcher = &given.matcher;
        let positive = matches!(matcher.op(), MatchOp::Equal | MatchOp::Match);
        let mut values = states.counts.iter().chain(&states.levels);
        if matcher.name() != states.label || !positive || values.any(|value| matcher.matches(value))
        {
            return;
        }
        let values = || {
            states
                .counts
                .iter()
                .chain(&states.levels)
                .map(String::as_str)
        };
        let title = format!("`{}` is never {:?}", states.label, matcher.value());
        let label = format!("possible values: {}", listed(values(), "and"));
        let finding = Finding::new(Lint::UnknownValue, given.span.range(), title, label);
        let help = did_you_mean(matcher.value(), values());
        self.findings.push(finding.help(help));
    }

    fn bound(&mut self, given: &LabelMatcher, base: &str, metric: &Metric) {
        let value = given.matcher.value();
        let exists = value
            .parse::<f64>()
            .is_ok_and(|bound| bound == f64::INFINITY || metric.buckets.contains(&bound));
        if given.matcher.op() != MatchOp::Equal || exists {
            return;
        }
        let title = format!("`{base}` has no bucket {value:?}");
        let bounds: Vec<_> = metric.buckets.iter().map(f64::to_string).collect();
        let label = format!("buckets: {} and +Inf", bounds.join(", "));
        self.findings.push(Finding::new(
            Lint::UnknownValue,
            given.span.range(),
            title,
            label,
        ));
    }

    fn unknown_label(&mut self, span: std::ops::Range<usize>, name: &str, labels: &Labels) {
        let title = format!("unknown label `{name}`");
        let finding = Finding::new(Lint::UnknownLabel, span, title, labels.described());
        let help = did_you_mean(name, labels.candidates());
        self.findings.push(finding.help(help));
    }

    fn name(&mut self, name: &Name, labels: &Labels) {
        if !labels.has(&name.text) {
            self.unknown_label(name.span.range(), &name.text, labels);
        }
    }
}

impl<'a> Visitor<'a> for Names<'_> {
    fn selector(&mut self, selector: &'a Selector, _ancestors: &[&'a Expr]) {
        let Some(name) = selector.metric() else {
            return;
        };
        let Some(series) = self.known.selected(selector) else {
            self.unknown_metric(selector, name);
            return;
        };
        let labels = labels::selected(selector, self.known);
        for matcher in &selector.matchers {
            self.matcher(matcher, &labels, series);
        }
    }

    fn aggregate(&mut self, aggregate: &'a Aggregate, _ancestors: &[&'a Expr]) {
        if let Some(grouping) = &aggregate.grouping {
            let labels = labels::of(&aggregate.expr, self.known);
            for name in &grouping.labels {
                self.name(name, &labels);
            }
        }
    }

    fn operation(&mut self, left: Left<'a>, operation: &'a Operation, _ancestors: &[&'a Expr]) {
        let Some(matching) = &operation.matching else {
            return;
        };
        let right = labels::of(&operation.rhs, self.known);
        let left = left.expr().map(|left| labels::of(left, self.known));
        let left = left.unwrap_or_else(Labels::any);
        for name in &matching.labels {
            let on_either = left.has(&name.text) || right.has(&name.text);
            // An ignored label may be on one side only: that is its purpose.
            if matching.on || !on_either {
                let side = if left.has(&name.text) { &right } else { &left };
                self.name(name, side);
            }
        }
        if let Some(group) = &matching.group {
            let one = match group.many {
                Side::Left => &right,
                Side::Right => &left,
            };
            for name in &group.include {
                self.name(name, one);
            }
        }
    }
}
