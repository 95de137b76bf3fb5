//! Errors of evaluation.

use std::fmt::Display;

use crate::{format::shortened, storage::StorageError, syntax::Span};

/// An error in the evaluation of a parsed query.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// The query would hold more samples at a time than [`Limits::samples`](super::Limits::samples).
    #[error("the query needs more than {limit} samples at a time")]
    TooManySamples {
        /// The limit.
        limit: usize,
    },
    /// The query would hold more memory at a time than [`Limits::bytes`](super::Limits::bytes).
    #[error("the query needs more than {limit} bytes of memory")]
    TooMuchMemory {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The query would read more samples than [`Limits::read`](super::Limits::read), as the storage estimates.
    #[error("the query reads about {expected} samples, more than the limit of {limit}")]
    TooMuchToRead {
        /// The estimate.
        expected: usize,
        /// The limit.
        limit: usize,
    },
    /// A range query has more steps than [`Limits::points`](super::Limits::points).
    #[error(
        "the query has {requested} points for each series, more than the limit of {limit}: use a larger step or a shorter range"
    )]
    TooManyPoints {
        /// The number of steps requested.
        requested: u64,
        /// The limit.
        limit: usize,
    },
    /// The result has more series than [`Limits::series`](super::Limits::series).
    #[error("the result has {found} series, more than the limit of {limit}")]
    TooManySeries {
        /// The number of series in the result.
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
    /// The data does not permit the query: many-to-many matches, duplicate label sets, an argument out of range.
    #[error("{message}")]
    Execution {
        /// The part of the query that failed.
        span: Span,
        /// The reason.
        message: String,
    },
    /// The samples could not be read.
    #[error("the samples cannot be read: {0}")]
    Storage(#[source] StorageError),
}

impl EvalError {
    /// An execution error. A long message (labels can be long) is truncated.
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
