//! Matching of series between two vectors.
//!
//! The *signature* of a series is the set of labels it is matched by. Series are grouped by signature once; at each
//! step only those with a sample take part.

mod combine;
mod labels;
mod pairs;
mod sets;

pub(super) use pairs::result_value;

use super::{
    Evaluation,
    column::{Series, Steps},
    error::EvalError,
    meter::Cost,
    signature::Signatures,
};
use crate::{
    labels::METRIC_NAME,
    syntax::{BinaryOp, Matching, Operation, Span},
};

/// Bytes charged for a signature: its lists and the number of a series.
const SIGNATURE: usize = 2 * size_of::<combine::One>() + 2 * size_of::<usize>();

/// The signatures of both sides, numbered.
struct Matched {
    left: Vec<usize>,
    right: Vec<usize>,
    count: usize,
}

impl Evaluation<'_> {
    pub(super) fn matched(
        &mut self,
        left: Vec<Series>,
        operation: &Operation,
        right: Vec<Series>,
        span: Span,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let signatures = self.signatures(&left, &right, operation.matching.as_ref())?;
        match operation.op {
            BinaryOp::And | BinaryOp::Unless => {
                let wanted = operation.op == BinaryOp::And;
                self.filtered(left, &right, &signatures, wanted, steps)
            }
            BinaryOp::Or => self.or(left, right, &signatures, span, steps),
            _ => self.combined(&left, operation, &right, &signatures, span, steps),
        }
    }
}

impl Evaluation<'_> {
    fn signatures(
        &self,
        left: &[Series],
        right: &[Series],
        matching: Option<&Matching>,
    ) -> Result<Matched, EvalError> {
        let count = left.len() + right.len();
        self.meter.charge(Cost::bytes(SIGNATURE).times(count))?;
        let mut signatures = Signatures::new(|name: &str| is_matched(matching, name));
        let named = matching.map_or(0, |matching| matching.labels.len());
        let mut number = |series: &Series| {
            let labels = series.labels();
            self.meter
                .work(series.label_work() + named * labels.len())?;
            Ok(signatures.number(labels))
        };
        let left: Result<Vec<usize>, EvalError> = left.iter().map(&mut number).collect();
        let right: Result<Vec<usize>, EvalError> = right.iter().map(&mut number).collect();
        Ok(Matched {
            left: left?,
            right: right?,
            count: signatures.len(),
        })
    }
}

/// Whether a label is part of the signature.
fn is_matched(matching: Option<&Matching>, name: &str) -> bool {
    let Some(matching) = matching else {
        return name != METRIC_NAME;
    };
    let named = matching.labels.iter().any(|label| label.text == name);
    if matching.on {
        named
    } else {
        !named && name != METRIC_NAME
    }
}
