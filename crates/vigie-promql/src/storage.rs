//! The source of samples.

use std::{collections::HashMap, error::Error, ops::ControlFlow};

use crate::{Labels, Matcher, value::Sample};

/// A source of samples.
pub trait Storage {
    /// Calls `each` once for every series that satisfies every matcher and may have samples in the selected time, with
    /// its samples in ascending order of time, until `each` breaks. Samples outside of the time may be included and are
    /// ignored.
    ///
    /// A source that takes long to find the series with samples should occasionally call `each` with a series without
    /// samples, so that the caller can break.
    ///
    /// # Errors
    ///
    /// The source's own error if it cannot be read.
    fn select(
        &self,
        selection: &Selection<'_>,
        each: &mut dyn FnMut(&Labels, &[Sample]) -> ControlFlow<()>,
    ) -> Result<(), StorageError>;
}

/// The error of a source that cannot be read.
pub type StorageError = Box<dyn Error + Send + Sync>;

/// The series and time requested from a [`Storage`].
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// Conditions on the labels, all of which must hold. The metric name is the label `__name__`.
    pub matchers: &'a [Matcher],
    /// The first time of interest, in milliseconds since the epoch.
    pub start: i64,
    /// The last time of interest, inclusive.
    pub end: i64,
}

impl Selection<'_> {
    /// Whether a series with these labels is selected.
    #[must_use]
    pub fn selects(&self, labels: &Labels) -> bool {
        let mut matchers = self.matchers.iter();
        matchers.all(|matcher| matcher.matches(labels.get(matcher.name())))
    }
}

/// Samples in memory, for tests and small sets: every selection scans all series.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    series: Vec<(Labels, Vec<Sample>)>,
    index: HashMap<Labels, usize>,
}

impl MemoryStorage {
    /// Creates an empty storage.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a sample. It replaces a sample with the same time.
    pub fn insert(&mut self, labels: &Labels, sample: Sample) {
        let next = self.series.len();
        let at = *self.index.entry(labels.clone()).or_insert(next);
        if at == next {
            self.series.push((labels.clone(), Vec::new()));
        }
        let samples = &mut self.series[at].1;
        match samples.binary_search_by_key(&sample.time, |sample| sample.time) {
            Ok(at) => samples[at] = sample,
            Err(at) => samples.insert(at, sample),
        }
    }

    /// Removes all series.
    pub fn clear(&mut self) {
        self.series.clear();
        self.index.clear();
    }
}

impl Storage for MemoryStorage {
    fn select(
        &self,
        selection: &Selection<'_>,
        each: &mut dyn FnMut(&Labels, &[Sample]) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        for (labels, samples) in &self.series {
            if !selection.selects(labels) {
                continue;
            }
            let from = samples.partition_point(|sample| sample.time < selection.start);
            let to = samples.partition_point(|sample| sample.time <= selection.end);
            if from < to && each(labels, &samples[from..to]).is_break() {
                break;
            }
        }
        Ok(())
    }
}
