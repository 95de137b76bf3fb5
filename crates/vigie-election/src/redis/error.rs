//! Errors of a lease in Redis.

use std::time::Duration;

/// Why the lease could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Redis cannot be reached.
    #[error(transparent)]
    Connect(#[from] vigie_redis::Error),
    /// No answer within the deadline.
    #[error("{what}: no answer from Redis within {within:?}")]
    Late {
        /// The request.
        what: &'static str,
        /// The deadline.
        within: Duration,
    },
    /// Redis refused a command, or the connection broke.
    #[error("{what}: {source}")]
    Redis {
        /// The request.
        what: &'static str,
        /// The error.
        source: ::redis::RedisError,
    },
    /// The answer has another form than the protocol says.
    #[error("{what}: unexpected answer from Redis")]
    Answer {
        /// The request.
        what: &'static str,
    },
}
