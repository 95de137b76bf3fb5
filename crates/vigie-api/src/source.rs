//! The interface of a source of samples.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use vigie_promql::Labels;
use vigie_promql::storage::{MemoryStorage, Selection, Storage, StorageError};

/// A source of samples that also lists series, labels and metadata.
///
/// The defaults iterate over all selected samples; a source with an index can override them.
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

    /// Adds the label names of the selected series. Without matchers, all series are selected.
    ///
    /// # Errors
    /// As [`Source::series`].
    fn label_names(
        &self,
        selection: &Selection<'_>,
        names: &mut BTreeSet<String>,
    ) -> Result<(), StorageError> {
        self.series(selection, &mut |labels| {
            for (name, _) in labels.iter() {
                if !names.contains(name) {
                    names.insert(name.to_owned());
                }
            }
            ControlFlow::Continue(())
        })
    }

    /// Adds the values of the label `name` of the selected series.
    ///
    /// # Errors
    /// As [`Source::series`].
    fn label_values(
        &self,
        name: &str,
        selection: &Selection<'_>,
        values: &mut BTreeSet<String>,
    ) -> Result<(), StorageError> {
        self.series(selection, &mut |labels| {
            let value = labels.get(name);
            if !value.is_empty() && !values.contains(value) {
                values.insert(value.to_owned());
            }
            ControlFlow::Continue(())
        })
    }

    /// Whether the source can be read yet. Until then requests are refused.
    fn is_ready(&self) -> bool {
        true
    }

    /// The metadata of the metrics, by name. Empty by default.
    fn metadata(&self) -> Vec<Metadata> {
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
