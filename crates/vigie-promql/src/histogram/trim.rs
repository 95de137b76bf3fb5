//! Removal of the observations above or below a value: the operators `</` and `>/`.
//!
//! The rules are those of `TrimBuckets` in Prometheus' `model/histogram/float_histogram.go`.

use super::{Bucket, Histogram, Layout};

/// The part that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Below,
    Above,
}

impl Histogram {
    /// The histogram without the observations above (or below) `limit`; the sum is estimated from the buckets.
    pub(crate) fn trimmed(&self, limit: f64, keep: Keep) -> Self {
        let mut trimmed = self.clone();
        let (mut count, mut sum, mut changed) = (0.0, 0.0, false);
        let linear = self.has_custom_bounds();
        let mut has = [false; 2];
        for (side, (positive, has)) in [true, false].into_iter().zip(&mut has).enumerate() {
            let mut change = |layout: &Layout, index, before: f64| {
                if before == 0.0 {
                    return before;
                }
                *has = true;
                let bucket = match positive {
                    true => layout.positive(index, before),
                    false => layout.negative(index, before),
                };
                let (kept, middle) = bucket.kept(limit, keep, positive, linear);
                changed |= kept != before;
                count += kept;
                sum += middle * kept;
                kept
            };
            let layout = &self.layout;
            match side {
                0 => trimmed
                    .positive
                    .update(|index, count| change(layout, index, count)),
                _ => trimmed
                    .negative
                    .update(|index, count| change(layout, index, count)),
            }
        }
        if self.zero > 0.0 {
            let (kept, middle) = self.zero_kept(limit, keep, has);
            changed |= kept != self.zero;
            trimmed.zero = kept;
            count += kept;
            sum += middle * kept;
        }
        if !changed {
            return self.clone();
        }
        trimmed.count = count;
        trimmed.sum = sum;
        trimmed.compacted()
    }

    fn zero_kept(&self, limit: f64, keep: Keep, [positive, negative]: [bool; 2]) -> (f64, f64) {
        let Bucket {
            mut lower,
            mut upper,
            count,
            ..
        } = self.zero_bucket();
        match (negative, positive) {
            (true, false) => upper = 0.0,
            (false, true) => lower = 0.0,
            _ => {}
        }
        let (from, to) = match keep {
            Keep::Below => (lower, limit.min(upper)),
            Keep::Above => (limit.max(lower), upper),
        };
        if (keep == Keep::Below && limit <= lower) || (keep == Keep::Above && limit >= upper) {
            return (0.0, 0.0);
        }
        let middle = f64::midpoint(from, to);
        match (from, to) == (lower, upper) {
            true => (count, middle),
            false => (count * ((to - from) / (upper - lower)), middle),
        }
    }
}

impl Bucket {
    /// The number of observations that stay, and the value that each of them counts for in the sum.
    fn kept(self, limit: f64, keep: Keep, positive: bool, linear: bool) -> (f64, f64) {
        let whole = match keep {
            Keep::Below => self.upper <= limit,
            Keep::Above => self.lower >= limit,
        };
        if whole {
            let middle = middle(self.lower, self.upper, positive, linear);
            return (self.count, middle);
        }
        let nothing = match keep {
            Keep::Below => self.lower >= limit,
            Keep::Above => self.upper <= limit,
        };
        if nothing || limit.is_nan() {
            return (0.0, 0.0);
        }
        if self.lower == f64::NEG_INFINITY || self.upper == f64::INFINITY {
            return self.kept_of_open(limit, keep);
        }
        let below = self.count * self.fraction_below(limit, linear);
        match keep {
            Keep::Below => (below, middle(self.lower, limit, positive, linear)),
            Keep::Above => (
                self.count - below,
                middle(limit, self.upper, positive, linear),
            ),
        }
    }

    /// As `kept`, for a bucket without a lower or an upper bound that contains `limit`.
    fn kept_of_open(self, limit: f64, keep: Keep) -> (f64, f64) {
        let finite = |bound: f64| if bound.is_finite() { bound } else { 0.0 };
        if self.lower == f64::NEG_INFINITY {
            let bounded = self.upper > 0.0 && self.upper.is_finite();
            return match keep {
                Keep::Below if limit > 0.0 && bounded => {
                    (self.count * limit / self.upper, limit / 2.0)
                }
                Keep::Below if self.upper <= 0.0 => (self.count, limit),
                Keep::Above if limit >= 0.0 && self.upper.is_finite() => (
                    self.count * (1.0 - limit / self.upper),
                    f64::midpoint(limit, self.upper),
                ),
                _ => (0.0, finite(self.upper)),
            };
        }
        match keep {
            Keep::Above if limit >= self.lower => (self.count, limit),
            _ => (0.0, finite(self.lower)),
        }
    }
}

/// The middle of an interval: geometric for exponential bounds, on the side of the finite bound if one is infinite.
fn middle(lower: f64, upper: f64, positive: bool, linear: bool) -> f64 {
    if lower.is_infinite() {
        return match upper {
            upper if upper.is_infinite() => 0.0,
            upper if upper > 0.0 => upper / 2.0,
            upper => upper,
        };
    }
    if upper.is_infinite() {
        return lower;
    }
    if linear {
        return f64::midpoint(lower, upper);
    }
    let mean = (lower * upper).abs().sqrt();
    if positive { mean } else { -mean }
}
