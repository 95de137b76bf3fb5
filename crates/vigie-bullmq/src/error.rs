//! The one error of the crate.

use std::time::Duration;

/// Why Redis could not be read. None says a password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or no login.
    #[error("cannot connect: {0}")]
    Connect(#[source] vigie_redis::Error),
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
    /// One of several nodes.
    #[error("{0}: {1}")]
    Node(String, #[source] Box<Error>),
    /// More or fewer replies than commands.
    #[error("{what}: not as many replies as commands")]
    Answer {
        /// What was asked.
        what: &'static str,
    },
    /// Commands that are refused, or answered with replies of another type.
    #[error("{0}")]
    Refused(String),
}

impl Error {
    /// Without the node that it is of.
    #[must_use]
    pub fn bare(&self) -> &Self {
        match self {
            Self::Node(_, error) => error.bare(),
            error => error,
        }
    }

    /// Whether the connection works, and only a command has no usable answer.
    pub(crate) fn is_of_command(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}
