//! The threshold of a quantile must be a bucket boundary: between two boundaries `histogram_quantile()` interpolates
//! linearly, and beyond the last one it returns the last one.

use vigie_promql::syntax::{
    AggregateOp, BinaryOp, Expr, Function, Left, Operation, Selector, Visitor,
};

use super::known::{Known, Series};
use crate::finding::Finding;
use crate::lint::Lint;

pub(super) struct Thresholds<'k> {
    known: &'k Known,
    pub(super) findings: Vec<Finding>,
}

/// A quantile, possibly scaled.
#[derive(Clone, Debug)]
pub(super) struct Quantile {
    histogram: String,
    bounds: Vec<f64>,
    factor: f64,
}

impl<'k> Thresholds<'k> {
    pub(super) fn new(known: &'k Known) -> Self {
        Self {
            known,
            findings: Vec::new(),
        }
    }

    fn compare(&mut self, value: &Expr, op: BinaryOp, threshold: &Expr) {
        let Some(quantile) = quantile(value, self.known) else {
            return;
        };
        let Some(number) = threshold.constant() else {
            return;
        };
        let Quantile {
            histogram,
            bounds,
            factor,
        } = quantile;
        let wanted = number / factor;
        let Some(&last) = bounds.last() else {
            return;
        };
        if wanted.is_nan() || factor < 0.0 {
            return;
        }
        let is_bound = |bound: &f64| (bound - wanted).abs() <= bound.abs() * 1e-9;
        let is_last = is_bound(&last);
        let never = match op {
            BinaryOp::Greater => wanted > last || is_last,
            BinaryOp::GreaterEqual => wanted > last && !is_last,
            _ => false,
        };
        if !never && bounds.iter().any(is_bound) {
            return;
        }
        let span = threshold.span().range();
        let shown: Vec<_> = bounds.iter().map(f64::to_string).collect();
        let finding = if never {
            let title = format!("a quantile of `{histogram}` never exceeds {last}");
            Finding::new(
                Lint::Threshold,
                span,
                title,
                format!("{last} is its last bucket boundary"),
            )
        } else {
            let title = format!("{wanted} is not a bucket boundary of `{histogram}`");
            let above = bounds.iter().position(|bound| *bound > wanted);
            let between = match above {
                Some(above) => {
                    let below = above.checked_sub(1).map_or(0.0, |below| bounds[below]);
                    format!(
                        "the quantile is interpolated between {below} and {}",
                        bounds[above]
                    )
                }
                None => format!("the last boundary is {last}"),
            };
            Finding::new(Lint::Threshold, span, title, between)
        };
        let help = format!("boundaries: {}", shown.join(", "));
        self.findings.push(finding.help(help));
    }
}

impl<'a> Visitor<'a> for Thresholds<'_> {
    fn operation(&mut self, left: Left<'a>, operation: &'a Operation, _ancestors: &[&'a Expr]) {
        let Some(left) = left.expr() else {
            return;
        };
        if operation.op.is_comparison() {
            self.compare(left, operation.op, &operation.rhs);
            self.compare(&operation.rhs, operation.op.mirrored(), left);
        }
    }
}

/// The histogram whose quantile `expr` computes, if any.
pub(super) fn quantile(expr: &Expr, known: &Known) -> Option<Quantile> {
    match expr {
        Expr::Paren(paren) => quantile(&paren.expr, known),
        Expr::Call(call) if call.function == Function::HistogramQuantile => {
            let mut buckets = Buckets { known, found: None };
            vigie_promql::syntax::walk(call.args.get(1)?, &mut buckets);
            buckets.found
        }
        Expr::Selector(selector) => match known.selected(selector)? {
            Series::Recorded(recorded) => recorded.quantile.clone(),
            _ => None,
        },
        Expr::Aggregate(aggregate) => match aggregate.op {
            AggregateOp::Max
            | AggregateOp::Min
            | AggregateOp::Topk
            | AggregateOp::Bottomk
            | AggregateOp::Limitk
            | AggregateOp::LimitRatio => quantile(&aggregate.expr, known),
            _ => None,
        },
        Expr::Binary(binary) => {
            let mut factor = 1.0;
            let mut found = None;
            let operations = binary.rest.iter().map(|next| (next.op, &next.rhs));
            // `1000 * quantile / 2` is one quantile and constants. A value divided by a quantile is not a quantile.
            for (op, operand) in std::iter::once((BinaryOp::Mul, &*binary.first)).chain(operations)
            {
                match (op, operand.constant()) {
                    (BinaryOp::Mul, Some(constant)) => factor *= constant,
                    (BinaryOp::Div, Some(constant)) => factor /= constant,
                    (BinaryOp::Mul, None) if found.is_none() => {
                        found = Some(quantile(operand, known)?);
                    }
                    _ => return None,
                }
            }
            let mut found = found?;
            found.factor *= factor;
            Some(found)
        }
        _ => None,
    }
}

/// The first histogram whose buckets are read.
struct Buckets<'k> {
    known: &'k Known,
    found: Option<Quantile>,
}

impl<'a> Visitor<'a> for Buckets<'_> {
    fn selector(&mut self, selector: &'a Selector, _ancestors: &[&'a Expr]) {
        let series = self.known.selected(selector);
        if let (None, Some(Series::Bucket(name, metric))) = (&self.found, series) {
            self.found = Some(Quantile {
                histogram: name.to_owned(),
                bounds: metric.buckets.clone(),
                factor: 1.0,
            });
        }
    }
}
