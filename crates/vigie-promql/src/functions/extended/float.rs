//! Floats.

use super::{Frame, Rate};
use crate::value::Sample;

/// `rate`, `increase` or `delta` between the ends of a window, without extrapolation.
pub(crate) fn float_rate(frame: Frame, samples: &[Sample]) -> Option<f64> {
    let (first, last) = frame.ends(samples.len(), |at| samples[at].time)?;
    let (left, right) = ends(frame, samples, (first, last));
    let mut change = right - left;
    if frame.rate.counter {
        let mut before = left;
        let inside = inside(frame, &samples[first..=last]);
        for now in inside.map(|sample| sample.value).chain([right]) {
            if now < before {
                change += before;
            }
            before = now;
        }
    }
    Some(match frame.rate.per_second {
        true => change / frame.per_second(),
        false => change,
    })
}

/// The samples of a window with values at its start and its end.
pub(crate) fn points(frame: Frame, samples: &[Sample]) -> Vec<Sample> {
    let Some((first, last)) = frame.ends(samples.len(), |at| samples[at].time) else {
        return Vec::new();
    };
    let (left, right) = ends(frame, samples, (first, last));
    let at = |time, value| Sample { time, value };
    let mut points = vec![at(frame.start, left)];
    points.extend(inside(frame, &samples[first..=last]));
    points.push(at(frame.end, right));
    points
}

fn inside(frame: Frame, samples: &[Sample]) -> impl Iterator<Item = &Sample> {
    let inside = move |sample: &&Sample| sample.time > frame.start && sample.time < frame.end;
    samples.iter().filter(inside)
}

/// The values at the start and the end of a window.
fn ends(frame: Frame, samples: &[Sample], (first, last): (usize, usize)) -> (f64, f64) {
    let Rate { counter, .. } = frame.rate;
    let mut left = samples[first].value;
    if frame.smoothed && samples[first].time < frame.start {
        left = interpolated(samples[first], samples[first + 1], frame.start, counter);
    }
    let mut right = samples[last].value;
    if frame.smoothed && last > 0 && samples[last].time > frame.end {
        right = interpolated(samples[last - 1], samples[last], frame.end, counter);
    }
    (left, right)
}

/// The value at a time between two samples. A counter that is reset between them starts at 0.
pub(crate) fn interpolated(before: Sample, after: Sample, time: i64, counter: bool) -> f64 {
    let from = match counter && after.value < before.value {
        true => 0.0,
        false => before.value,
    };
    let passed = time.saturating_sub(before.time) as f64;
    let whole = after.time.saturating_sub(before.time) as f64;
    from + (after.value - from) * passed / whole
}
