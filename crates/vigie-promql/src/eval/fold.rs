//! Folds of the samples of a group into one value.

use crate::functions::sum::{Mean, Sum};

/// A fold over samples.
pub(super) trait Fold: Copy + Send {
    fn first(value: f64) -> Self;
    fn add(&mut self, value: f64);
    fn value(self) -> f64;

    /// The fold of the samples of both, of which those of `other` come last.
    fn and(self, other: Self) -> Self;
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

    fn and(self, other: Self) -> Self {
        Self::and(self, other)
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

    fn and(self, other: Self) -> Self {
        Self::and(self, other)
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

    fn and(self, other: Self) -> Self {
        Self(self.0 + other.0)
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

    fn and(self, _: Self) -> Self {
        Self
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

    fn and(mut self, other: Self) -> Self {
        self.add(other.0);
        self
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

    fn and(mut self, other: Self) -> Self {
        self.add(other.0);
        self
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

    /// Chan's method.
    fn and(self, other: Self) -> Self {
        let count = self.count + other.count;
        let delta = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + delta * (other.count / count),
            squares: self.squares
                + other.squares
                + delta * delta * (self.count * other.count / count),
        }
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

    fn and(self, other: Self) -> Self {
        Self(self.0.and(other.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded<F: Fold>(values: &[f64]) -> Option<F> {
        let (first, rest) = values.split_first()?;
        let mut fold = F::first(*first);
        rest.iter().for_each(|value| fold.add(*value));
        Some(fold)
    }

    /// The fold of all, and that of both parts together.
    fn both_ways<F: Fold>(values: &[f64], at: usize) -> Option<(f64, f64)> {
        let (first, second) = values.split_at(at.min(values.len()));
        let parts = folded::<F>(first)?.and(folded::<F>(second)?);
        Some((folded::<F>(values)?.value(), parts.value()))
    }

    fn close(whole: f64, parts: f64, scale: f64) -> bool {
        whole == parts || whole.is_nan() && parts.is_nan() || (whole - parts).abs() <= 1e-12 * scale
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        let value = prop_oneof![
            8 => -1e9..1e9_f64,
            4 => (0..100_000_u32).prop_map(f64::from),
            1 => prop::sample::select(vec![0.0, -0.0, 1e17, -1e17, 1e-300]),
        ];
        prop::collection::vec(value, 2..60)
    }

    proptest! {
        #[test]
        fn parts_fold_as_the_whole(values in values(), at in 1..59_usize) {
            let most = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
            // An exact result may be 0, so the error is compared with the compensated sum of the sizes.
            let sizes: f64 = values.iter().map(|value| value.abs()).sum();
            let ways = [
                (both_ways::<Sum>(&values, at), sizes),
                (both_ways::<Mean>(&values, at), most),
                (both_ways::<Count>(&values, at), 0.0),
                (both_ways::<Presence>(&values, at), 0.0),
                (both_ways::<Minimum>(&values, at), 0.0),
                (both_ways::<Maximum>(&values, at), 0.0),
                (both_ways::<Variance>(&values, at), most * most),
                (both_ways::<StandardDeviation>(&values, at), 1e3 * most),
            ];
            for (at, (ways, scale)) in ways.into_iter().enumerate() {
                if let Some((whole, parts)) = ways {
                    prop_assert!(close(whole, parts, scale), "{at}: {whole}, {parts}");
                }
            }
        }
    }

    #[test]
    fn values_that_are_not_finite() {
        let of = |values: &[f64]| {
            let ways = [both_ways::<Sum>(values, 1), both_ways::<Mean>(values, 1)];
            let same = |(whole, parts): (f64, f64)| close(whole, parts, whole.abs());
            ways.into_iter().flatten().all(same)
        };
        assert!(of(&[f64::INFINITY, 1.0, 2.0]));
        assert!(of(&[1.0, f64::INFINITY]));
        assert!(of(&[f64::INFINITY, f64::NEG_INFINITY]));
        assert!(of(&[1.0, f64::NAN]));
        assert!(of(&[f64::MAX, f64::MAX, f64::MAX]));
        assert!(of(&[f64::MAX, -f64::MAX]));
        assert_eq!(both_ways::<Minimum>(&[f64::NAN, 1.0], 1), Some((1.0, 1.0)));
        assert_eq!(both_ways::<Maximum>(&[1.0, f64::NAN], 1), Some((1.0, 1.0)));
    }
}
