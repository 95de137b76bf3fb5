//! Binary and unary operators with at least one scalar operand.

use super::{
    Evaluation,
    column::{ABSENT, Cell, Evaluated, Series, Steps, is_absent},
    error::EvalError,
    meter::Cost,
};
use crate::syntax::{Binary, BinaryOp, Operation, Span, Unary};

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
            Evaluated::Vector(mut vector) => {
                for series in &mut vector {
                    self.meter.work(8 + series.values.len())?;
                    for value in series.values.iter_mut().filter(|value| !is_absent(**value)) {
                        *value = -*value;
                    }
                    self.map_histograms(series, |histogram| Some(histogram.scaled(-1.0)))?;
                }
                self.without_names(vector, unary.span)
            }
            text @ Evaluated::Text(_) => Ok(text),
        }
    }

    /// Evaluates a run of operators from left to right.
    pub(super) fn binary(&mut self, binary: &Binary, steps: Steps) -> Result<Evaluated, EvalError> {
        let before = self.meter.held();
        let figures_only = self.figures_only && !binary.rest.iter().any(|one| one.op.is_trim());
        self.with_figures(figures_only, |this| this.operations(binary, steps, before))
    }

    fn operations(
        &mut self,
        binary: &Binary,
        steps: Steps,
        before: Cost,
    ) -> Result<Evaluated, EvalError> {
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
                    *left = operation.op.apply(*left, right);
                }
                Ok(Evaluated::Scalar(left))
            }
            (Evaluated::Vector(left), Evaluated::Scalar(right)) => {
                self.with_scalar(left, operation, span, (&right, false), |step, value| {
                    (value, right[step])
                })
            }
            (Evaluated::Scalar(left), Evaluated::Vector(right)) => {
                self.with_scalar(right, operation, span, (&left, true), |step, value| {
                    (left[step], value)
                })
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
    /// vector's value. A comparison keeps the vector's values, whichever side the vector is on. `scalar` is the scalar,
    /// and whether it is the left operand.
    fn with_scalar(
        &mut self,
        mut vector: Vec<Series>,
        operation: &Operation,
        span: Span,
        scalar: (&[f64], bool),
        sides: impl Fn(usize, f64) -> (f64, f64),
    ) -> Result<Evaluated, EvalError> {
        let op = operation.op;
        if op.is_trim() || vector.iter().any(|series| !series.histograms.is_empty()) {
            return self.histograms_with_scalar(vector, operation, span, scalar);
        }
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
                if !op.holds(left, right) {
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
            op.apply(left, right)
        })
    }

    /// As `with_scalar`, for a vector with histograms.
    fn histograms_with_scalar(
        &mut self,
        mut vector: Vec<Series>,
        operation: &Operation,
        span: Span,
        (scalars, scalar_is_left): (&[f64], bool),
    ) -> Result<Evaluated, EvalError> {
        let changes = !operation.op.is_comparison() || operation.return_bool;
        for series in &mut vector {
            self.meter.work(8 + series.values.len())?;
            for (step, &scalar) in scalars.iter().enumerate() {
                let Some(own) = series.at(step) else {
                    continue;
                };
                let (left, right) = match scalar_is_left {
                    true => (Cell::Float(scalar), own),
                    false => (own, Cell::Float(scalar)),
                };
                let result = self.operated(operation, left, right, span)?;
                let kept = match result {
                    None => None,
                    Some(Cell::Float(value)) if is_absent(value) => None,
                    Some(result) => Some(result),
                };
                if changes || kept.is_none() {
                    series.values[step] = ABSENT;
                    series.histograms.take(step);
                }
                if let Some(result) = kept.filter(|_| changes) {
                    series.set(step, result);
                }
            }
        }
        vector.retain(Series::has_samples);
        if operation.op.is_arithmetic() || operation.return_bool {
            return self.without_names(vector, span);
        }
        Ok(Evaluated::Vector(vector))
    }
}
