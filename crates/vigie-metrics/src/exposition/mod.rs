//! The exposition formats: which one a client wants, and how samples are written in it.

mod accept;
mod encoder;
mod visitor;

pub(crate) use encoder::{Encoder, Sample, push_label};
pub(crate) use visitor::{Each, Visitor};

/// An exposition format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The Prometheus text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The value of `Content-Type`.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The format a client prefers by its `Accept` header; [`Format::Text`] when it names none we have.
    #[must_use]
    pub fn from_accept(accept: &str) -> Self {
        accept::preferred(accept)
    }
}
