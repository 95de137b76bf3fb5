//! Native histograms.

use super::Frame;
use crate::{
    functions::native::notes::{Note, Notes},
    histogram::{Histogram, ResetHint},
    value::HistogramSample,
};

/// `rate`, `increase` or `delta` between the ends of a window, without extrapolation.
pub(crate) fn histogram_rate(
    frame: Frame,
    samples: &[HistogramSample],
    notes: &mut Notes,
) -> Option<Histogram> {
    let (first, last) = frame.ends(samples.len(), |at| samples[at].time)?;
    let used = &samples[first..=last];
    let custom = used[0].histogram.has_custom_bounds();
    if used
        .iter()
        .any(|one| one.histogram.has_custom_bounds() != custom)
    {
        notes.add(Note::MixedBounds);
        return None;
    }
    let counter = frame.rate.counter;
    if counter {
        notes.expect_counters(used.iter().map(|one| &*one.histogram));
    }
    let mut left = (*used[0].histogram).clone();
    if frame.smoothed && used[0].time < frame.start {
        left = interpolated_histogram(&samples[first..], frame.start, counter, notes)?;
    }
    let mut right = (*samples[last].histogram).clone();
    if frame.smoothed && last > 0 && samples[last].time > frame.end {
        right = interpolated_histogram(&samples[last - 1..], frame.end, counter, notes)?;
    }
    if !counter {
        notes.expect_gauges([&left, &right].into_iter());
    }
    let mut change = right.clone();
    notes.combine(&mut change, &left, -1.0)?;
    if counter && let Some(lost) = lost(frame, used, (&left, &right), notes)? {
        notes.combine(&mut change, &lost, 1.0)?;
    }
    if frame.rate.per_second {
        change = change.divided(frame.per_second());
    }
    change.hint = ResetHint::Gauge;
    Some(change.compacted())
}

/// The sum of the histograms before each reset within the window; the inner `None` means no reset.
fn lost(
    frame: Frame,
    used: &[HistogramSample],
    (left, right): (&Histogram, &Histogram),
    notes: &mut Notes,
) -> Option<Option<Histogram>> {
    let (mut first, mut before) = (1, left);
    if frame.smoothed
        && used[0].time < frame.start
        && let Some(second) = used.get(1)
        && second.histogram.is_reset_after(&used[0].histogram)
    {
        // The value at the start is interpolated after this reset.
        before = &second.histogram;
        first = 2;
    }
    if first > used.len() - 1 {
        return Some(None);
    }
    let inside = used[first..used.len() - 1].iter();
    let mut lost: Option<Histogram> = None;
    for now in inside.map(|one| &*one.histogram).chain([right]) {
        if now.is_reset_after(before) {
            match &mut lost {
                Some(lost) => _ = notes.combine(lost, before, 1.0)?,
                None => lost = Some(before.clone()),
            }
        }
        before = now;
    }
    Some(lost)
}

/// The histogram at a time between the first two of `samples`. A counter that is reset between them starts at 0.
pub(crate) fn interpolated_histogram(
    samples: &[HistogramSample],
    time: i64,
    counter: bool,
    notes: &mut Notes,
) -> Option<Histogram> {
    let [before, after, ..] = samples else {
        return None;
    };
    if time == before.time {
        return Some((*before.histogram).clone());
    }
    if time == after.time {
        return Some((*after.histogram).clone());
    }
    let passed = time.saturating_sub(before.time) as f64;
    let fraction = passed / after.time.saturating_sub(before.time) as f64;
    if counter && after.histogram.is_reset_after(&before.histogram) {
        return Some(after.histogram.scaled(fraction));
    }
    let mut change = (*after.histogram).clone();
    notes.combine(&mut change, &before.histogram, -1.0)?;
    let mut value = change.scaled(fraction);
    notes.combine(&mut value, &before.histogram, 1.0)?;
    Some(value)
}
