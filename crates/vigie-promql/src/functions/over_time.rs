//! What the samples of one window come to: `sum_over_time` and its like.

use super::{
    quantile::quantile,
    sum::{Mean, Sum},
};
use crate::value::Sample;

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

/// The sample that `better` prefers over all others; a NaN only where there is nothing else.
pub(crate) fn best(samples: &[Sample], better: impl Fn(f64, f64) -> bool) -> f64 {
    let mut best = samples[0].value;
    for sample in samples {
        if better(sample.value, best) || best.is_nan() {
            best = sample.value;
        }
    }
    best
}

/// The mean square of the distances from the mean, by Welford's method.
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

/// `values` is only memory to work in.
pub(crate) fn quantile_of(samples: &[Sample], rank: f64, values: &mut Vec<f64>) -> f64 {
    values.clear();
    values.extend(samples.iter().map(|sample| sample.value));
    quantile(rank, values)
}

/// How often a value differs from the one before; two NaN do not differ.
pub(crate) fn changes(samples: &[Sample]) -> f64 {
    let differ = |pair: &&[Sample]| {
        let (before, after) = (pair[0].value, pair[1].value);
        before != after && !(before.is_nan() && after.is_nan())
    };
    samples.windows(2).filter(differ).count() as f64
}

/// How often a value is lower than the one before.
pub(crate) fn resets(samples: &[Sample]) -> f64 {
    let falls = |pair: &&[Sample]| pair[1].value < pair[0].value;
    samples.windows(2).filter(falls).count() as f64
}
