//! Quantiles and fractions of the observations.
//!
//! The rules are those of `HistogramQuantile` and `HistogramFraction` in Prometheus' `promql/quantile.go`.

use super::Histogram;

/// How observations that are NaN, which are in no bucket, affect a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nans {
    /// The result is NaN.
    Result,
    /// The result is too high.
    Skew,
    /// They are not part of the fraction.
    Excluded,
}

impl Histogram {
    /// The `rank`-quantile, interpolated linearly in the zero bucket and with custom bounds, exponentially elsewhere.
    pub(crate) fn quantile(&self, rank: f64) -> (f64, Option<Nans>) {
        if rank < 0.0 {
            return (f64::NEG_INFINITY, None);
        }
        if rank > 1.0 {
            return (f64::INFINITY, None);
        }
        if self.count == 0.0 || rank.is_nan() {
            return (f64::NAN, None);
        }
        let has_nans = self.sum.is_nan();
        // From the nearer end, so that few counts are added.
        let ascending = has_nans || rank < 0.5;
        let (mut up, mut down) = (self.buckets(), self.buckets().rev());
        let mut next = || if ascending { up.next() } else { down.next() };
        let share = if ascending { rank } else { 1.0 - rank };
        let wanted = share * self.count;
        let (mut bucket, mut count) = (None, 0.0);
        while let Some(one) = next() {
            // If the counts do not add up, it is the last one.
            bucket = Some(one);
            count += one.count;
            if one.count != 0.0 && count >= wanted {
                break;
            }
        }
        let Some(mut bucket) = bucket else {
            return match has_nans {
                true => (f64::NAN, Some(Nans::Result)),
                false => (0.0, None),
            };
        };
        if self.has_custom_bounds() {
            if bucket.lower == f64::NEG_INFINITY {
                if bucket.upper <= 0.0 {
                    return (bucket.upper, None);
                }
                bucket.lower = 0.0;
            } else if bucket.upper == f64::INFINITY {
                return (bucket.lower, None);
            }
        } else if bucket.lower < 0.0 && bucket.upper > 0.0 {
            bucket = self.without_empty_side(bucket);
        }
        count = count.min(self.count);
        if count < wanted {
            return match has_nans {
                true => (f64::NAN, Some(Nans::Result)),
                false => (bucket.upper, None),
            };
        }
        let above = match ascending {
            true => wanted - (count - bucket.count),
            false => count - wanted,
        };
        let mut nans = None;
        if has_nans {
            while let Some(one) = next() {
                count += one.count;
            }
            nans = (count < self.count).then_some(Nans::Skew);
        }
        let fraction = above / bucket.count;
        if self.has_custom_bounds() || (bucket.lower <= 0.0 && bucket.upper >= 0.0) {
            let value = bucket.lower + (bucket.upper - bucket.lower) * fraction;
            return (value, nans);
        }
        let (lower, upper) = (bucket.lower.abs().log2(), bucket.upper.abs().log2());
        let value = match bucket.lower > 0.0 {
            true => (lower + (upper - lower) * fraction).exp2(),
            false => -(upper + (lower - upper) * (1.0 - fraction)).exp2(),
        };
        (value, nans)
    }

    /// The fraction of the observations between two values.
    pub(crate) fn fraction(&self, lower: f64, upper: f64) -> (f64, Option<Nans>) {
        if self.count == 0.0 || lower.is_nan() || upper.is_nan() {
            return (f64::NAN, None);
        }
        if lower >= upper {
            return (0.0, None);
        }
        let in_buckets: f64 = self.buckets().map(|bucket| bucket.count).sum();
        let (mut count, mut nans) = (self.count, None);
        if self.sum.is_nan() {
            count = in_buckets;
            nans = (count < self.count).then_some(Nans::Excluded);
        }
        let rank = |value| {
            let rank = self.rank_of(value).unwrap_or(count);
            if rank > count { count } else { rank }
        };
        ((rank(upper) - rank(lower)) / self.count, nans)
    }

    /// The number of observations below `value`; `None` if it is above all buckets.
    fn rank_of(&self, value: f64) -> Option<f64> {
        let mut rank = 0.0;
        for mut bucket in self.buckets() {
            let zero = bucket.lower <= 0.0 && bucket.upper >= 0.0;
            if zero {
                bucket = self.without_empty_side(bucket);
            }
            if bucket.lower >= value {
                return Some(rank);
            }
            if bucket.upper > value {
                let linear = self.has_custom_bounds() || zero;
                // A bucket without a lower bound cannot be interpolated.
                if linear && bucket.lower == f64::NEG_INFINITY {
                    return Some(bucket.count);
                }
                return Some(rank + bucket.count * bucket.fraction_below(value, linear));
            }
            rank += bucket.count;
        }
        None
    }
}
