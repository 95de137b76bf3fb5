//! Arithmetic and comparisons between two vectors.

use super::{Matched, SIGNATURE, labels::duplicate};
use crate::{
    eval::{
        Evaluation,
        column::{ABSENT, Series, Steps},
        error::EvalError,
        meter::Cost,
        signature::Signatures,
    },
    syntax::{Fill, Operation, Side, Span},
};

pub(super) const NONE: usize = usize::MAX;

/// The series of one signature on the "one" side.
#[derive(Clone, Default)]
pub(super) struct One {
    members: Vec<usize>,
    /// For each step, the member that has a sample; not allocated while there is only one member.
    present: Vec<usize>,
}

/// A series of the result under construction.
pub(super) struct Output {
    pub(super) series: Series,
    /// Steps with a match, whether or not a comparison filtered it out.
    pub(super) matched: Vec<bool>,
}

/// The result under construction.
pub(super) struct Combination<'a> {
    pub(super) operation: &'a Operation,
    pub(super) span: Span,
    pub(super) steps: Steps,
    /// Whether the "many" side is the right one.
    pub(super) swapped: bool,
    pub(super) outputs: Vec<Output>,
    label_sets: Signatures<fn(&str) -> bool>,
    /// For each signature, the steps at which it was matched; empty for one that was not.
    pub(super) used: Vec<Vec<bool>>,
}

impl Evaluation<'_> {
    pub(super) fn combined(
        &mut self,
        left: &[Series],
        operation: &Operation,
        right: &[Series],
        signatures: &Matched,
        span: Span,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let group = operation.matching.as_ref();
        let group = group.and_then(|matching| matching.group.as_ref());
        let swapped = group.is_some_and(|group| group.many == Side::Right);
        // As in Prometheus, `fill_left` applies to the "many" side, also with `group_right`.
        let Fill {
            left: fill_many,
            right: fill_one,
        } = operation.fill;
        let (many, one, of_many, of_one) = match swapped {
            false => (left, right, &signatures.left, &signatures.right),
            true => (right, left, &signatures.right, &signatures.left),
        };
        self.meter
            .charge(Cost::bytes(SIGNATURE).times(signatures.count))?;
        let mut ones = vec![One::default(); signatures.count];
        for (member, &signature) in of_one.iter().enumerate() {
            ones[signature].members.push(member);
        }
        self.find_present(&mut ones, many, one, operation, span, steps)?;

        let mut combination = Combination {
            operation,
            span,
            steps,
            swapped,
            outputs: Vec::new(),
            label_sets: Signatures::new(|_: &str| true),
            used: vec![Vec::new(); signatures.count],
        };
        let native = |series: &[Series]| series.iter().any(|one| !one.histograms.is_empty());
        let floats = operation.fill == Fill::default()
            && !operation.op.is_trim()
            && !native(many)
            && !native(one);
        for (series, &signature) in many.iter().zip(of_many) {
            self.meter.work(8 + steps.count)?;
            let found = &ones[signature];
            if found.members.is_empty() && fill_one.is_none() {
                continue;
            }
            if combination.used[signature].is_empty() {
                self.meter.charge(Cost::bytes(steps.count))?;
                combination.used[signature].resize(steps.count, false);
            }
            match floats {
                true => self.combine_floats(&mut combination, (series, signature), one, found)?,
                false => self.combine_any(&mut combination, (series, signature), one, found)?,
            }
        }
        if let Some(fill) = fill_many {
            for (series, &signature) in one.iter().zip(of_one) {
                self.meter.work(8 + steps.count)?;
                self.combine_filled(&mut combination, (series, signature), fill)?;
            }
        }
        let mut found = Vec::with_capacity(combination.outputs.len());
        for output in combination.outputs {
            self.meter.work(8 + steps.count)?;
            if output.series.has_samples() {
                found.push(output.series);
            }
        }
        Ok(found)
    }

    /// The number of the result series of a match.
    pub(super) fn output(
        &self,
        combination: &mut Combination<'_>,
        many: &Series,
        one: &Series,
    ) -> Result<usize, EvalError> {
        let steps = combination.steps;
        let mut result = self.result_series(many, one, combination.operation)?;
        let number = combination
            .label_sets
            .number_of(result.labels(), result.drops_name);
        if number == combination.outputs.len() {
            self.charge_output(&result, steps)?;
            self.meter.charge(Cost::bytes(steps.count))?;
            result.values = vec![ABSENT; steps.count];
            combination.outputs.push(Output {
                series: result,
                matched: vec![false; steps.count],
            });
        }
        Ok(number)
    }

    /// Finds, for each signature with several series on the "one" side, the series that has a sample at each step.
    /// Fails if two have one at the same step.
    fn find_present(
        &mut self,
        ones: &mut [One],
        many: &[Series],
        one: &[Series],
        operation: &Operation,
        span: Span,
        steps: Steps,
    ) -> Result<(), EvalError> {
        // A step at which one side is empty has no matches, so duplicates on the other side are not an error.
        let filled = operation.fill != Fill::default();
        let any_many = |step: usize| filled || many.iter().any(|series| series.is_present(step));
        for found in ones.iter_mut().filter(|found| found.members.len() > 1) {
            self.meter
                .charge(Cost::bytes(size_of::<usize>()).times(steps.count))?;
            found.present = vec![NONE; steps.count];
            for &member in &found.members {
                self.meter.work(8 + steps.count)?;
                for (step, present) in found.present.iter_mut().enumerate() {
                    if !one[member].is_present(step) {
                        continue;
                    }
                    let before = std::mem::replace(present, member);
                    if before == NONE {
                        continue;
                    }
                    self.meter.work(many.len())?;
                    if any_many(step) {
                        let both = [before, member].map(|at| one[at].labels());
                        return Err(EvalError::execution(span, duplicate(both, operation)));
                    }
                }
            }
        }
        Ok(())
    }
}

impl One {
    #[inline]
    pub(super) fn at(&self, step: usize) -> usize {
        match self.present.get(step) {
            Some(&member) => member,
            None => self.members.first().copied().unwrap_or(NONE),
        }
    }
}
