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
    /// An answer that is not of the protocol.
    #[error("{what}: not an answer to it")]
    Answer {
        /// What was asked.
        what: &'static str,
    },
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

    /// The server answered, and the answer was an error.
    pub(crate) fn is_of_server(&self) -> bool {
        matches!(self, Self::Redis { source, .. } if source.code().is_some())
    }

    /// The user may not do that.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Redis { source, .. } if source.code() == Some("NOPERM"))
    }
}
