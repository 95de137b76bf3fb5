//! `rate`, `increase`, `delta`, and their instant forms, of native histograms.

use super::{
    Point, merged,
    notes::{Note, Notes},
};
use crate::{
    eval::column::Cell,
    functions::rate::{Extrapolation, Rate},
    histogram::{Histogram, Layout, ResetHint},
    value::{HistogramSample, Samples},
};

/// The extrapolated change of the histograms of a window that ends at `end`.
pub(crate) fn extrapolated(
    rate: Rate,
    samples: &[HistogramSample],
    (end, range): (i64, i64),
    notes: &mut Notes,
) -> Option<Histogram> {
    let [first, .., last] = samples else {
        return None;
    };
    let change = change(rate, samples, notes)?;
    let ends = (first.time, last.time);
    let extrapolation = Extrapolation::new(rate, ends, samples.len() - 1, (end, range));
    let factor = extrapolation.factor(rate, first.histogram.count, change.count);
    Some(change.scaled(factor))
}

fn change(rate: Rate, samples: &[HistogramSample], notes: &mut Notes) -> Option<Histogram> {
    let all = samples.iter().map(|sample| &*sample.histogram);
    let (first, last) = (all.clone().next()?, all.clone().next_back()?);
    if !rate.counter {
        if last.has_custom_bounds() != first.has_custom_bounds() {
            notes.add(Note::MixedBounds);
            return None;
        }
        let mut change = last.clone();
        notes.combine(&mut change, first, -1.0)?;
        notes.expect_gauges([first, last].into_iter());
        change.hint = ResetHint::Gauge;
        return Some(change.compacted());
    }
    notes.expect_counters(all.clone());
    // After a reset the first histogram has no part in the change.
    let second = &*samples[1].histogram;
    let nothing = second
        .is_reset_after(first)
        .then(|| Histogram::empty(without_zero_bucket(&second.layout)));
    let mut before = nothing.as_ref().unwrap_or(first);
    if all
        .clone()
        .skip(1)
        .any(|one| one.has_custom_bounds() != before.has_custom_bounds())
    {
        notes.add(Note::MixedBounds);
        return None;
    }
    let mut change = last.clone();
    let lowest = all.clone().skip(1).filter_map(|one| one.layout.schema());
    if let Some(lowest) = lowest.chain(before.layout.schema()).min() {
        change.reduce(lowest);
    }
    notes.combine(&mut change, before, -1.0)?;
    for one in all.skip(1) {
        if one.is_reset_after(before) {
            notes.combine(&mut change, before, 1.0)?;
        }
        before = one;
    }
    change.hint = ResetHint::Gauge;
    Some(change.compacted())
}

fn without_zero_bucket(layout: &Layout) -> Layout {
    match layout {
        Layout::Exponential { schema, .. } => Layout::Exponential {
            schema: *schema,
            zero_threshold: 0.0,
        },
        custom => custom.clone(),
    }
}

/// The rate or difference of the last two samples of a window.
pub(crate) fn instant(
    rate: Rate,
    samples: Samples<'_>,
    notes: &mut Notes,
) -> Option<Cell<Histogram>> {
    let last_two = Samples {
        floats: last(samples.floats, 2),
        histograms: last(samples.histograms, 2),
    };
    let all: Vec<(i64, Point<'_>)> = merged(last_two).collect();
    let [.., (from, before), (to, now)] = *all else {
        return None;
    };
    let seconds = to.saturating_sub(from) as f64 / 1000.0;
    if seconds == 0.0 {
        return None;
    }
    let divisor = if rate.per_second { seconds } else { 1.0 };
    match (before, now) {
        (Point::Float(before), Point::Float(now)) => {
            let reset = rate.counter && now < before;
            let change = if reset { now } else { now - before };
            Some(Cell::Float(change / divisor))
        }
        (Point::Histogram(before), Point::Histogram(now)) => {
            let both = [before, now].into_iter();
            match rate.counter {
                true => notes.expect_counters(both),
                false => notes.expect_gauges(both),
            }
            let mut change = now.clone();
            if !rate.counter || !now.is_reset_after(before) {
                notes.combine(&mut change, before, -1.0)?;
            }
            change.hint = ResetHint::Gauge;
            Some(Cell::Histogram(change.divided(divisor).compacted()))
        }
        _ => {
            notes.add(Note::MixedFloats);
            None
        }
    }
}

fn last<T>(samples: &[T], count: usize) -> &[T] {
    &samples[samples.len().saturating_sub(count)..]
}
