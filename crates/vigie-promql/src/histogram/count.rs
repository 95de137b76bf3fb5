//! The counts of a histogram: plain numbers, or sums with their compensation.

use crate::functions::sum::Sum;

/// A count of observations that can be added to.
pub trait Count: Copy + Default {
    /// Adds a number.
    fn add(&mut self, term: f64);
    /// Adds another count.
    fn absorb(&mut self, other: Self);
    fn times(self, factor: f64) -> Self;
    fn over(self, divisor: f64) -> Self;
    /// The count without its compensation.
    fn total(self) -> f64;
    /// The count with its compensation.
    fn value(self) -> f64;
    /// Whether it is exactly 0.
    fn is_zero(self) -> bool;
}

impl Count for f64 {
    fn add(&mut self, term: f64) {
        *self += term;
    }

    fn absorb(&mut self, other: Self) {
        *self += other;
    }

    fn times(self, factor: f64) -> Self {
        self * factor
    }

    fn over(self, divisor: f64) -> Self {
        self / divisor
    }

    fn total(self) -> f64 {
        self
    }

    fn value(self) -> f64 {
        self
    }

    fn is_zero(self) -> bool {
        self == 0.0
    }
}

impl Count for Sum {
    fn add(&mut self, term: f64) {
        Self::add(self, term);
    }

    fn absorb(&mut self, other: Self) {
        Self::add(self, other.total);
        Self::add(self, other.lost);
    }

    fn times(self, factor: f64) -> Self {
        Self {
            total: self.total * factor,
            lost: self.lost * factor,
        }
    }

    fn over(self, divisor: f64) -> Self {
        Self {
            total: self.total / divisor,
            lost: self.lost / divisor,
        }
    }

    fn total(self) -> f64 {
        self.total
    }

    fn value(self) -> f64 {
        Self::value(self)
    }

    fn is_zero(self) -> bool {
        self.total == 0.0 && self.lost == 0.0
    }
}
