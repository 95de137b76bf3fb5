//! Functions that read or change labels.

use super::{
    Evaluation,
    call::text,
    column::{ABSENT, Evaluated, Series, Steps, is_absent},
    error::EvalError,
    meter::Cost,
    names::merge_same_labels,
};
use crate::{
    labels::{Labels, METRIC_NAME},
    matcher::MatchOp,
    re2::Replacer,
    syntax::{Call, Expr},
};

/// The longest label value that `label_replace` accepts, in bytes. A match cannot be interrupted and takes time
/// proportional to the lengths of the value and of the regular expression.
const MAX_SOURCE: usize = 64 << 10;

impl Evaluation<'_> {
    pub(super) fn label_replace(
        &mut self,
        call: &Call,
        steps: Steps,
    ) -> Result<Evaluated, EvalError> {
        let [destination, replacement, source, pattern] =
            [1, 2, 3, 4].map(|at| text(&call.args[at]));
        check_name(&call.args[1], "destination", call)?;
        let mut vector = self.vector(&call.args[0], steps)?;
        // Compiled after the argument is evaluated, so that nested calls hold one compiled expression at a time.
        let replacer = Replacer::new(pattern).map_err(|error| {
            let message = format_args!("invalid regular expression in label_replace(): {error}");
            EvalError::execution(call.args[4].span(), message)
        })?;
        self.meter.check()?;
        let references = replacement.bytes().filter(|&byte| byte == b'$').count();
        for series in &mut vector {
            let from = series.labels().get(source);
            if from.len() > MAX_SOURCE {
                let message = format_args!(
                    "label_replace() matches at most {MAX_SOURCE} bytes, the label {source:?} has {}",
                    from.len()
                );
                return Err(EvalError::execution(call.args[3].span(), message));
            }
            self.meter.work(series.label_work() + from.len())?;
            // Each reference expands to at most the whole source.
            let longest = replacement
                .len()
                .saturating_add(references.saturating_mul(from.len()));
            self.meter
                .check_available(Cost::bytes(longest.saturating_mul(2)))?;
            if let Some(value) = replacer.replace(from, replacement) {
                self.relabel(series, destination, &value)?;
            }
        }
        self.joined(vector, call)
    }

    pub(super) fn label_join(&mut self, call: &Call, steps: Steps) -> Result<Evaluated, EvalError> {
        let [destination, separator] = [1, 2].map(|at| text(&call.args[at]));
        check_name(&call.args[1], "destination", call)?;
        for source in &call.args[3..] {
            check_name(source, "source", call)?;
        }
        let sources: Vec<&str> = call.args[3..].iter().map(text).collect();
        let separators = separator
            .len()
            .saturating_mul(sources.len().saturating_sub(1));
        let mut vector = self.vector(&call.args[0], steps)?;
        let mut value = String::new();
        for series in &mut vector {
            let labels = series.labels();
            let lengths = sources.iter().map(|source| labels.get(source).len());
            let length = lengths.fold(separators, usize::saturating_add);
            self.meter.work(series.label_work() + length / 8)?;
            self.meter
                .check_available(Cost::bytes(length.saturating_mul(2)))?;
            value.clear();
            for (at, source) in sources.iter().enumerate() {
                self.meter.work(1 + labels.len())?;
                if at > 0 {
                    value.push_str(separator);
                }
                value.push_str(labels.get(source));
            }
            self.relabel(series, destination, &value)?;
        }
        self.joined(vector, call)
    }

    /// Sets a label, or removes it if `value` is empty. A metric name set here is not removed later.
    fn relabel(&self, series: &mut Series, name: &str, value: &str) -> Result<(), EvalError> {
        let before = series.overhead();
        series.relabel(series.labels().with(name, value));
        if name == METRIC_NAME {
            series.drops_name = false;
        }
        let allocated = series.overhead().saturating_sub(before);
        self.meter.charge(Cost::bytes(allocated))
    }

    fn joined(&self, vector: Vec<Series>, call: &Call) -> Result<Evaluated, EvalError> {
        let vector = merge_same_labels(vector, call.span, &self.meter)?;
        Ok(Evaluated::Vector(vector))
    }

    /// `absent` and `absent_over_time` of `arg`: one series of value 1 at the steps where no series of `found` has a
    /// value.
    pub(super) fn absent_of(
        &self,
        found: &[Series],
        arg: &Expr,
        steps: Steps,
    ) -> Result<Series, EvalError> {
        self.meter.charge(Cost::column(steps.count))?;
        let mut column = vec![1.0; steps.count];
        for series in found {
            self.meter.work(8 + steps.count)?;
            for (value, &present) in column.iter_mut().zip(&series.values) {
                if !is_absent(present) {
                    *value = ABSENT;
                }
            }
            for (step, _) in series.histograms.iter() {
                column[step] = ABSENT;
            }
        }
        let series = Series::new(self.labels_of_absent(arg)?, column);
        self.meter.charge(Cost::bytes(series.overhead()))?;
        Ok(series)
    }

    /// The labels of an absent series: those set by an `=` matcher and not matched again later in the selector.
    fn labels_of_absent(&self, arg: &Expr) -> Result<Labels, EvalError> {
        let selector = match arg {
            Expr::Selector(selector) => selector,
            Expr::Range(range) => &range.selector,
            _ => return Ok(Labels::empty()),
        };
        let mut seen: Vec<&str> = Vec::new();
        let mut labels = Labels::empty();
        for matcher in selector.matchers.iter().map(|one| &one.matcher) {
            self.meter.work(1 + seen.len() + labels.len())?;
            let name = matcher.name();
            if name == METRIC_NAME {
                continue;
            }
            if matcher.op() == MatchOp::Equal && !seen.contains(&name) {
                labels = labels.with(name, matcher.value());
                seen.push(name);
            } else {
                labels = labels.with(name, "");
            }
        }
        Ok(labels)
    }
}

fn check_name(arg: &Expr, role: &str, call: &Call) -> Result<(), EvalError> {
    if !text(arg).is_empty() {
        return Ok(());
    }
    let name = call.function.name();
    let message = format_args!("invalid {role} label name in {name}(): \"\"");
    Err(EvalError::execution(arg.span(), message))
}
