//! `and`, `or` and `unless`.

use super::{Matched, SIGNATURE};
use crate::{
    eval::{
        Evaluation,
        column::{ABSENT, Series, Steps, is_absent},
        error::EvalError,
        meter::Cost,
        names::merge_same_labels,
    },
    syntax::Span,
};

impl Evaluation<'_> {
    /// `and` if `wanted`, otherwise `unless`.
    pub(super) fn filtered(
        &self,
        mut left: Vec<Series>,
        right: &[Series],
        signatures: &Matched,
        wanted: bool,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let present = self.presence(right, &signatures.right, signatures.count, steps)?;
        for (series, &number) in left.iter_mut().zip(&signatures.left) {
            self.meter.work(8 + steps.count)?;
            keep_where(series, &present[number], wanted);
        }
        left.retain(Series::has_samples);
        Ok(left)
    }

    pub(super) fn or(
        &self,
        mut left: Vec<Series>,
        mut right: Vec<Series>,
        signatures: &Matched,
        span: Span,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let present = self.presence(&left, &signatures.left, signatures.count, steps)?;
        for (series, &number) in right.iter_mut().zip(&signatures.right) {
            self.meter.work(8 + steps.count)?;
            keep_where(series, &present[number], false);
        }
        left.extend(right.into_iter().filter(Series::has_samples));
        merge_same_labels(left, span, &self.meter)
    }

    /// For each signature and step, whether any series has a sample; empty for a signature without series.
    fn presence(
        &self,
        series: &[Series],
        numbers: &[usize],
        count: usize,
        steps: Steps,
    ) -> Result<Vec<Vec<bool>>, EvalError> {
        self.meter.charge(Cost::bytes(SIGNATURE).times(count))?;
        let mut present = vec![Vec::new(); count];
        for (one, &number) in series.iter().zip(numbers) {
            self.meter.work(8 + steps.count)?;
            let present: &mut Vec<bool> = &mut present[number];
            if present.is_empty() {
                self.meter.charge(Cost::bytes(steps.count))?;
                present.resize(steps.count, false);
            }
            for (present, &value) in present.iter_mut().zip(&one.values) {
                *present |= !is_absent(value);
            }
            for (step, _) in one.histograms.iter() {
                present[step] = true;
            }
        }
        Ok(present)
    }
}

/// Removes the values at the steps where `present` differs from `wanted`.
fn keep_where(series: &mut Series, present: &[bool], wanted: bool) {
    if present.is_empty() && wanted {
        series.values.fill(ABSENT);
        series.histograms.clear();
    }
    for (value, &present) in series.values.iter_mut().zip(present) {
        if present != wanted {
            *value = ABSENT;
        }
    }
    series
        .histograms
        .retain(|step| present.get(step).is_none_or(|&present| present == wanted));
}
