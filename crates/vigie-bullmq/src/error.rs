//! The error type of the crate.

use std::time::Duration;

/// Why Redis could not be read. Messages contain no credentials.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Connecting or authenticating failed.
    #[error("cannot connect: {0}")]
    Connect(#[source] vigie_redis::Error),
    /// The connection broke, or the server returned an error.
    #[error("{what}: {source}")]
    Redis {
        /// The operation.
        what: &'static str,
        /// The cause.
        source: redis::RedisError,
    },
    /// The server did not reply in time.
    #[error("{what}: no answer within {within:?}")]
    Late {
        /// The operation.
        what: &'static str,
        /// The deadline.
        within: Duration,
    },
    /// An error of one of several nodes.
    #[error("{0}: {1}")]
    Node(String, #[source] Box<Error>),
    /// The number of replies differs from the number of commands.
    #[error("{what}: the number of replies differs from the number of commands")]
    Answer {
        /// The operation.
        what: &'static str,
    },
    /// Commands that are refused, or whose replies have an unexpected type.
    #[error("{0}")]
    Refused(String),
}

impl Error {
    /// The error without the name of its node.
    #[must_use]
    pub fn bare(&self) -> &Self {
        match self {
            Self::Node(_, error) => error.bare(),
            error => error,
        }
    }

    /// Whether the connection works, but the server refused a command.
    pub(crate) fn is_of_command(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}
