//! Functions of labels.

use super::{
    Evaluation,
    call::text,
    column::{Evaluated, Series, Steps},
    error::EvalError,
    names::join_same_labels,
};
use crate::{
    labels::{Labels, METRIC_NAME},
    matcher::MatchOp,
    re2::Replacer,
    syntax::{Call, Expr},
};

impl Evaluation<'_> {
    pub(super) fn label_replace(
        &mut self,
        call: &Call,
        steps: Steps,
    ) -> Result<Evaluated, EvalError> {
        let [destination, replacement, source, pattern] =
            [1, 2, 3, 4].map(|at| text(&call.args[at]));
        let replacer = Replacer::new(pattern).map_err(|error| {
            let message = format!("invalid regular expression in label_replace(): {error}");
            EvalError::execution(call.args[4].span(), message)
        })?;
        check_name(&call.args[1], "destination", call)?;
        let mut vector = self.vector(&call.args[0], steps)?;
        for series in &mut vector {
            let source = series.labels.get(source);
            if let Some(value) = replacer.replace(source, replacement) {
                relabel(series, destination, &value);
            }
        }
        Ok(Evaluated::Vector(join_same_labels(vector, call.span)?))
    }

    pub(super) fn label_join(&mut self, call: &Call, steps: Steps) -> Result<Evaluated, EvalError> {
        let [destination, separator] = [1, 2].map(|at| text(&call.args[at]));
        check_name(&call.args[1], "destination", call)?;
        for source in &call.args[3..] {
            check_name(source, "source", call)?;
        }
        let sources: Vec<&str> = call.args[3..].iter().map(text).collect();
        let mut vector = self.vector(&call.args[0], steps)?;
        for series in &mut vector {
            let values = sources.iter().map(|source| series.labels.get(source));
            let value = values.collect::<Vec<_>>().join(separator);
            relabel(series, destination, &value);
        }
        Ok(Evaluated::Vector(join_same_labels(vector, call.span)?))
    }
}

fn check_name(arg: &Expr, role: &str, call: &Call) -> Result<(), EvalError> {
    if !text(arg).is_empty() {
        return Ok(());
    }
    let name = call.function.name();
    let message = format!("invalid {role} label name in {name}(): \"\"");
    Err(EvalError::execution(arg.span(), message))
}

/// A name that is set on purpose is not taken away later.
fn relabel(series: &mut Series, name: &str, value: &str) {
    series.labels = series.labels.with(name, value);
    if name == METRIC_NAME {
        series.nameless = false;
    }
}

/// The labels that an absent series would have: those that the selector asks for by `=`, each once.
pub(super) fn of_absent(arg: &Expr) -> Labels {
    let selector = match arg {
        Expr::Selector(selector) => selector,
        Expr::Range(range) => &range.selector,
        _ => return Labels::empty(),
    };
    let mut known: Vec<&str> = Vec::new();
    let mut labels = Labels::empty();
    for matcher in selector.matchers.iter().map(|one| &one.matcher) {
        let name = matcher.name();
        if name == METRIC_NAME {
            continue;
        }
        if matcher.op() == MatchOp::Equal && !known.contains(&name) {
            labels = labels.with(name, matcher.value());
            known.push(name);
        } else {
            labels = labels.with(name, "");
        }
    }
    labels
}
