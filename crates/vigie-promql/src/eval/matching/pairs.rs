//! The pairs of samples of one series, step by step.

use super::combine::{Combination, NONE, One};
use crate::{
    eval::{
        Evaluation,
        column::{ABSENT, Cell, Series, is_absent},
        error::EvalError,
        meter::Cost,
    },
    syntax::Operation,
};

const NO_MATCH: &str =
    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)";
const NO_GROUP: &str = "multiple matches for labels: grouping labels must ensure unique matches";

/// In place of the number of a series: a value that stands for it.
const FILLED: usize = usize::MAX - 1;

impl Evaluation<'_> {
    /// Combines the floats of a series of the "many" side with those of the "one" side.
    pub(super) fn combine_floats(
        &self,
        combination: &mut Combination<'_>,
        (series, signature): (&Series, usize),
        one: &[Series],
        found: &One,
    ) -> Result<(), EvalError> {
        let (operation, swapped) = (combination.operation, combination.swapped);
        let one_to_one = combination.is_one_to_one();
        let mut used = std::mem::take(&mut combination.used[signature]);
        let (mut partner, mut number) = (NONE, 0);
        for (step, &value) in series.values.iter().enumerate() {
            let at = found.at(step);
            if is_absent(value) || at == NONE {
                continue;
            }
            let other = one[at].values[step];
            if is_absent(other) {
                continue;
            }
            if std::mem::replace(&mut used[step], true) && one_to_one {
                return Err(EvalError::execution(combination.span, NO_MATCH));
            }
            if partner != at {
                partner = at;
                number = self.output(combination, series, &one[at])?;
            }
            let output = &mut combination.outputs[number];
            if std::mem::replace(&mut output.matched[step], true) {
                return Err(EvalError::execution(combination.span, NO_GROUP));
            }
            let (left, right) = if swapped {
                (other, value)
            } else {
                (value, other)
            };
            output.series.values[step] = result_value(operation, left, right);
        }
        combination.used[signature] = used;
        Ok(())
    }

    /// As `combine_floats`, with native histograms and with values that stand for series of the "one" side.
    pub(super) fn combine_any(
        &mut self,
        combination: &mut Combination<'_>,
        (series, signature): (&Series, usize),
        one: &[Series],
        found: &One,
    ) -> Result<(), EvalError> {
        let operation = combination.operation;
        let fill = operation.fill.right;
        let filler = match fill {
            Some(_) => Some(self.filler(series, operation.matching.as_ref())?),
            None => None,
        };
        let (mut partner, mut number) = (NONE, 0);
        for step in 0..series.values.len() {
            let Some(own) = series.at(step) else {
                continue;
            };
            let at = found.at(step);
            let other = one.get(at).and_then(|one| one.at(step));
            let (at, other) = match (other, fill) {
                (Some(other), _) => (at, other),
                (None, Some(fill)) => (FILLED, Cell::Float(fill)),
                (None, None) => continue,
            };
            let (left, right) = match combination.swapped {
                false => (own, other),
                true => (other, own),
            };
            let Some(result) = self.operated(operation, left, right, combination.span)? else {
                continue;
            };
            combination.mark(signature, step)?;
            if partner != at {
                partner = at;
                let other = filler.as_ref().filter(|_| at == FILLED);
                let other = other.unwrap_or_else(|| &one[at]);
                number = self.output(combination, series, other)?;
            }
            combination.set(number, step, result)?;
        }
        Ok(())
    }

    /// Combines a series of the "one" side with a value that stands for series of the "many" side, at the steps at which
    /// it was not matched.
    pub(super) fn combine_filled(
        &mut self,
        combination: &mut Combination<'_>,
        (series, signature): (&Series, usize),
        fill: f64,
    ) -> Result<(), EvalError> {
        let operation = combination.operation;
        let filler = self.filler(series, operation.matching.as_ref())?;
        if combination.used[signature].is_empty() {
            self.meter.charge(Cost::bytes(series.values.len()))?;
            combination.used[signature].resize(series.values.len(), false);
        }
        for step in 0..series.values.len() {
            let matched = combination.used[signature][step];
            let Some(other) = series.at(step).filter(|_| !matched) else {
                continue;
            };
            let (left, right) = match combination.swapped {
                false => (Cell::Float(fill), other),
                true => (other, Cell::Float(fill)),
            };
            if let Some(result) = self.operated(operation, left, right, combination.span)? {
                combination.mark(signature, step)?;
                let number = self.output(combination, &filler, series)?;
                combination.set(number, step, result)?;
            }
        }
        Ok(())
    }
}

impl Combination<'_> {
    fn is_one_to_one(&self) -> bool {
        let matching = self.operation.matching.as_ref();
        matching.is_none_or(|matching| matching.group.is_none())
    }

    /// Records a match of a signature. One-to-one matching permits one at each step.
    fn mark(&mut self, signature: usize, step: usize) -> Result<(), EvalError> {
        let again = std::mem::replace(&mut self.used[signature][step], true);
        match again && self.is_one_to_one() {
            true => Err(EvalError::execution(self.span, NO_MATCH)),
            false => Ok(()),
        }
    }

    fn set(&mut self, number: usize, step: usize, result: Cell) -> Result<(), EvalError> {
        let output = &mut self.outputs[number];
        if std::mem::replace(&mut output.matched[step], true) {
            return Err(EvalError::execution(self.span, NO_GROUP));
        }
        output.series.set(step, result);
        Ok(())
    }
}

/// The result for two floats; [`ABSENT`] if a comparison does not hold.
#[inline]
pub(in crate::eval) fn result_value(operation: &Operation, left: f64, right: f64) -> f64 {
    let op = operation.op;
    if !op.is_comparison() || operation.return_bool {
        return op.apply(left, right);
    }
    if op.holds(left, right) { left } else { ABSENT }
}
