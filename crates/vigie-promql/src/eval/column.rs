//! The representation of results during evaluation: for each series a column with one value per step.
//!
//! A step without a sample holds [`ABSENT`]. This is the bit pattern of the stale marker, which no computation yields
//! and which selectors never return, so a column needs neither times nor a bitmap.

use crate::{
    labels::Labels,
    value::{STALE_BITS, is_stale},
};

pub(crate) const ABSENT: f64 = f64::from_bits(STALE_BITS);

/// Bytes charged for a series besides its labels and values: its fields in a list that doubles as it grows, and its
/// entries in the hash tables that compare label sets.
const FIELDS: usize = 3 * size_of::<Series>();

pub(crate) fn is_absent(value: f64) -> bool {
    is_stale(value)
}

/// One value per step.
pub(crate) type Column = Vec<f64>;

/// A series of a result.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    labels: Labels,
    /// Bytes of label texts allocated by the query for this series; all others are shared with the storage.
    own_text_bytes: usize,
    /// Whether the query allocated the label set too.
    owns_set: bool,
    /// Whether the metric name is to be dropped at the end of the query (delayed name removal).
    pub(crate) drops_name: bool,
    pub(crate) values: Column,
}

impl Series {
    /// A series with labels of the storage.
    pub(crate) fn stored(labels: &Labels, values: Column) -> Self {
        Self {
            labels: labels.clone(),
            own_text_bytes: 0,
            owns_set: false,
            drops_name: false,
            values,
        }
    }

    /// A series with newly allocated labels.
    pub(crate) fn new(labels: Labels, values: Column) -> Self {
        let mut series = Self::stored(&Labels::empty(), values);
        series.relabel(labels);
        series
    }

    /// A series with the same labels and no values.
    pub(crate) fn without_values(&self) -> Self {
        Self {
            labels: self.labels.clone(),
            values: Vec::new(),
            ..*self
        }
    }

    /// A series with labels derived from those of `self`.
    pub(crate) fn derived(&self, labels: Labels, values: Column) -> Self {
        let mut series = self.without_values();
        series.values = values;
        series.relabel(labels);
        series
    }

    /// Replaces the labels by ones derived from them.
    pub(crate) fn relabel(&mut self, labels: Labels) {
        if !labels.shares_set(&self.labels) {
            let texts = labels.unshared_text_bytes(&self.labels);
            self.own_text_bytes = self.own_text_bytes.saturating_add(texts);
            self.owns_set = true;
            self.labels = labels;
        }
    }

    pub(crate) fn labels(&self) -> &Labels {
        &self.labels
    }

    pub(crate) fn into_parts(self) -> (Labels, Column) {
        (self.labels, self.values)
    }

    pub(crate) fn has_samples(&self) -> bool {
        self.values.iter().any(|&value| !is_absent(value))
    }

    /// Bytes charged besides the values.
    pub(crate) fn overhead(&self) -> usize {
        let set = match self.owns_set {
            true => self.labels.set_bytes(),
            false => 0,
        };
        FIELDS
            .saturating_add(set)
            .saturating_add(self.own_text_bytes)
    }

    /// The work of reading the labels, in the meter's unit.
    pub(crate) fn label_work(&self) -> usize {
        8 + self.own_text_bytes / 8
    }
}

/// The result of an expression over some steps.
#[derive(Clone, Debug)]
pub(crate) enum Evaluated {
    Scalar(Column),
    Vector(Vec<Series>),
    Text(String),
}

/// The times at which an expression is evaluated.
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
