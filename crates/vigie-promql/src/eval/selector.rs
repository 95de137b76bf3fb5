//! Instant selectors.

use std::ops::ControlFlow;

use super::{
    Evaluation,
    column::{ABSENT, Evaluated, Series, Steps, is_absent},
    error::EvalError,
    meter::Cost,
    window::any_present,
};
use crate::{
    labels::Labels, matcher::Matcher, storage::Selection, syntax::Selector, value::Sample,
};

impl Evaluation<'_> {
    pub(super) fn selector(
        &mut self,
        selector: &Selector,
        steps: Steps,
    ) -> Result<Evaluated, EvalError> {
        let series = self.newest(selector, steps, |sample| sample.value)?;
        Ok(Evaluated::Vector(series))
    }

    /// For every series and step, the value that `take` computes from the newest sample.
    pub(super) fn newest(
        &mut self,
        selector: &Selector,
        steps: Steps,
        take: impl Fn(&Sample) -> f64,
    ) -> Result<Vec<Series>, EvalError> {
        let references = self.references(&selector.shift, steps)?;
        let lookback = self.lookback();
        let start = references.first.saturating_sub(lookback).saturating_add(1);
        let mut found = Vec::new();
        self.select(
            selector,
            (start, references.last()),
            |evaluation, labels, samples| {
                let mut series = Series::stored(labels, Vec::new());
                evaluation.charge_output(&series, steps)?;
                series.values = references.newest(samples, lookback, ABSENT, &take);
                let present = series.values.iter().filter(|value| !is_absent(**value));
                evaluation.add_queried(present.count() as u64);
                if any_present(&series.values) {
                    found.push(series);
                } else {
                    evaluation.meter.release(Cost::series(&series));
                }
                evaluation.meter.work(8 + steps.count)
            },
        )?;
        Ok(found)
    }

    /// Calls `each` for every selected series, with its samples between two times, both inclusive.
    pub(super) fn select(
        &mut self,
        selector: &Selector,
        (start, end): (i64, i64),
        mut each: impl FnMut(&mut Self, &Labels, &[Sample]) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let matchers: Vec<Matcher> = selector.all_matchers().collect();
        let selection = Selection {
            matchers: &matchers,
            start,
            end,
        };
        let mut done = Ok(());
        let storage = self.storage;
        let selected = storage.select(&selection, &mut |labels, samples| {
            if samples.is_empty() {
                done = self.meter.work(8);
                return match done {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                };
            }
            let read = Cost::samples(samples.len());
            let held = self.meter.charge(read);
            let work = held.and_then(|()| self.meter.work(8 + samples.len()));
            done = work.and_then(|()| each(self, labels, samples));
            self.meter.release(read);
            match done {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        });
        done?;
        selected.map_err(EvalError::Storage)
    }
}
