//! How results are held while a query is evaluated: a column of values for each series, one value a step.
//!
//! A step without a sample holds [`ABSENT`]. It is the stale marker's bit pattern, which no computation yields and which a
//! selector never passes on, so a column needs neither times nor a bitmap.

use crate::{
    labels::Labels,
    value::{STALE_BITS, is_stale},
};

pub(crate) const ABSENT: f64 = f64::from_bits(STALE_BITS);

/// Bytes charged for a series beside its labels and values: its fields in a list that doubles as it grows, and its places
/// in the tables that tell which series have the same labels.
const FIELDS: usize = 3 * size_of::<Series>();

pub(crate) fn is_absent(value: f64) -> bool {
    is_stale(value)
}

/// One value a step.
pub(crate) type Column = Vec<f64>;

/// A series of a result.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    labels: Labels,
    /// Bytes of label texts that the query made for this series; the others are shared with the storage.
    made: usize,
    /// Whether the query made the set of labels too.
    made_set: bool,
    /// Whether the metric's name is to go, when names are removed only at the end.
    pub(crate) nameless: bool,
    pub(crate) values: Column,
}

impl Series {
    /// A series with the labels of the storage.
    pub(crate) fn stored(labels: &Labels, values: Column) -> Self {
        Self {
            labels: labels.clone(),
            made: 0,
            made_set: false,
            nameless: false,
            values,
        }
    }

    /// A series with labels that are made for it.
    pub(crate) fn new(labels: Labels, values: Column) -> Self {
        let mut series = Self::stored(&Labels::empty(), values);
        series.relabel(labels);
        series
    }

    /// A series with the same labels.
    pub(crate) fn without_values(&self) -> Self {
        Self {
            labels: self.labels.clone(),
            values: Vec::new(),
            ..*self
        }
    }

    /// A series whose labels are made from those of another.
    pub(crate) fn derived(&self, labels: Labels, values: Column) -> Self {
        let mut series = self.without_values();
        series.values = values;
        series.relabel(labels);
        series
    }

    /// Gives the series labels that are made from its own.
    pub(crate) fn relabel(&mut self, labels: Labels) {
        if !labels.shares_set(&self.labels) {
            let texts = labels.text_bytes_beside(&self.labels);
            self.made = self.made.saturating_add(texts);
            self.made_set = true;
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

    /// Bytes beside the values.
    pub(crate) fn overhead(&self) -> usize {
        let set = match self.made_set {
            true => self.labels.set_bytes(),
            false => 0,
        };
        FIELDS.saturating_add(set).saturating_add(self.made)
    }

    /// How much work it is to look at the labels, in the meter's unit.
    pub(crate) fn label_work(&self) -> usize {
        8 + self.made / 8
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
