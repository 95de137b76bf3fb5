//! Classic histograms: quantiles and fractions of cumulative buckets.
//!
//! The rules are those of `BucketQuantile` and `BucketFraction` in Prometheus' `promql/quantile.go`.

use crate::functions::quantile::is_valid;

/// A cumulative bucket: the count of observations less than or equal to `bound`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) bound: f64,
    pub(crate) count: f64,
}

/// Smaller relative differences are treated as rounding errors.
const ROUNDING: f64 = 1e-12;

/// The changes that made the counts monotonic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Forced {
    pub(crate) lowest_bound: f64,
    pub(crate) highest_bound: f64,
    pub(crate) largest_fall: f64,
}

/// The `rank`-quantile of the observations, interpolated linearly within a bucket; the first bucket starts at 0 if its
/// bound is positive. `buckets` must be sorted by bound and not empty; they are modified.
///
/// NaN without a `+Inf` bucket, with fewer than two buckets, or without observations.
pub(crate) fn quantile(rank: f64, buckets: &mut Vec<Bucket>) -> (f64, Option<Forced>) {
    if rank.is_nan() {
        return (f64::NAN, None);
    }
    if !is_valid(rank) {
        return (f64::INFINITY.copysign(rank), None);
    }
    if !ends_at_infinity(buckets) {
        return (f64::NAN, None);
    }
    merge_same_bounds(buckets);
    let forced = ascend(buckets);
    let last = buckets.len() - 1;
    let observations = buckets[last].count;
    if last == 0 || observations == 0.0 {
        return (f64::NAN, forced);
    }
    let mut rank = rank * observations;
    // The first bucket that reaches the rank. A NaN count never does.
    let at = first_where(last, |at| buckets[at].count >= rank);
    if at == last {
        return (buckets[last - 1].bound, forced);
    }
    if at == 0 && buckets[0].bound <= 0.0 {
        return (buckets[0].bound, forced);
    }
    let (mut start, end, mut count) = (0.0, buckets[at].bound, buckets[at].count);
    if at > 0 {
        start = buckets[at - 1].bound;
        count -= buckets[at - 1].count;
        rank -= buckets[at - 1].count;
    }
    (start + (end - start) * (rank / count), forced)
}

/// The fraction of the observations between two values. `buckets` must be sorted by bound and not empty; they are
/// modified.
pub(crate) fn fraction(lower: f64, upper: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if !ends_at_infinity(buckets) {
        return f64::NAN;
    }
    merge_same_bounds(buckets);
    let count = buckets[buckets.len() - 1].count;
    if count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let rank = |value| {
        let rank = rank_of(value, buckets);
        if rank > count { count } else { rank }
    };
    (rank(upper) - rank(lower)) / count
}

/// The number of observations below `value`; infinite if it is above all buckets.
fn rank_of(value: f64, buckets: &[Bucket]) -> f64 {
    // If all bounds are positive, no observation is below 0.
    let mut start = if buckets[0].bound <= 0.0 {
        f64::NEG_INFINITY
    } else {
        0.0
    };
    let mut rank = 0.0;
    for bucket in buckets {
        if start >= value {
            return rank;
        }
        if bucket.bound > value {
            // A bucket without a lower bound cannot be interpolated.
            if start == f64::NEG_INFINITY {
                return bucket.count;
            }
            return rank + (bucket.count - rank) * (value - start) / (bucket.bound - start);
        }
        rank = bucket.count;
        start = bucket.bound;
    }
    f64::INFINITY
}

fn ends_at_infinity(buckets: &[Bucket]) -> bool {
    buckets
        .last()
        .is_some_and(|last| last.bound == f64::INFINITY)
}

fn merge_same_bounds(buckets: &mut Vec<Bucket>) {
    buckets.dedup_by(|later, earlier| {
        let same = later.bound == earlier.bound;
        if same {
            earlier.count += later.count;
        }
        same
    });
}

/// Raises every count that is lower than its predecessor, or differs from it by rounding only, to the predecessor's.
fn ascend(buckets: &mut [Bucket]) -> Option<Forced> {
    let mut forced: Option<Forced> = None;
    let mut before = buckets[0].count;
    for bucket in &mut buckets[1..] {
        let count = bucket.count;
        if count == before {
            continue;
        }
        if nearly_equal(before, count) {
            bucket.count = before;
        } else if count < before {
            bucket.count = before;
            let forced = forced.get_or_insert(Forced {
                lowest_bound: bucket.bound,
                highest_bound: bucket.bound,
                largest_fall: 0.0,
            });
            forced.highest_bound = bucket.bound;
            forced.largest_fall = forced.largest_fall.max(before - count);
        } else {
            before = count;
        }
    }
    forced
}

fn nearly_equal(a: f64, b: f64) -> bool {
    if (a.is_nan() && b.is_nan()) || a == b {
        return true;
    }
    let sum = a.abs() + b.abs();
    let difference = (a - b).abs();
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < ROUNDING * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < ROUNDING
}

/// The first index below `end` for which `holds` returns `true`, by bisection; `end` if there is none.
fn first_where(end: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut from, mut to) = (0, end);
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    from
}
