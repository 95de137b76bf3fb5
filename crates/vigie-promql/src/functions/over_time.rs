//! Aggregations of the samples of one window: `sum_over_time` and similar functions.

use super::{
    quantile::quantile,
    sum::{Mean, Sum},
};
use crate::{
    eval::{column::Column, window::Windows},
    value::Sample,
};

pub(crate) fn sum(samples: &[Sample]) -> f64 {
    let mut sum = Sum::default();
    for sample in samples {
        sum.add(sample.value);
    }
    sum.value()
}

pub(crate) fn avg(samples: &[Sample]) -> f64 {
    let mut mean = Mean::of(samples[0].value);
    for sample in &samples[1..] {
        mean.add(sample.value);
    }
    mean.value()
}

/// For each window, the sample that `better` prefers over all others, the first among equals; NaN only if all samples
/// are NaN. While the best sample stays in the window, only new samples are compared.
pub(crate) fn best(
    samples: &[Sample],
    windows: Windows<'_>,
    better: impl Fn(f64, f64) -> bool,
) -> Column {
    let (mut best, mut seen) = (0, 0);
    windows.map(samples, |window| {
        if best < window.from {
            best = window.from;
            seen = window.from;
        }
        let end = window.from + window.samples.len();
        for at in seen..end {
            let (value, known) = (samples[at].value, samples[best].value);
            if better(value, known) || known.is_nan() {
                best = at;
            }
        }
        seen = end;
        samples[best].value
    })
}

/// The population variance, by Welford's method.
pub(crate) fn variance(samples: &[Sample]) -> f64 {
    let mut count = 0.0;
    let (mut mean, mut squares) = (Sum::default(), Sum::default());
    for sample in samples {
        count += 1.0;
        let delta = sample.value - mean.value();
        mean.add(delta / count);
        squares.add(delta * (sample.value - mean.value()));
    }
    squares.value() / count
}

/// The quantile of the samples. `values` is a reused buffer.
pub(crate) fn quantile_of(samples: &[Sample], rank: f64, values: &mut Vec<f64>) -> f64 {
    values.clear();
    values.extend(samples.iter().map(|sample| sample.value));
    quantile(rank, values)
}

/// The median of the distances from the median; NaN if a value is. `values` is a reused buffer.
pub(crate) fn median_deviation(samples: &[Sample], values: &mut Vec<f64>) -> f64 {
    if samples.iter().any(|sample| sample.value.is_nan()) {
        return f64::NAN;
    }
    let median = quantile_of(samples, 0.5, values);
    for value in values.iter_mut() {
        *value = (*value - median).abs();
    }
    quantile(0.5, values)
}

/// The last of the samples than which no other is better.
pub(crate) fn last_best(samples: &[Sample], as_good: impl Fn(f64, f64) -> bool) -> Sample {
    let mut best = samples[0];
    for &sample in samples {
        if as_good(sample.value, best.value) || best.value.is_nan() {
            best = sample;
        }
    }
    best
}

/// The number of values that differ from their predecessor; two NaN do not differ.
pub(crate) fn changes(samples: &[Sample]) -> f64 {
    let differ = |pair: &&[Sample]| {
        let (before, after) = (pair[0].value, pair[1].value);
        before != after && !(before.is_nan() && after.is_nan())
    };
    samples.windows(2).filter(differ).count() as f64
}

/// The number of values lower than their predecessor.
pub(crate) fn resets(samples: &[Sample]) -> f64 {
    let falls = |pair: &&[Sample]| pair[1].value < pair[0].value;
    samples.windows(2).filter(falls).count() as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::eval::window::References;

    /// The best sample of one window, by a full scan.
    fn best_of(samples: &[Sample], better: impl Fn(f64, f64) -> bool) -> f64 {
        let mut best = samples[0].value;
        for sample in samples {
            if better(sample.value, best) || best.is_nan() {
                best = sample.value;
            }
        }
        best
    }

    proptest! {
        #[test]
        fn the_best_of_windows_that_move_is_the_best_of_each(
            values in prop::collection::vec((1..40_i64, prop::sample::select(&[-1.0, -0.0, 0.0, 1.0, 2.0, f64::NAN])), 1..60),
            first in 0..100_i64,
            step in 0..60_i64,
            range in 1..300_i64,
        ) {
            let mut time = 0;
            let samples = values.into_iter().map(|(passed, value)| {
                time += passed;
                Sample { time, value }
            });
            let samples: Vec<Sample> = samples.collect();
            let windows = Windows {
                references: References { first, step, count: 40 },
                range,
                margins: (0, 0),
                interrupted: &|| false,
                queried: &std::cell::Cell::new(0),
            };
            for better in [|a: f64, b: f64| a > b, |a: f64, b: f64| a < b] {
                let found = best(&samples, windows, better);
                let expected = windows.map(&samples, |window| best_of(window.samples, better));
                let bits = |column: Column| -> Vec<u64> { column.into_iter().map(f64::to_bits).collect() };
                prop_assert_eq!(bits(found), bits(expected));
            }
        }
    }
}
