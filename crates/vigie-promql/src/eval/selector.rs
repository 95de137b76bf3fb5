//! Instant selectors.

use std::{ops::ControlFlow, sync::Arc};

use super::{
    Evaluation,
    column::{ABSENT, Evaluated, Histograms, Series, Steps, is_absent},
    error::EvalError,
    hints,
    meter::Cost,
    window::References,
};
use crate::{
    labels::Labels,
    matcher::Matcher,
    storage::Selection,
    syntax::{Extension, Selector},
    value::{Sample, Samples},
};

/// How a selector treats native histograms.
#[derive(Clone, Copy)]
pub(super) enum Native {
    /// They are samples of the result.
    Kept,
    /// As floats, they are passed on, with their time and without a value.
    Taken,
}

impl Evaluation<'_> {
    pub(super) fn selector(
        &mut self,
        selector: &Selector,
        steps: Steps,
    ) -> Result<Evaluated, EvalError> {
        let series = match selector.extension {
            Some(Extension::Smoothed) => self.smoothed(selector, steps)?,
            _ => self.newest(selector, steps, |sample| sample.value, Native::Kept)?,
        };
        Ok(Evaluated::Vector(series))
    }

    /// For a selector, the time of each sample, in seconds.
    pub(super) fn newest_times(
        &mut self,
        selector: &Selector,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        self.newest(
            selector,
            steps,
            |sample| seconds(sample.time),
            Native::Taken,
        )
    }

    /// For every series and step, the value that `take` computes from the newest sample.
    fn newest(
        &mut self,
        selector: &Selector,
        steps: Steps,
        take: impl Fn(&Sample) -> f64,
        native: Native,
    ) -> Result<Vec<Series>, EvalError> {
        let matchers: Vec<Matcher> = selector.all_matchers().collect();
        let references = self.references(&selector.shift, steps)?;
        self.newest_of(&matchers, references, take, native)
    }

    /// As `newest`, for any matchers and times.
    pub(super) fn newest_of(
        &mut self,
        matchers: &[Matcher],
        references: References,
        take: impl Fn(&Sample) -> f64,
        native: Native,
    ) -> Result<Vec<Series>, EvalError> {
        let mut found = Vec::new();
        self.each_newest(matchers, references, take, native, |_, series| {
            found.push(series);
            Ok(())
        })?;
        Ok(found)
    }

    /// As `newest_of`, but passes each series that has samples to `each`. It is charged; if it is not kept, `each`
    /// releases it.
    pub(super) fn each_newest(
        &mut self,
        matchers: &[Matcher],
        references: References,
        take: impl Fn(&Sample) -> f64,
        native: Native,
        mut each: impl FnMut(&mut Self, Series) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let count = references.count;
        let lookback = self.lookback();
        let start = references.first.saturating_sub(lookback).saturating_add(1);
        self.select(
            matchers,
            (start, references.last()),
            |evaluation, labels, samples| {
                let mut series = Series::stored(labels, Vec::new());
                evaluation
                    .meter
                    .charge(Cost::series(&series).and(Cost::column(count)))?;
                series.values = references.newest(samples.floats, lookback, ABSENT, &take);
                if !samples.histograms.is_empty() {
                    newer_histograms(&mut series, samples, references, lookback, &take, native);
                    let histograms = Cost::histograms(&series.histograms);
                    evaluation.meter.charge(histograms)?;
                }
                let present = series.values.iter().filter(|value| !is_absent(**value));
                let present = present.count() + series.histograms.iter().count();
                evaluation.add_queried(present as u64);
                evaluation.meter.work(8 + count)?;
                if present == 0 {
                    evaluation.meter.release(Cost::series(&series));
                    return Ok(());
                }
                each(evaluation, series)
            },
        )
    }

    /// Calls `each` for every selected series, with its samples between two times, both inclusive.
    pub(super) fn select(
        &mut self,
        matchers: &[Matcher],
        (start, end): (i64, i64),
        mut each: impl FnMut(&mut Self, &Labels, Samples<'_>) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let selection = Selection {
            matchers,
            start,
            end,
        };
        self.expect(&selection)?;
        let mut done = Ok(());
        let storage = self.storage;
        let selected = storage.select_all(&selection, &mut |labels, samples| {
            if samples.is_empty() {
                done = self.meter.work(8);
                return match done {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                };
            }
            let known = match self.figures_only {
                true => hints::determined(samples.histograms),
                false => Vec::new(),
            };
            let samples = Samples {
                histograms: match self.figures_only {
                    true => &known,
                    false => samples.histograms,
                },
                ..samples
            };
            let read = Cost::read(samples);
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

    /// Fails if a selection would exceed the limit of samples read.
    fn expect(&mut self, selection: &Selection<'_>) -> Result<(), EvalError> {
        let limit = self.engine.limits.read;
        if limit < usize::MAX {
            let more = self.storage.estimate(selection);
            self.read = self.read.saturating_add(more);
        }
        let expected = self.read;
        match expected > limit {
            true => Err(EvalError::TooMuchToRead { expected, limit }),
            false => Ok(()),
        }
    }
}

/// Replaces the floats of a series at the steps where the newest sample is a histogram.
fn newer_histograms(
    series: &mut Series,
    samples: Samples<'_>,
    references: References,
    lookback: i64,
    take: impl Fn(&Sample) -> f64,
    native: Native,
) {
    let mut histograms = vec![None; references.count];
    for (step, value) in series.values.iter_mut().enumerate() {
        let time = references.at(step);
        let newest = samples.histograms.partition_point(|one| one.time <= time);
        let float = samples.floats.partition_point(|one| one.time <= time);
        let newest = newest.checked_sub(1).map(|at| &samples.histograms[at]);
        let newest = newest.filter(|one| one.time > time.saturating_sub(lookback));
        let float = float.checked_sub(1).map(|at| samples.floats[at].time);
        let Some(newest) = newest.filter(|one| float.is_none_or(|float| float < one.time)) else {
            continue;
        };
        match native {
            Native::Kept => {
                *value = ABSENT;
                histograms[step] = Some(Arc::clone(&newest.histogram));
            }
            Native::Taken => {
                *value = take(&Sample {
                    time: newest.time,
                    value: 0.0,
                });
            }
        }
    }
    series.histograms = Histograms::new(histograms);
}

pub(super) fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}
