//! What can go wrong, without the token in it.

use std::path::PathBuf;
use std::time::Duration;

/// Why the API server was not asked, or did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// This is no Pod: where the API server is, is not said.
    #[error("{variable} is not set as it is in a Pod of Kubernetes")]
    NoCluster {
        /// The variable that says where the API server is.
        variable: &'static str,
    },
    /// A file of the service account cannot be used.
    #[error("{}: {reason}", path.display())]
    Account {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Nobody is reached, or nobody who is trusted.
    #[error("cannot connect to the API server at {address}: {reason}")]
    Connect {
        /// Host and port.
        address: String,
        /// Why.
        reason: String,
    },
    /// No answer in time.
    #[error("{what}: no answer from the API server within {within:?}")]
    Late {
        /// What was asked.
        what: &'static str,
        /// The deadline.
        within: Duration,
    },
    /// The connection broke.
    #[error("{what}: {reason}")]
    Broken {
        /// What was asked.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// The API server answered, and said no.
    #[error("{what}: the API server says {status}: {message}")]
    Refused {
        /// What was asked.
        what: &'static str,
        /// The HTTP status.
        status: u16,
        /// Its own words.
        message: String,
    },
    /// An answer that is none to what was asked.
    #[error("{what}: not an answer to it")]
    Answer {
        /// What was asked.
        what: &'static str,
    },
}
