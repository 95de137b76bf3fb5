//! The one error of the crate.

use std::time::Duration;

/// Why Redis could not be read. None says a password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or no login.
    #[error("cannot connect: {0}")]
    Connect(#[source] redis::RedisError),
    /// The connection broke, or the server refused.
    #[error("{what}: {source}")]
    Redis {
        /// What was asked.
        what: &'static str,
        /// The reason.
        source: redis::RedisError,
    },
    /// No answer in time.
    #[error("{what}: no answer within {within:?}")]
    Late {
        /// What was asked.
        what: &'static str,
        /// The deadline.
        within: Duration,
    },
    /// An answer that is not of the protocol.
    #[error("{what}: not an answer to it")]
    Answer {
        /// What was asked.
        what: &'static str,
    },
}
