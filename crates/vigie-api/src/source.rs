//! The interface of a source of samples.

use std::ops::ControlFlow;
use std::sync::Arc;

use vigie_promql::Labels;
use vigie_promql::storage::{MemoryStorage, Selection, Storage, StorageError};

use crate::rules::RuleGroup;

/// A source of samples that also lists series, labels and metadata.
///
/// The default of [`Source::series`] reads all selected samples; a source that keeps an index answers from that.
pub trait Source: Storage + Send + Sync {
    /// Calls `each` once for each selected series with a sample in the selected time, until `each` breaks.
    ///
    /// # Errors
    /// If the source cannot be read.
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

    /// Whether the source can be read yet. Until then requests are refused.
    fn is_ready(&self) -> bool {
        true
    }

    /// The metadata of the metrics, by name. Empty by default.
    fn metadata(&self) -> Vec<Metadata> {
        Vec::new()
    }

    /// The groups of rules, in any order. Empty by default.
    fn rules(&self) -> Vec<Arc<RuleGroup>> {
        Vec::new()
    }
}

/// The metadata of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The name; of a counter it ends in `_total`, of a histogram in neither `_bucket` nor `_sum` nor `_count`.
    pub name: String,
    /// Its type.
    pub kind: MetricKind,
    /// The description.
    pub help: String,
    /// The unit, if it is declared separately.
    pub unit: String,
}

/// The types of metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// A value that only increases.
    Counter,
    /// A value that can increase and decrease.
    Gauge,
    /// Buckets, a sum and a count.
    Histogram,
    /// Quantiles, a sum and a count.
    Summary,
    /// Another or unknown type.
    Unknown,
}

impl MetricKind {
    /// The name that clients expect.
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
