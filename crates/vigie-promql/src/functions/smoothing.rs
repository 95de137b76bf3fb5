//! Double exponential smoothing, with a trend and without seasons.

use crate::value::Sample;

/// The smoothed value of at least two samples. `smoothing` is the weight of new samples, `trend` that of new changes.
pub(crate) fn smoothed(samples: &[Sample], smoothing: f64, trend: f64) -> Option<f64> {
    let [first, second, ..] = samples else {
        return None;
    };
    let (mut before, mut level) = (0.0, first.value);
    let mut slope = second.value - first.value;
    for (at, sample) in samples[1..].iter().enumerate() {
        if at > 0 {
            slope = trend * (level - before) + (1.0 - trend) * slope;
        }
        let expected = (1.0 - smoothing) * (level + slope);
        before = level;
        level = smoothing * sample.value + expected;
    }
    Some(level)
}
