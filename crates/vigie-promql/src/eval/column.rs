//! The representation of results during evaluation: for each series a column with one value per step.
//!
//! A step without a sample holds [`ABSENT`]. This is the bit pattern of the stale marker, which no computation yields
//! and which selectors never return, so a column needs neither times nor a bitmap.

use std::sync::Arc;

use crate::{
    histogram::Histogram,
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

/// The native histograms of a series, one per step; nothing for a series without any. At a step with a histogram the
/// column of floats is [`ABSENT`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Histograms(Option<Box<Cells>>);

/// Boxed, so that the many series without histograms stay small: they are moved and visited often.
#[derive(Clone, Debug)]
struct Cells(Vec<Option<Arc<Histogram>>>);

impl Histograms {
    pub(crate) fn new(steps: Vec<Option<Arc<Histogram>>>) -> Self {
        let any = steps.iter().any(Option::is_some);
        Self(any.then(|| Box::new(Cells(steps))))
    }

    /// Whether the series has no histogram at any step.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn cells(&self) -> &[Option<Arc<Histogram>>] {
        self.0.as_ref().map_or(&[], |cells| &cells.0)
    }

    fn cells_mut(&mut self) -> &mut [Option<Arc<Histogram>>] {
        self.0.as_mut().map_or(&mut [], |cells| &mut cells.0)
    }

    #[inline]
    pub(crate) fn get(&self, step: usize) -> Option<&Arc<Histogram>> {
        self.cells().get(step)?.as_ref()
    }

    pub(crate) fn set(&mut self, step: usize, count: usize, histogram: Arc<Histogram>) {
        let empty = || Box::new(Cells(vec![None; count]));
        self.0.get_or_insert_with(empty).0[step] = Some(histogram);
    }

    /// Removes the histogram of a step.
    pub(crate) fn take(&mut self, step: usize) -> Option<Arc<Histogram>> {
        self.cells_mut().get_mut(step)?.take()
    }

    /// Removes the histograms of all steps for which `keep` returns `false`.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        for (step, histogram) in self.cells_mut().iter_mut().enumerate() {
            if !keep(step) {
                *histogram = None;
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }

    /// The steps with a histogram.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &Arc<Histogram>)> {
        let steps = self.cells().iter().enumerate();
        steps.filter_map(|(step, histogram)| Some((step, histogram.as_ref()?)))
    }

    /// Repeats the histogram of the only step.
    pub(crate) fn repeat(&mut self, count: usize) {
        if let Some(only) = self.cells().first().cloned() {
            *self = Self::new(vec![only; count]);
        }
    }

    /// Bytes of the histograms and of the list.
    pub(crate) fn bytes(&self) -> usize {
        let histograms = self.iter().map(|(_, histogram)| histogram.bytes());
        histograms.sum::<usize>() + size_of_val(self.cells())
    }
}

/// The sample of a series at a step.
#[derive(Clone, Debug)]
pub(crate) enum Cell<H = Arc<Histogram>> {
    Float(f64),
    Histogram(H),
}

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
    pub(crate) histograms: Histograms,
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
            histograms: Histograms::default(),
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
            histograms: Histograms::default(),
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

    pub(crate) fn into_parts(self) -> (Labels, Column, Histograms) {
        (self.labels, self.values, self.histograms)
    }

    pub(crate) fn has_samples(&self) -> bool {
        self.has_floats() || self.histograms.iter().next().is_some()
    }

    pub(crate) fn has_floats(&self) -> bool {
        self.values.iter().any(|&value| !is_absent(value))
    }

    /// Whether there is a sample at a step.
    #[inline]
    pub(crate) fn is_present(&self, step: usize) -> bool {
        !is_absent(self.values[step]) || self.histograms.get(step).is_some()
    }

    /// The sample at a step.
    #[inline]
    pub(crate) fn at(&self, step: usize) -> Option<Cell<&Arc<Histogram>>> {
        let value = self.values[step];
        if is_absent(value) {
            return self.histograms.get(step).map(Cell::Histogram);
        }
        Some(Cell::Float(value))
    }

    /// Sets the sample at a step.
    pub(crate) fn set(&mut self, step: usize, cell: Cell) {
        match cell {
            Cell::Float(value) => self.values[step] = value,
            Cell::Histogram(histogram) => {
                self.histograms.set(step, self.values.len(), histogram);
            }
        }
    }

    /// Removes the sample at each step for which `keep` returns `false`.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        for (step, value) in self.values.iter_mut().enumerate() {
            if !keep(step) {
                *value = ABSENT;
            }
        }
        self.histograms.retain(keep);
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
