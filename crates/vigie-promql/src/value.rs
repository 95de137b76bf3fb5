//! What goes in and what comes out: samples and results.

use crate::{annotations::Annotations, labels::Labels};

/// One sample of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Milliseconds since the epoch.
    pub time: i64,
    /// The value; a [stale marker](stale_marker) says that the series ended.
    pub value: f64,
}

/// The one NaN that marks the end of a series. Every other NaN is a value.
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The value that marks the end of a series.
#[must_use]
pub fn stale_marker() -> f64 {
    f64::from_bits(STALE_BITS)
}

/// Whether a value is the stale marker, and not a number or an ordinary NaN.
#[must_use]
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_BITS
}

/// The result of a query.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What the query evaluates to.
    pub value: Value,
    /// Warnings and infos about how it was evaluated.
    pub annotations: Annotations,
    /// How many samples were read and made during the evaluation.
    pub samples: usize,
    /// The most samples that were held at a time.
    pub peak_samples: usize,
    /// The memory charged for the value, in bytes.
    pub bytes: usize,
    /// How many samples selectors and ranges returned, counted at each step, as Prometheus counts its
    /// `totalQueryableSamples`.
    pub queried: u64,
}

/// What a query evaluates to.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number, of an instant query.
    Scalar(f64),
    /// A text, of an instant query.
    Text(String),
    /// A sample for each series, of an instant query, in the order that functions such as `sort` made.
    Vector(Vec<VectorSample>),
    /// Samples over time for each series, sorted by labels: of a range query, or of an instant query for a range vector.
    Matrix(Vec<MatrixSeries>),
}

/// One series of an instant vector; its sample is at the time of the query.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSample {
    /// The series' labels.
    pub labels: Labels,
    /// The value.
    pub value: f64,
}

/// One series of a range vector.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixSeries {
    /// The series' labels.
    pub labels: Labels,
    /// The samples, by time; never empty.
    pub samples: Vec<Sample>,
}
