//! The exposition formats: content negotiation and encoding.

mod accept;
mod encoder;
mod visitor;

pub(crate) use encoder::{Encoder, Origin, Sample, push_label};
pub(crate) use visitor::{Each, Visitor};

use crate::epoch::Epoch;

/// An exposition format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The Prometheus text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

/// How a page presents the metrics to one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The format.
    pub format: Format,
    /// Whether an OpenMetrics page has `_created` lines.
    pub created: bool,
    /// The current scrape, for a client that scrapes regularly.
    pub scrape: Option<Scrape>,
}

/// A scrape by a client that scrapes regularly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scrape {
    /// From [`Registry::begin_scrape`](crate::Registry::begin_scrape).
    pub epoch: Epoch,
    /// Counts that started in this epoch or later are exposed as 0. It must not be later than `epoch`: otherwise a
    /// series created while the page is written would have its value on this page and 0 on the next.
    pub zero_since: Epoch,
}

impl From<Format> for View {
    fn from(format: Format) -> Self {
        Self {
            format,
            created: false,
            scrape: None,
        }
    }
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

    /// The format that a client prefers according to its `Accept` header; [`Format::Text`] if it accepts none of
    /// them.
    #[must_use]
    pub fn from_accept(accept: &str) -> Self {
        accept::preferred(accept)
    }
}
