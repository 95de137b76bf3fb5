//! The bounds of buckets.

use std::sync::Arc;

use super::Layout;

impl Layout {
    /// The upper bound of a bucket of the positive side.
    pub(crate) fn upper(&self, index: i32) -> f64 {
        match self {
            Self::Exponential { schema, .. } => exponential(index, *schema),
            Self::Custom(bounds) => {
                let bound = usize::try_from(index).ok().and_then(|at| bounds.get(at));
                bound.copied().unwrap_or(match index {
                    ..0 => f64::NEG_INFINITY,
                    _ => f64::INFINITY,
                })
            }
        }
    }

    /// The lower bound of a bucket of the positive side.
    pub(crate) fn lower(&self, index: i32) -> f64 {
        self.upper(index.saturating_sub(1))
    }

    /// The half-width of the zero bucket.
    pub(crate) fn zero_threshold(&self) -> f64 {
        match self {
            Self::Exponential { zero_threshold, .. } => *zero_threshold,
            Self::Custom(_) => 0.0,
        }
    }

    /// The schema of exponential bounds.
    pub(crate) fn schema(&self) -> Option<i32> {
        match self {
            Self::Exponential { schema, .. } => Some(*schema),
            Self::Custom(_) => None,
        }
    }

    /// The same exponential bounds with a lower resolution.
    pub(crate) fn with_schema(&self, schema: i32) -> Self {
        match self {
            Self::Exponential { zero_threshold, .. } => Self::Exponential {
                schema,
                zero_threshold: *zero_threshold,
            },
            custom => custom.clone(),
        }
    }
}

/// 2^(index × 2^-schema), with the greatest number in place of 2^1024.
pub(super) fn exponential(index: i32, schema: i32) -> f64 {
    let exponent = f64::from(index) * (-f64::from(schema)).exp2();
    match exponent == 1024.0 {
        true => f64::MAX,
        false => exponent.exp2(),
    }
}

/// The index, at a lower resolution, of the bucket that contains a bucket.
pub(super) fn coarser(index: i32, from: i32, to: i32) -> i32 {
    ((index - 1) >> (from - to).clamp(0, 31)) + 1
}

/// The bounds that two ascending lists have in common.
pub(super) fn common(a: &[f64], b: &[f64]) -> Arc<[f64]> {
    let mut b = b.iter().peekable();
    let both = a.iter().filter(|bound| {
        while b.next_if(|other| other < bound).is_some() {}
        b.peek().is_some_and(|other| other == bound)
    });
    both.copied().collect()
}

/// For each bucket of `from`, the index of the bucket of `to` that contains it; `to` is a subset of `from`.
pub(super) fn containing(index: i32, from: &[f64], to: &[f64]) -> i32 {
    let bound = usize::try_from(index).ok().and_then(|at| from.get(at));
    let at = match bound {
        Some(bound) => to.partition_point(|upper| upper < bound),
        None => to.len(),
    };
    i32::try_from(at).unwrap_or(i32::MAX)
}
