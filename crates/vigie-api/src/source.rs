//! What the API answers from.

use std::ops::ControlFlow;

use vigie_promql::Labels;
use vigie_promql::storage::{MemoryStorage, Selection, Storage, StorageError};

/// A source of samples that can also say what there is.
///
/// The default of [`Source::series`] reads all selected samples; a source that keeps an index answers from that.
pub trait Source: Storage + Send + Sync {
    /// Calls `each` once for every selected series that has a sample in the selected time, until `each` breaks off.
    ///
    /// # Errors
    /// The source's own, when it cannot be read.
    fn series(
        &self,
        selection: &Selection<'_>,
        each: &mut dyn FnMut(&Labels) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let inside = selection.start..=selection.end;
        self.select(selection, &mut |labels, samples| match samples
            .iter()
            .any(|sample| inside.contains(&sample.time))
        {
            true => each(labels),
            false => ControlFlow::Continue(()),
        })
    }

    /// The times of the first sample and of the last, approximately.
    ///
    /// # Errors
    /// As [`Source::series`].
    fn span(&self) -> Result<Option<(i64, i64)>, StorageError> {
        let everything = Selection {
            matchers: &[],
            start: i64::MIN,
            end: i64::MAX,
        };
        let mut span: Option<(i64, i64)> = None;
        self.select(&everything, &mut |_, samples| {
            if let (Some(first), Some(last)) = (samples.first(), samples.last()) {
                let (start, end) = span.unwrap_or((first.time, last.time));
                span = Some((start.min(first.time), end.max(last.time)));
            }
            ControlFlow::Continue(())
        })?;
        Ok(span)
    }

    /// Whether it can be read yet. Before, nothing is answered.
    fn is_ready(&self) -> bool {
        true
    }

    /// What is known of the metrics, by name. Nothing unless it is written.
    fn metadata(&self) -> Vec<Metadata> {
        Vec::new()
    }
}

/// What is known of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Its name; a counter's ends in `_total`, a histogram's in neither `_bucket` nor `_sum` nor `_count`.
    pub name: String,
    /// Its type.
    pub kind: MetricKind,
    /// What it means.
    pub help: String,
    /// Its unit, where it is said apart from the name.
    pub unit: String,
}

/// The types of metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// A count that only grows.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// Buckets, a sum and a count.
    Histogram,
    /// Quantiles, a sum and a count.
    Summary,
    /// None of these, or not known.
    Unknown,
}

impl MetricKind {
    /// As clients expect it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Unknown => "unknown",
        }
    }
}

impl Source for MemoryStorage {}
