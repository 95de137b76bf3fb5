//! Folds of the samples of a group into one value.

use crate::functions::sum::{Mean, Sum};

/// A fold over samples.
pub(super) trait Fold: Copy {
    fn first(value: f64) -> Self;
    fn add(&mut self, value: f64);
    fn value(self) -> f64;
}

impl Fold for Sum {
    fn first(value: f64) -> Self {
        Self::of(value)
    }

    fn add(&mut self, value: f64) {
        Self::add(self, value);
    }

    fn value(self) -> f64 {
        Self::value(self)
    }
}

impl Fold for Mean {
    fn first(value: f64) -> Self {
        Self::of(value)
    }

    fn add(&mut self, value: f64) {
        Self::add(self, value);
    }

    fn value(self) -> f64 {
        Self::value(self)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Count(f64);

impl Fold for Count {
    fn first(_: f64) -> Self {
        Self(1.0)
    }

    fn add(&mut self, _: f64) {
        self.0 += 1.0;
    }

    fn value(self) -> f64 {
        self.0
    }
}

#[derive(Clone, Copy)]
pub(super) struct Presence;

impl Fold for Presence {
    fn first(_: f64) -> Self {
        Self
    }

    fn add(&mut self, _: f64) {}

    fn value(self) -> f64 {
        1.0
    }
}

/// The minimum; NaN only if all samples are NaN.
#[derive(Clone, Copy)]
pub(super) struct Minimum(f64);

impl Fold for Minimum {
    fn first(value: f64) -> Self {
        Self(value)
    }

    fn add(&mut self, value: f64) {
        if value < self.0 || self.0.is_nan() {
            self.0 = value;
        }
    }

    fn value(self) -> f64 {
        self.0
    }
}

/// The maximum; NaN only if all samples are NaN.
#[derive(Clone, Copy)]
pub(super) struct Maximum(f64);

impl Fold for Maximum {
    fn first(value: f64) -> Self {
        Self(value)
    }

    fn add(&mut self, value: f64) {
        if value > self.0 || self.0.is_nan() {
            self.0 = value;
        }
    }

    fn value(self) -> f64 {
        self.0
    }
}

/// The population variance, by Welford's method.
#[derive(Clone, Copy)]
pub(super) struct Variance {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Fold for Variance {
    fn first(value: f64) -> Self {
        Self {
            count: 1.0,
            mean: value,
            squares: if value.is_finite() { 0.0 } else { f64::NAN },
        }
    }

    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
    }

    fn value(self) -> f64 {
        self.squares / self.count
    }
}

/// The square root of the [`Variance`].
#[derive(Clone, Copy)]
pub(super) struct StandardDeviation(Variance);

impl Fold for StandardDeviation {
    fn first(value: f64) -> Self {
        Self(Variance::first(value))
    }

    fn add(&mut self, value: f64) {
        self.0.add(value);
    }

    fn value(self) -> f64 {
        self.0.value().sqrt()
    }
}
