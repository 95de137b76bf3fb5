//! Why there is no connection over TLS.

use std::io;

use crate::problem::TlsProblem;

/// Why there is no connection over TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A certificate or key cannot be used.
    #[error("{source_name}: {reason}")]
    Unusable {
        /// The file, or words for a text that stands in the address.
        source_name: String,
        /// The reason.
        reason: String,
    },
    /// The host is neither a DNS name nor an IP address.
    #[error("the host is neither a DNS name nor an IP address, so TLS is not possible")]
    Name,
    /// The two sides do not agree.
    #[error("{0}")]
    Problem(TlsProblem),
    /// The connection failed during the handshake.
    #[error("{0}")]
    Io(#[source] io::Error),
    /// The program ends.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// The problem with the certificates or with TLS, if that is the reason.
    #[must_use]
    pub fn problem(&self) -> Option<TlsProblem> {
        match self {
            Self::Problem(problem) => Some(*problem),
            _ => None,
        }
    }

    pub(crate) fn of(error: &rustls::Error) -> Self {
        tracing::debug!(%error, "TLS handshake failed");
        Self::Problem(TlsProblem::of(error))
    }

    pub(crate) fn handshake(error: io::Error) -> Self {
        match rustls_error(&error) {
            Some(error) => Self::of(error),
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                Self::Problem(TlsProblem::HungUp)
            }
            None => Self::Io(error),
        }
    }
}

/// The TLS library's error inside of one of the connection.
pub(crate) fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
