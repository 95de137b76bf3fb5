//! Operators between two samples, of which one may be a native histogram.

use std::sync::Arc;

use super::{
    Evaluation,
    column::{ABSENT, Cell},
    error::EvalError,
    matching::result_value,
};
use crate::{
    functions::native::notes::{Note, Notes, Operation as Combined},
    histogram::{Histogram, Keep, ResetHint},
    syntax::{BinaryOp, Operation, Span},
};

type Operand<'a> = Cell<&'a Arc<Histogram>>;

impl Evaluation<'_> {
    /// The result of an operator; the float [`ABSENT`] if a comparison does not hold, and `None`, with an annotation, if
    /// the operator does not apply to the operands.
    pub(super) fn operated(
        &mut self,
        operation: &Operation,
        left: Operand<'_>,
        right: Operand<'_>,
        span: Span,
    ) -> Result<Option<Cell>, EvalError> {
        let op = operation.op;
        let kinds = [&left, &right].map(|cell| match cell {
            Cell::Float(_) => "float",
            Cell::Histogram(_) => "histogram",
        });
        let result = match (left, right) {
            (Cell::Float(left), Cell::Float(right)) if !op.is_trim() => {
                return Ok(Some(Cell::Float(result_value(operation, left, right))));
            }
            (Cell::Float(factor), Cell::Histogram(histogram))
            | (Cell::Histogram(histogram), Cell::Float(factor))
                if op == BinaryOp::Mul =>
            {
                histogram.scaled(factor).compacted()
            }
            (Cell::Histogram(histogram), Cell::Float(divisor)) if op == BinaryOp::Div => {
                histogram.divided(divisor).compacted()
            }
            (Cell::Histogram(histogram), Cell::Float(limit)) if op.is_trim() => {
                let keep = match op {
                    BinaryOp::TrimUpper => Keep::Below,
                    _ => Keep::Above,
                };
                histogram.trimmed(limit, keep)
            }
            (Cell::Histogram(left), Cell::Histogram(right)) => match op {
                BinaryOp::Add | BinaryOp::Sub => {
                    let Some(sum) = self.sum(op, left, right, span) else {
                        return Ok(None);
                    };
                    sum
                }
                BinaryOp::Equal | BinaryOp::NotEqual => {
                    let holds = left.same(right) == (op == BinaryOp::Equal);
                    return Ok(Some(match (holds, operation.return_bool) {
                        (holds, true) => Cell::Float(f64::from(u8::from(holds))),
                        (true, false) => Cell::Histogram(Arc::clone(left)),
                        (false, false) => Cell::Float(ABSENT),
                    }));
                }
                _ => return Ok(self.incompatible(op, kinds, span)),
            },
            _ => return Ok(self.incompatible(op, kinds, span)),
        };
        self.charged(Cell::Histogram(result)).map(Some)
    }

    fn sum(
        &mut self,
        op: BinaryOp,
        left: &Histogram,
        right: &Histogram,
        span: Span,
    ) -> Option<Histogram> {
        let (sign, combined) = match op {
            BinaryOp::Sub => (-1.0, Combined::Subtraction),
            _ => (1.0, Combined::Addition),
        };
        let mut sum = left.clone();
        let mut notes = Notes::default();
        let Some(added) = notes.combine(&mut sum, right, sign) else {
            let message = "incompatible bucket layout encountered for binary operator";
            self.annotations
                .warn(span, format_args!("{message} {}", op.text()));
            return None;
        };
        for note in notes.take() {
            self.annotations.note(note, "", span);
        }
        if added.collision {
            self.annotations.note(Note::Collision(combined), "", span);
            return None;
        }
        if op == BinaryOp::Sub {
            sum.hint = ResetHint::Gauge;
        }
        Some(sum.compacted())
    }

    fn incompatible(&mut self, op: BinaryOp, [left, right]: [&str; 2], span: Span) -> Option<Cell> {
        let op = op.text();
        self.annotations.info(
            span,
            format_args!(
                "incompatible sample types encountered for binary operator {op:?}: {left} {op} {right}"
            ),
        );
        None
    }
}
