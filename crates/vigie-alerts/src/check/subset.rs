//! Finds syntax that is newer than Prometheus 2.42, which refuses the whole file.

use vigie_promql::syntax::{
    Aggregate, Call, Duration, Expr, Fill, Function, Left, Name, Operation, RangeSelector,
    Selector, Shift, Span, Subquery, Visitor,
};

use crate::finding::Finding;
use crate::lint::Lint;
use crate::rules::duration;
use crate::yaml::Text;

const LABEL: &str = "Prometheus 2.42 refuses the whole file for it";

/// A key of a group that is newer.
pub(super) fn newer_key(key: &Text) -> Finding {
    let title = format!("`{}` in a group needs a newer Prometheus", &**key);
    Finding::new(Lint::NewerPrometheus, key.span(), title, LABEL)
}

pub(super) struct Subset<'t> {
    text: &'t str,
    pub(super) findings: Vec<Finding>,
}

impl<'t> Subset<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            findings: Vec::new(),
        }
    }

    fn newer(&mut self, span: Span, what: &str, help: &str) {
        let title = format!("{what} needs a newer Prometheus");
        let finding = Finding::new(Lint::NewerPrometheus, span.range(), title, LABEL);
        self.findings.push(finding.help(help.to_owned()));
    }

    fn experimental(&mut self, span: Span, what: &str) {
        let help = "Prometheus 3 has it behind a feature flag";
        self.newer(span, what, help);
    }

    fn duration(&mut self, duration: &Duration, may_be_negative: bool) {
        let text = duration.span.text(self.text).trim();
        let text = match text.strip_prefix('-') {
            Some(rest) if may_be_negative => rest.trim_start(),
            _ => text,
        };
        let number = text.starts_with(|c: char| c.is_ascii_digit());
        if number && text.chars().all(|c| c.is_ascii_digit() || c == '.') {
            self.newer(
                duration.span,
                "a duration without a unit",
                "write it as in 300s or 5m",
            );
        } else if duration::parse(text).is_none() {
            self.newer(
                duration.span,
                "a computed duration",
                "write it as in 5m or 1h30m",
            );
        }
    }

    fn shift(&mut self, shift: &Shift) {
        if let Some(offset) = &shift.offset {
            self.duration(offset, true);
        }
    }

    fn name(&mut self, span: Span) {
        if span.text(self.text).starts_with(['"', '\'', '`']) {
            let help = "write the name without quotes";
            self.newer(span, "a name in quotes", help);
        }
    }

    fn names(&mut self, names: &[Name]) {
        for name in names {
            self.name(name.span);
        }
    }
}

impl<'a> Visitor<'a> for Subset<'_> {
    fn expr(&mut self, expr: &'a Expr, _ancestors: &[&'a Expr]) {
        if let Expr::Number(number) = expr {
            if number.duration {
                let help = "write the number of seconds";
                self.newer(number.span, "a duration as a number", help);
            } else if number.span.text(self.text).contains('_') {
                self.newer(number.span, "a number with `_`", "leave the `_` out");
            }
        }
    }

    fn selector(&mut self, selector: &'a Selector, _ancestors: &[&'a Expr]) {
        if let Some(name) = &selector.name {
            self.name(name.span);
        }
        for matcher in &selector.matchers {
            self.name(matcher.span);
            if let Some(syntax) = matcher.matcher.newer_syntax() {
                let what = format!("{syntax} in a regular expression");
                let help = "write `(?P<name>…)`, `\\Q…\\E` and older classes";
                self.newer(matcher.span, &what, help);
            }
        }
        if let Some(extension) = selector.extension {
            self.experimental(selector.span, extension.text());
        }
        self.shift(&selector.shift);
    }

    fn range(&mut self, range: &'a RangeSelector, _ancestors: &[&'a Expr]) {
        self.duration(&range.range, false);
    }

    fn subquery(&mut self, subquery: &'a Subquery, _ancestors: &[&'a Expr]) {
        self.duration(&subquery.range, false);
        if let Some(step) = &subquery.step {
            self.duration(step, false);
        }
        self.shift(&subquery.shift);
    }

    fn call(&mut self, call: &'a Call, _ancestors: &[&'a Expr]) {
        if call.function.is_experimental() {
            self.experimental(call.name_span, &format!("{}()", call.function.name()));
        }
        let help = match call.function {
            Function::FirstOverTime => "use `x offset 5m`, which is similar",
            Function::HistogramAvg | Function::HistogramStddev | Function::HistogramStdvar => {
                "it applies to native histograms"
            }
            _ => return,
        };
        let what = format!("{}()", call.function.name());
        self.newer(call.name_span, &what, help);
    }

    fn aggregate(&mut self, aggregate: &'a Aggregate, _ancestors: &[&'a Expr]) {
        if aggregate.op.is_experimental() {
            self.experimental(aggregate.span, &format!("{}()", aggregate.op.text()));
        }
        if let Some(grouping) = &aggregate.grouping {
            self.names(&grouping.labels);
        }
    }

    fn operation(&mut self, _left: Left<'a>, operation: &'a Operation, _ancestors: &[&'a Expr]) {
        if operation.op.is_trim() {
            let what = format!("the operator {}", operation.op.text());
            self.newer(operation.op_span, &what, "it applies to native histograms");
        }
        if operation.fill != Fill::default() {
            self.experimental(operation.op_span, "fill");
        }
        if let Some(matching) = &operation.matching {
            self.names(&matching.labels);
            if let Some(group) = &matching.group {
                self.names(&group.include);
            }
        }
    }
}
