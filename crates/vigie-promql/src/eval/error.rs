//! Why a query has no result.

use crate::{storage::StorageError, syntax::Span};

/// Why a query that was parsed could not be evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// More samples were read or made than [`Limits::samples`](super::Limits::samples) allows.
    #[error("the query needs more than {limit} samples")]
    TooManySamples {
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
    /// The caller's `interrupted` said so.
    #[error("the query took too long and was broken off")]
    Interrupted,
    /// The start, end or step of a range query makes no sense.
    #[error("{0}")]
    BadRange(&'static str),
    /// A duration is computed to one that cannot be: a range or step of nothing, or the quotient of 0.
    #[error("{message}")]
    Duration {
        /// The duration.
        span: Span,
        /// Why.
        message: String,
    },
    /// What was asked for cannot be computed from the data: many-to-many matches, equal labels, an argument out of range.
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
    pub(crate) fn execution(span: Span, message: impl Into<String>) -> Self {
        Self::Execution {
            span,
            message: message.into(),
        }
    }

    pub(crate) fn duration(span: Span, message: &str) -> Self {
        let message = message.to_owned();
        Self::Duration { span, message }
    }
}
