//! Binary and unary operators with at least one scalar operand.

use super::{
    Evaluation,
    column::{ABSENT, Evaluated, Series, Steps, is_absent},
    error::EvalError,
};
use crate::{
    functions::math::{holds, operate},
    syntax::{Binary, BinaryOp, Operation, Span, Unary},
};

impl Evaluation<'_> {
    pub(super) fn unary(&mut self, unary: &Unary, steps: Steps) -> Result<Evaluated, EvalError> {
        let operand = self.eval(&unary.expr, steps)?;
        if !unary.negative {
            return Ok(operand);
        }
        match operand {
            Evaluated::Scalar(mut column) => {
                self.meter.work(steps.count)?;
                for value in &mut column {
                    *value = -*value;
                }
                Ok(Evaluated::Scalar(column))
            }
            Evaluated::Vector(vector) => self.mapped(vector, unary.span, |_, value| -value),
            text @ Evaluated::Text(_) => Ok(text),
        }
    }

    /// Evaluates a run of operators from left to right.
    pub(super) fn binary(&mut self, binary: &Binary, steps: Steps) -> Result<Evaluated, EvalError> {
        let before = self.meter.held();
        let mut left = self.eval(&binary.first, steps)?;
        for (index, operation) in binary.rest.iter().enumerate() {
            let right = self.eval(&operation.rhs, steps)?;
            left = self.operation(left, operation, right, binary.span_to(index), steps)?;
            self.meter.release_except(before, &left)?;
        }
        Ok(left)
    }

    fn operation(
        &mut self,
        left: Evaluated,
        operation: &Operation,
        right: Evaluated,
        span: Span,
        steps: Steps,
    ) -> Result<Evaluated, EvalError> {
        self.meter.work(steps.count)?;
        match (left, right) {
            (Evaluated::Scalar(mut left), Evaluated::Scalar(right)) => {
                for (left, right) in left.iter_mut().zip(right) {
                    *left = operate(operation.op, *left, right);
                }
                Ok(Evaluated::Scalar(left))
            }
            (Evaluated::Vector(left), Evaluated::Scalar(right)) => {
                self.with_scalar(left, operation, span, |step, value| (value, right[step]))
            }
            (Evaluated::Scalar(left), Evaluated::Vector(right)) => {
                self.with_scalar(right, operation, span, |step, value| (left[step], value))
            }
            (Evaluated::Vector(left), Evaluated::Vector(right)) => {
                let vector = self.matched(left, operation, right, span, steps)?;
                Ok(Evaluated::Vector(vector))
            }
            _ => Err(EvalError::execution(
                span,
                "operators do not apply to strings",
            )),
        }
    }

    /// Applies `op` to a vector and a scalar. `sides` returns the left and the right operand for a step and the
    /// vector's value. A comparison keeps the vector's values, whichever side the vector is on.
    fn with_scalar(
        &self,
        mut vector: Vec<Series>,
        operation: &Operation,
        span: Span,
        sides: impl Fn(usize, f64) -> (f64, f64),
    ) -> Result<Evaluated, EvalError> {
        let op = operation.op;
        if !op.is_comparison() || operation.return_bool {
            return self.arithmetic(vector, op, span, sides);
        }
        for series in &mut vector {
            self.meter.work(8 + series.values.len())?;
            for (step, value) in series.values.iter_mut().enumerate() {
                if is_absent(*value) {
                    continue;
                }
                let (left, right) = sides(step, *value);
                if !holds(op, left, right) {
                    *value = ABSENT;
                }
            }
        }
        vector.retain(Series::has_samples);
        Ok(Evaluated::Vector(vector))
    }

    fn arithmetic(
        &self,
        vector: Vec<Series>,
        op: BinaryOp,
        span: Span,
        sides: impl Fn(usize, f64) -> (f64, f64),
    ) -> Result<Evaluated, EvalError> {
        self.mapped(vector, span, |step, value| {
            let (left, right) = sides(step, value);
            operate(op, left, right)
        })
    }
}
