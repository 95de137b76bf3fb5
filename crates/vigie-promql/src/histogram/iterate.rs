//! The buckets with their bounds, in the order of their values.

use super::{Histogram, Layout};

/// A bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The lower bound.
    pub lower: f64,
    /// The upper bound.
    pub upper: f64,
    /// Whether the lower bound belongs to the bucket.
    pub lower_inclusive: bool,
    /// Whether the upper bound belongs to the bucket.
    pub upper_inclusive: bool,
    /// The number of observations.
    pub count: f64,
}

impl Bucket {
    /// The part of the bucket below `value`, which is inside of it.
    pub(super) fn fraction_below(self, value: f64, linear: bool) -> f64 {
        if linear {
            return (value - self.lower) / (self.upper - self.lower);
        }
        let [lower, upper, at] = [self.lower, self.upper, value].map(|x| x.abs().log2());
        match value > 0.0 {
            true => (at - lower) / (upper - lower),
            false => 1.0 - (at - upper) / (lower - upper),
        }
    }
}

impl Histogram {
    /// The buckets in ascending order. Buckets of an exponential histogram end where the zero bucket starts.
    pub fn buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> + Clone + '_ {
        let negative = self.negative_buckets().rev();
        let positive = self.positive_buckets();
        let threshold = self.layout.zero_threshold();
        let clipped = move |mut bucket: Bucket| {
            if bucket.upper < 0.0 && bucket.upper > -threshold {
                bucket.upper = -threshold;
            } else if bucket.lower > 0.0 && bucket.lower < threshold {
                bucket.lower = threshold;
            }
            bucket
        };
        let zero = (self.zero > 0.0).then(|| self.zero_bucket());
        negative
            .map(clipped)
            .chain(zero)
            .chain(positive.map(clipped))
    }

    pub(super) fn zero_bucket(&self) -> Bucket {
        let threshold = self.layout.zero_threshold();
        Bucket {
            lower: -threshold,
            upper: threshold,
            lower_inclusive: true,
            upper_inclusive: true,
            count: self.zero,
        }
    }

    pub(super) fn positive_buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> + Clone + '_ {
        let buckets = self.positive.iter();
        buckets.map(|(index, count)| self.layout.positive(index, count))
    }

    /// The buckets of the negative side, in descending order.
    pub(super) fn negative_buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> + Clone + '_ {
        let buckets = self.negative.iter();
        buckets.map(|(index, count)| self.layout.negative(index, count))
    }

    /// The zero bucket reaches only to 0 on a side without buckets, if the other side has some.
    pub(super) fn without_empty_side(&self, mut bucket: Bucket) -> Bucket {
        match (self.negative.is_empty(), self.positive.is_empty()) {
            (true, false) => bucket.lower = 0.0,
            (false, true) => bucket.upper = 0.0,
            _ => {}
        }
        bucket
    }
}

impl Layout {
    pub(super) fn positive(&self, index: i32, count: f64) -> Bucket {
        let (lower, upper) = (self.lower(index), self.upper(index));
        let custom = matches!(self, Self::Custom(_));
        Bucket {
            lower,
            upper,
            lower_inclusive: if custom { index == 0 } else { lower < 0.0 },
            upper_inclusive: custom || upper > 0.0,
            count,
        }
    }

    pub(super) fn negative(&self, index: i32, count: f64) -> Bucket {
        let (lower, upper) = (-self.upper(index), -self.lower(index));
        Bucket {
            lower,
            upper,
            lower_inclusive: lower < 0.0,
            upper_inclusive: upper > 0.0,
            count,
        }
    }
}
