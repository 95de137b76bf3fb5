//! The zero bucket: its extension over other buckets, so that two histograms have the same one.

use super::{Buckets, Count, Histogram, Layout};

impl<N: Count> Histogram<N> {
    /// The zero bucket's count and threshold if the threshold were at least `threshold`. A bucket that the threshold
    /// would divide is included, which raises it.
    pub(super) fn wider_zero(&self, mut threshold: f64) -> (N, f64) {
        if threshold == self.layout.zero_threshold() {
            return (self.zero, threshold);
        }
        'raised: loop {
            let mut zero = self.zero;
            for (side, negative) in [(&self.positive, false), (&self.negative, true)] {
                for (index, count) in side.iter() {
                    if self.layout.lower(index) >= threshold {
                        break;
                    }
                    zero.absorb(count);
                    let upper = self.layout.upper(index);
                    if upper > threshold {
                        if !count.is_zero() {
                            threshold = upper;
                            if negative {
                                continue 'raised;
                            }
                        }
                        break;
                    }
                }
            }
            return (zero, threshold);
        }
    }

    /// Widens the zero buckets of both until they are the same; returns the other's count.
    pub(super) fn reconcile_zero(&mut self, other: &Histogram) -> f64 {
        let (mut zero, mut threshold) = (other.zero, other.layout.zero_threshold());
        loop {
            let own = self.layout.zero_threshold();
            if own > threshold {
                (zero, threshold) = other.wider_zero(own);
            }
            if threshold > own {
                self.widen_zero(threshold);
            }
            let own = self.layout.zero_threshold();
            if !(own > threshold || threshold > own) {
                return zero;
            }
        }
    }

    fn widen_zero(&mut self, threshold: f64) {
        let (zero, threshold) = self.wider_zero(threshold);
        self.zero = zero;
        if let Layout::Exponential { zero_threshold, .. } = &mut self.layout {
            *zero_threshold = threshold;
        }
        for side in [&mut self.positive, &mut self.negative] {
            let outside = side.iter();
            let outside = outside.filter(|&(index, _)| self.layout.lower(index) >= threshold);
            *side = Buckets::new(outside);
            side.compact();
        }
    }
}
