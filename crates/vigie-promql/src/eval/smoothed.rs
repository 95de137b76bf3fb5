//! Instant selectors with the modifier `smoothed`: values interpolated between the samples around each step.

use std::sync::Arc;

use super::{
    Evaluation,
    column::{ABSENT, Cell, Series, Steps},
    error::EvalError,
    meter::Cost,
    mixed::within,
};
use crate::{
    functions::{
        extended,
        native::notes::{Note, Notes},
    },
    histogram::{Histogram, ResetHint},
    matcher::Matcher,
    syntax::Selector,
    value::{HistogramSample, Sample, Samples, is_stale},
};

impl Evaluation<'_> {
    pub(super) fn smoothed(
        &mut self,
        selector: &Selector,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let references = self.references(&selector.shift, steps)?;
        let lookback = self.lookback();
        let around = |time: i64| (time.saturating_sub(lookback), time.saturating_add(lookback));
        let bounds = (
            around(references.first).0.saturating_add(1),
            around(references.last()).1,
        );
        let matchers: Vec<Matcher> = selector.all_matchers().collect();
        let mut found = Vec::new();
        let mut kept = Vec::new();
        self.select(&matchers, bounds, |evaluation, labels, samples| {
            let Samples { floats, histograms } = samples;
            evaluation
                .meter
                .check_available(Cost::bytes(2 * size_of_val(floats)))?;
            kept.clear();
            kept.extend(floats.iter().filter(|sample| !is_stale(sample.value)));
            let floats = &kept;
            let samples = Samples { floats, histograms };
            let mut series = Series::stored(labels, Vec::new());
            evaluation.charge_output(&series, steps)?;
            series.values = vec![ABSENT; steps.count];
            let mut notes = Notes::default();
            for step in 0..steps.count {
                let time = references.at(step);
                let (start, end) = around(time);
                let window = within(samples, start, end);
                evaluation.meter.work(8 + window.len())?;
                evaluation.add_queried(window.len() as u64);
                if let Some(cell) = at(window, time, &mut notes) {
                    let cell = evaluation.charged(cell)?;
                    series.set(step, cell);
                }
            }
            for note in notes.take() {
                evaluation
                    .annotations
                    .note(note, labels.metric(), selector.span);
            }
            if series.has_samples() {
                found.push(series);
            }
            Ok(())
        })?;
        Ok(found)
    }
}

fn at(window: Samples<'_>, time: i64, notes: &mut Notes) -> Option<Cell<Histogram>> {
    match (window.floats, window.histograms) {
        ([], []) => None,
        (floats, []) => float_at(floats, time).map(Cell::Float),
        ([], histograms) => histogram_at(histograms, time, notes).map(Cell::Histogram),
        _ => {
            notes.add(Note::MixedFloats);
            None
        }
    }
}

fn float_at(floats: &[Sample], time: i64) -> Option<f64> {
    let next = floats.partition_point(|sample| sample.time < time);
    match (next.checked_sub(1).map(|at| floats[at]), floats.get(next)) {
        (_, Some(next)) if next.time == time => Some(next.value),
        (Some(before), Some(next)) => Some(extended::interpolated(before, *next, time, false)),
        (Some(before), None) => Some(before.value),
        (None, _) => None,
    }
}

fn histogram_at(histograms: &[HistogramSample], time: i64, notes: &mut Notes) -> Option<Histogram> {
    let next = histograms.partition_point(|sample| sample.time < time);
    let before = next.checked_sub(1);
    match (before, histograms.get(next)) {
        (_, Some(next)) if next.time == time => Some((*next.histogram).clone()),
        (Some(before), Some(after)) => {
            let pair = &histograms[before..];
            let [first, second] = [&pair[0].histogram, &after.histogram].map(Arc::as_ref);
            if first.has_custom_bounds() != second.has_custom_bounds() {
                notes.add(Note::MixedBounds);
                return None;
            }
            let gauge = |histogram: &Histogram| histogram.hint == ResetHint::Gauge;
            let counter = !(gauge(first) && gauge(second));
            extended::interpolated_histogram(pair, time, counter, notes)
        }
        (Some(before), None) => {
            let mut histogram = (*histograms[before].histogram).clone();
            histogram.hint = ResetHint::Unknown;
            Some(histogram)
        }
        (None, _) => None,
    }
}
