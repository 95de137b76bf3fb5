//! The source of samples.

use std::{collections::HashMap, error::Error, ops::ControlFlow};

use crate::{
    Labels, Matcher,
    value::{HistogramSample, Sample, Samples},
};

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

    /// As [`select`](Self::select), with native histograms. Without this method a source has only floats.
    ///
    /// # Errors
    ///
    /// The source's own error if it cannot be read.
    fn select_all(
        &self,
        selection: &Selection<'_>,
        each: &mut dyn FnMut(&Labels, Samples<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.select(selection, &mut |labels, floats| {
            let histograms = &[];
            each(labels, Samples { floats, histograms })
        })
    }

    /// The source for several threads, if it can be read by them.
    fn concurrent(&self) -> Option<&dyn ConcurrentStorage> {
        None
    }

    /// About how many samples a selection reads, so that a caller can decide where to evaluate a query. 0, the default, if
    /// it is few or unknown.
    fn estimate(&self, selection: &Selection<'_>) -> usize {
        let _ = selection;
        0
    }
}

/// A source of samples that several threads can read, each a part of the series.
pub trait ConcurrentStorage: Storage + Sync {
    /// The time of the newest sample. All parts are read up to it, so that samples which are added meanwhile are not in some
    /// of them.
    fn newest(&self) -> i64;

    /// As [`select_all`](Storage::select_all), for a part of the series: its number, from 0, and how many parts there are. Together the parts
    /// are all series, and a series stays in its part as long as it exists.
    ///
    /// # Errors
    ///
    /// The source's own error if it cannot be read.
    fn select_part(
        &self,
        selection: &Selection<'_>,
        part: (usize, usize),
        each: &mut dyn FnMut(&Labels, Samples<'_>) -> ControlFlow<()>,
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

/// The samples of one series.
#[derive(Clone, Debug)]
struct Stored {
    labels: Labels,
    floats: Vec<Sample>,
    histograms: Vec<HistogramSample>,
}

/// Samples in memory, for tests and small sets: every selection scans all series.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    series: Vec<Stored>,
    index: HashMap<Labels, usize>,
}

impl MemoryStorage {
    /// Creates an empty storage.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a sample. It replaces a float with the same time.
    pub fn insert(&mut self, labels: &Labels, sample: Sample) {
        let floats = &mut self.series(labels).floats;
        match floats.binary_search_by_key(&sample.time, |sample| sample.time) {
            Ok(at) => floats[at] = sample,
            Err(at) => floats.insert(at, sample),
        }
    }

    /// Adds a native histogram. It replaces one with the same time.
    pub fn insert_histogram(&mut self, labels: &Labels, sample: HistogramSample) {
        let histograms = &mut self.series(labels).histograms;
        match histograms.binary_search_by_key(&sample.time, |sample| sample.time) {
            Ok(at) => histograms[at] = sample,
            Err(at) => histograms.insert(at, sample),
        }
    }

    fn series(&mut self, labels: &Labels) -> &mut Stored {
        let next = self.series.len();
        let at = *self.index.entry(labels.clone()).or_insert(next);
        if at == next {
            self.series.push(Stored {
                labels: labels.clone(),
                floats: Vec::new(),
                histograms: Vec::new(),
            });
        }
        &mut self.series[at]
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
        self.select_all(
            selection,
            &mut |labels, samples| match samples.floats.is_empty() {
                true => ControlFlow::Continue(()),
                false => each(labels, samples.floats),
            },
        )
    }

    fn select_all(
        &self,
        selection: &Selection<'_>,
        each: &mut dyn FnMut(&Labels, Samples<'_>) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let (start, end) = (selection.start, selection.end);
        for series in &self.series {
            if !selection.selects(&series.labels) {
                continue;
            }
            let samples = Samples {
                floats: between(&series.floats, start, end, |sample| sample.time),
                histograms: between(&series.histograms, start, end, |sample| sample.time),
            };
            if !samples.is_empty() && each(&series.labels, samples).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// The samples between two times, both inclusive.
fn between<T>(samples: &[T], start: i64, end: i64, time: impl Fn(&T) -> i64) -> &[T] {
    let from = samples.partition_point(|sample| time(sample) < start);
    let to = samples.partition_point(|sample| time(sample) <= end);
    &samples[from..to.max(from)]
}
