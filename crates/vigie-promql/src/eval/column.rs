//! How results are held while a query is evaluated: a column of values for each series, one value a step.
//!
//! A step without a sample holds [`ABSENT`]. It is the stale marker's bit pattern, which no computation yields and which a
//! selector never passes on, so a column needs neither times nor a bitmap.

use crate::{
    labels::Labels,
    value::{STALE_BITS, is_stale},
};

pub(crate) const ABSENT: f64 = f64::from_bits(STALE_BITS);

pub(crate) fn is_absent(value: f64) -> bool {
    is_stale(value)
}

/// One value a step.
pub(crate) type Column = Vec<f64>;

/// A series of a result.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) labels: Labels,
    /// Whether the metric's name is to go, when names are removed only at the end.
    pub(crate) nameless: bool,
    pub(crate) values: Column,
}

impl Series {
    pub(crate) fn new(labels: Labels, values: Column) -> Self {
        Self {
            labels,
            nameless: false,
            values,
        }
    }

    pub(crate) fn has_samples(&self) -> bool {
        self.values.iter().any(|&value| !is_absent(value))
    }
}

/// What an expression evaluates to over some steps.
#[derive(Clone, Debug)]
pub(crate) enum Evaluated {
    Scalar(Column),
    Vector(Vec<Series>),
    Text(String),
}

/// The times at which something is evaluated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    pub(crate) start: i64,
    pub(crate) step: i64,
    /// At least 1.
    pub(crate) count: usize,
}

impl Steps {
    pub(crate) fn at(self, index: usize) -> i64 {
        let passed = self.step.saturating_mul(index as i64);
        self.start.saturating_add(passed)
    }

    pub(crate) fn first_only(self) -> Self {
        Self { count: 1, ..self }
    }

    pub(crate) fn times(self) -> impl Iterator<Item = i64> {
        (0..self.count).map(move |index| self.at(index))
    }
}
