//! The variance of the observations.

use super::Histogram;
use crate::functions::sum::Sum;

impl Histogram {
    /// The population variance, estimated with all observations of a bucket at its middle: the arithmetic mean of its
    /// bounds for custom bounds, the geometric mean for exponential ones, and 0 for a bucket that contains 0.
    pub(crate) fn variance(&self) -> f64 {
        let mean = self.sum / self.count;
        let mut squares = Sum::default();
        for bucket in self.buckets().filter(|bucket| bucket.count != 0.0) {
            let middle = if self.has_custom_bounds() {
                (bucket.upper + bucket.lower) / 2.0
            } else if bucket.lower <= 0.0 && bucket.upper >= 0.0 {
                0.0
            } else {
                (bucket.upper * bucket.lower).sqrt().copysign(bucket.upper)
            };
            let delta = middle - mean;
            squares.add(bucket.count * delta * delta);
        }
        squares.value() / self.count
    }
}
