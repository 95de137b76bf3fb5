//! Native histograms as sample values.
//!
//! The rules are those of `FloatHistogram` in Prometheus' `model/histogram`. Buckets are kept as sorted pairs of index and
//! count.

mod add;
mod bounds;
mod buckets;
mod count;
mod iterate;
mod moments;
mod quantile;
mod reset;
#[cfg(test)]
mod tests;
mod text;
mod trim;
mod zero;

use std::sync::Arc;

pub(crate) use add::{Added, Incompatible};
pub(crate) use buckets::Buckets;
pub(crate) use count::Count;
pub use iterate::Bucket;
pub(crate) use quantile::Nans;
pub(crate) use trim::Keep;

/// A native histogram: counts of observations in buckets with exponential or custom bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram<N = f64> {
    pub(crate) hint: ResetHint,
    pub(crate) layout: Layout,
    pub(crate) count: N,
    pub(crate) sum: N,
    /// The observations of the zero bucket; 0 with custom bounds.
    pub(crate) zero: N,
    pub(crate) positive: Buckets<N>,
    /// Empty with custom bounds.
    pub(crate) negative: Buckets<N>,
}

/// Whether there was a counter reset between a histogram and its predecessor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResetHint {
    /// Nothing.
    #[default]
    Unknown,
    /// There was one.
    Reset,
    /// There was none.
    NotReset,
    /// The histogram is a gauge.
    Gauge,
}

/// The bounds of the buckets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Layout {
    /// Each bound is 2^(2^-schema) times the one before; observations up to the threshold around 0 are in the zero
    /// bucket.
    Exponential { schema: i32, zero_threshold: f64 },
    /// The upper bounds; a last bucket without an upper bound follows.
    Custom(Arc<[f64]>),
}

impl Histogram {
    /// The number of observations.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.count
    }

    /// The sum of the observations.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// The memory of the histogram, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let bounds = match &self.layout {
            Layout::Exponential { .. } => 0,
            Layout::Custom(bounds) => size_of_val(&**bounds),
        };
        size_of::<Self>() + self.positive.bytes() + self.negative.bytes() + bounds
    }

    /// Whether both have the same bounds and the same counts, bit by bit; hints are ignored.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
        self.layout == other.layout
            && same(self.count, other.count)
            && same(self.sum, other.sum)
            && same(self.zero, other.zero)
            && self.positive.same(&other.positive)
            && self.negative.same(&other.negative)
    }
}

impl<N: Count> Histogram<N> {
    /// A histogram without observations.
    pub(crate) fn empty(layout: Layout) -> Self {
        Self {
            hint: ResetHint::Unknown,
            layout,
            count: N::default(),
            sum: N::default(),
            zero: N::default(),
            positive: Buckets::default(),
            negative: Buckets::default(),
        }
    }

    pub(crate) fn has_custom_bounds(&self) -> bool {
        matches!(self.layout, Layout::Custom(_))
    }

    /// Applies `change` to all counts and the sum.
    pub(crate) fn map<M: Count>(&self, change: impl Fn(N) -> M) -> Histogram<M> {
        Histogram {
            hint: self.hint,
            layout: self.layout.clone(),
            count: change(self.count),
            sum: change(self.sum),
            zero: change(self.zero),
            positive: self.positive.map(&change),
            negative: self.negative.map(&change),
        }
    }

    /// Multiplies all counts and the sum.
    pub(crate) fn scaled(&self, factor: f64) -> Self {
        let mut scaled = self.map(|count| count.times(factor));
        if factor < 0.0 {
            scaled.hint = ResetHint::Gauge;
        }
        scaled
    }

    /// Divides all counts and the sum.
    pub(crate) fn divided(&self, divisor: f64) -> Self {
        let mut divided = self.map(|count| count.over(divisor));
        if divisor == 0.0 {
            divided.positive = Buckets::default();
            divided.negative = Buckets::default();
        } else if divisor < 0.0 {
            divided.hint = ResetHint::Gauge;
        }
        divided
    }

    /// Removes empty buckets.
    pub(crate) fn compacted(mut self) -> Self {
        self.positive.compact();
        self.negative.compact();
        self
    }

    /// The counts without their compensation.
    pub(crate) fn value(&self) -> Histogram {
        self.map(Count::value)
    }

    /// Whether a count or the sum is infinite.
    pub(crate) fn has_overflow(&self) -> bool {
        let infinite = |count: N| count.total().is_infinite();
        let buckets = self.positive.iter().chain(self.negative.iter());
        infinite(self.count)
            || infinite(self.sum)
            || infinite(self.zero)
            || buckets.map(|(_, count)| count).any(infinite)
    }
}
