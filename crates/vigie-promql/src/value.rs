//! Samples and results.

use std::sync::Arc;

use crate::{annotations::Annotations, histogram::Histogram, labels::Labels};

/// One sample of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Milliseconds since the epoch.
    pub time: i64,
    /// The value; a [stale marker](stale_marker) ends the series.
    pub value: f64,
}

/// One native histogram of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramSample {
    /// Milliseconds since the epoch.
    pub time: i64,
    /// The value.
    pub histogram: Arc<Histogram>,
}

/// Samples of a series: floats and native histograms, each in ascending order of time. No two have the same time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Samples<'a> {
    /// The floats, with the stale markers of both.
    pub floats: &'a [Sample],
    /// The native histograms.
    pub histograms: &'a [HistogramSample],
}

impl Samples<'_> {
    /// The number of samples.
    #[must_use]
    pub fn len(self) -> usize {
        self.floats.len() + self.histograms.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.floats.is_empty() && self.histograms.is_empty()
    }
}

/// The bit pattern of the NaN that marks the end of a series. Every other NaN is an ordinary value.
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The value that marks the end of a series.
#[must_use]
pub fn stale_marker() -> f64 {
    f64::from_bits(STALE_BITS)
}

/// Whether a value is the stale marker. `false` for any other NaN.
#[must_use]
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_BITS
}

/// The result of a query.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The value of the query.
    pub value: Value,
    /// Warnings and infos about the evaluation.
    pub annotations: Annotations,
    /// The number of samples read and computed during the evaluation.
    pub samples: usize,
    /// The largest number of samples held at a time.
    pub peak_samples: usize,
    /// The memory charged for the value, in bytes.
    pub bytes: usize,
    /// The number of samples that selectors and ranges returned, counted at each step, like Prometheus'
    /// `totalQueryableSamples`.
    pub queried: u64,
}

/// The value of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number, from an instant query.
    Scalar(f64),
    /// A string, from an instant query.
    Text(String),
    /// A sample for each series, from an instant query, in the order of functions such as `sort`.
    Vector(Vec<VectorSample>),
    /// Samples over time for each series, sorted by labels: from a range query, or from an instant query for a range
    /// vector.
    Matrix(Vec<MatrixSeries>),
}

impl Value {
    /// The samples of an instant vector, or a scalar as a sample without labels; `None` for other values.
    #[must_use]
    pub fn into_vector(self) -> Option<Vec<VectorSample>> {
        match self {
            Self::Vector(samples) => Some(samples),
            Self::Scalar(value) => Some(vec![VectorSample {
                labels: Labels::empty(),
                value,
                histogram: None,
            }]),
            Self::Text(_) | Self::Matrix(_) => None,
        }
    }
}

/// A series of an instant vector, with the sample at the time of the query.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSample {
    /// The series' labels.
    pub labels: Labels,
    /// The value; of no meaning if there is a histogram.
    pub value: f64,
    /// The native histogram, if the sample is one.
    pub histogram: Option<Arc<Histogram>>,
}

/// A series of a range vector.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixSeries {
    /// The series' labels.
    pub labels: Labels,
    /// The floats, in ascending order of time.
    pub samples: Vec<Sample>,
    /// The native histograms, in ascending order of time; one of both lists is not empty.
    pub histograms: Vec<HistogramSample>,
}
