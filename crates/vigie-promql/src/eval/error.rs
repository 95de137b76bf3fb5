//! Why a query has no result.

use std::fmt::Display;

use crate::{format::shortened, storage::StorageError, syntax::Span};

/// Why a query that was parsed could not be evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// More samples would be held at a time than [`Limits::samples`](super::Limits::samples) allows.
    #[error("the query needs more than {limit} samples at a time")]
    TooManySamples {
        /// The limit.
        limit: usize,
    },
    /// More memory would be held at a time than [`Limits::bytes`](super::Limits::bytes) allows.
    #[error("the query needs more than {limit} bytes of memory")]
    TooMuchMemory {
        /// The limit.
        limit: usize,
    },
    /// A range query has more steps than [`Limits::points`](super::Limits::points) allows.
    #[error(
        "the query asks for {asked} points for each series, at most {limit} are given: use a larger step or a shorter range"
    )]
    TooManyPoints {
        /// How many steps there would be.
        asked: u64,
        /// The limit.
        limit: usize,
    },
    /// The result has more series than [`Limits::series`](super::Limits::series) allows.
    #[error("the result has {found} series, at most {limit} are given")]
    TooManySeries {
        /// How many there are.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// The caller's `interrupted` returned `true`.
    #[error("the query was interrupted")]
    Interrupted,
    /// The start, end or step of a range query is invalid.
    #[error("{0}")]
    BadRange(&'static str),
    /// A computed duration is invalid: a range or step that is not positive, or a division by zero.
    #[error("{message}")]
    Duration {
        /// The duration.
        span: Span,
        /// The reason.
        message: String,
    },
    /// The query cannot be computed from the data: many-to-many matches, equal labels, an argument out of range.
    #[error("{message}")]
    Execution {
        /// The part of the query that failed.
        span: Span,
        /// Why.
        message: String,
    },
    /// The samples could not be read.
    #[error("the samples cannot be read: {0}")]
    Storage(#[source] StorageError),
}

impl EvalError {
    /// A message that is too long, because of the labels in it, is shortened.
    pub(crate) fn execution(span: Span, message: impl Display) -> Self {
        Self::Execution {
            span,
            message: shortened(message),
        }
    }

    pub(crate) fn duration(span: Span, message: &str) -> Self {
        let message = message.to_owned();
        Self::Duration { span, message }
    }
}
