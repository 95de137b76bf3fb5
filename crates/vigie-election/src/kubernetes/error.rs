//! Errors of the API server, none of which contains the token.

use std::path::PathBuf;
use std::time::Duration;

/// Why a request to the API server failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The process does not run in a Pod: the address of the API server is unknown.
    #[error("{variable} is not set, so this is not a Pod of Kubernetes")]
    NoCluster {
        /// The variable that is not set.
        variable: &'static str,
    },
    /// A file of the service account cannot be used.
    #[error("{}: {reason}", path.display())]
    Account {
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// The server cannot be reached, or is not trusted.
    #[error("cannot connect to the API server at {address}: {reason}")]
    Connect {
        /// Host and port.
        address: String,
        /// The cause.
        reason: String,
    },
    /// No answer in time.
    #[error("{what}: no answer from the API server within {within:?}")]
    Late {
        /// The request.
        what: &'static str,
        /// The deadline.
        within: Duration,
    },
    /// The connection failed.
    #[error("{what}: {reason}")]
    Broken {
        /// The request.
        what: &'static str,
        /// The cause.
        reason: String,
    },
    /// The API server refused the request.
    #[error("{what}: the API server answered {status}: {message}")]
    Refused {
        /// The request.
        what: &'static str,
        /// The HTTP status.
        status: u16,
        /// The message of the API server.
        message: String,
    },
    /// The answer has an unexpected form.
    #[error("{what}: unexpected answer from the API server")]
    Answer {
        /// The request.
        what: &'static str,
    },
}
