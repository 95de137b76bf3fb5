//! Range vectors: the samples of a selector or the results of a subquery, series by series.

use super::{
    Evaluation,
    column::{Series, Steps, is_absent},
    error::EvalError,
    hints,
    meter::Cost,
    window::Windows,
};
use crate::{
    labels::Labels,
    matcher::Matcher,
    syntax::{Expr, Extension, Selector, Subquery},
    value::{HistogramSample, Sample, Samples, is_stale},
};

impl<'e> Evaluation<'e> {
    pub(super) fn windows(&self, arg: &Expr, steps: Steps) -> Result<Windows<'e>, EvalError> {
        let (shift, range) = match arg {
            Expr::Range(node) => (&node.selector.shift, &node.range),
            Expr::Subquery(node) => (&node.shift, &node.range),
            other => {
                return Err(EvalError::execution(
                    other.span(),
                    "this is not a range vector",
                ));
            }
        };
        let lookback = self.lookback();
        let margins = match extension(arg) {
            None => (0, 0),
            Some(Extension::Anchored) => (lookback, 0),
            Some(Extension::Smoothed) => (lookback, lookback),
        };
        Ok(Windows {
            references: self.references(shift, steps)?,
            range: self.positive_millis(range)?,
            margins,
            interrupted: self.meter.interrupted(),
            queried: self.queried,
        })
    }

    /// Passes each series of a range to `each`, with its samples and without stale markers. The values of the series
    /// passed are unspecified.
    pub(super) fn each_range(
        &mut self,
        arg: &Expr,
        windows: Windows<'_>,
        mut each: impl FnMut(&mut Self, &Series, Samples<'_>) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        match arg {
            Expr::Subquery(subquery) => self.each_of_subquery(subquery, windows, each),
            Expr::Range(range) => {
                self.each_of_selector(&range.selector, windows, |evaluation, labels, samples| {
                    let series = Series::stored(labels, Vec::new());
                    each(evaluation, &series, samples)
                })
            }
            _ => Ok(()),
        }
    }

    fn each_of_selector(
        &mut self,
        selector: &Selector,
        windows: Windows<'_>,
        mut each: impl FnMut(&mut Self, &Labels, Samples<'_>) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let mut kept = Vec::new();
        let matchers: Vec<Matcher> = selector.all_matchers().collect();
        self.select(
            &matchers,
            windows.bounds(),
            |evaluation, labels, samples| {
                let Samples { floats, histograms } = samples;
                if !floats.iter().any(|sample| is_stale(sample.value)) {
                    return each(evaluation, labels, samples);
                }
                let copy = Cost::bytes(2 * size_of_val(floats));
                evaluation.meter.check_available(copy)?;
                kept.clear();
                kept.extend(floats.iter().filter(|sample| !is_stale(sample.value)));
                let floats = &kept;
                each(evaluation, labels, Samples { floats, histograms })
            },
        )
    }

    fn each_of_subquery(
        &mut self,
        subquery: &Subquery,
        windows: Windows<'_>,
        mut each: impl FnMut(&mut Self, &Series, Samples<'_>) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let step = match &subquery.step {
            Some(step) => self.positive_millis(step)?.max(1),
            None => super::millis(self.engine.subquery_step).max(1),
        };
        let (after, end) = windows.bounds();
        // Steps are multiples of the step; the first is the first one inside of the first window.
        let aligned = after.div_euclid(step).saturating_mul(step);
        let start = if aligned < after {
            aligned.saturating_add(step)
        } else {
            aligned
        };
        if end < start {
            return Ok(());
        }
        let count = end.saturating_sub(start) / step + 1;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        // Checked before anything of that size is allocated.
        self.meter.check_available(Cost::column(count))?;
        let inner = Steps { start, step, count };
        // Samples of a subquery are counted as samples of its windows.
        let before = self.queried.get();
        let series = self.with_figures(false, |this| this.vector(&subquery.expr, inner))?;
        let scratch = Cost::bytes(size_of::<Sample>()).times(count).times(2);
        self.meter.check_available(scratch)?;
        self.queried.set(before);
        let (mut samples, mut histograms) = (Vec::new(), Vec::new());
        for one in &series {
            self.meter.work(8 + count)?;
            samples.clear();
            histograms.clear();
            let values = inner.times().zip(&one.values);
            let present = values.filter(|(_, value)| !is_absent(**value));
            samples.extend(present.map(|(time, &value)| Sample { time, value }));
            let native = one.histograms.iter();
            histograms.extend(native.map(|(step, histogram)| HistogramSample {
                time: inner.at(step),
                histogram: hints::detached(histogram),
            }));
            let all = Samples {
                floats: &samples,
                histograms: &histograms,
            };
            each(self, one, all)?;
        }
        Ok(())
    }
}

/// The `anchored` or `smoothed` of a range.
pub(super) fn extension(arg: &Expr) -> Option<Extension> {
    match arg {
        Expr::Range(range) => range.selector.extension,
        _ => None,
    }
}
