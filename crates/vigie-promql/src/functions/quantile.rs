//! Quantiles of plain values.

use std::cmp::Ordering;

/// Ascending order, NaN first.
pub(crate) fn nan_first(a: &f64, b: &f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
    }
}

/// Whether a quantile is between 0 and 1.
pub(crate) fn is_valid(quantile: f64) -> bool {
    (0.0..=1.0).contains(&quantile)
}

/// The quantile of `values`, linearly interpolated. Reorders `values`.
///
/// NaN for no values or a NaN quantile, -Inf below 0, +Inf above 1.
pub(crate) fn quantile(quantile: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || quantile.is_nan() {
        return f64::NAN;
    }
    if !is_valid(quantile) {
        return f64::INFINITY.copysign(quantile);
    }
    let last = values.len() - 1;
    let rank = quantile * last as f64;
    let lower = (rank.floor() as usize).min(last);
    let upper = (lower + 1).min(last);
    let weight = rank - rank.floor();
    // A selection takes linear time; a full sort would not.
    let (_, &mut low, above) = values.select_nth_unstable_by(lower, nan_first);
    let next = above.iter().copied().min_by(nan_first);
    let high = next.filter(|_| upper > lower).unwrap_or(low);
    low * (1.0 - weight) + high * weight
}
