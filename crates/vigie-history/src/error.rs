//! Errors on opening a history. Later errors are reported by [`DiskState`](crate::DiskState).

use std::io;
use std::path::PathBuf;

/// Why a history cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process uses the directory.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The directory contains files of another program.
    #[error(
        "{} is not the directory of a history: it holds {entry}, which Vigie did not write; an empty or a new directory \
         is needed",
        path.display()
    )]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// One of them.
        entry: String,
    },
    /// The directory cannot be created or read.
    #[error("cannot use {} as the directory of the history", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The writing thread cannot be started.
    #[error("cannot start the thread that writes the history")]
    Thread {
        /// The cause.
        source: io::Error,
    },
}

impl Error {
    /// Whether another directory has to be configured, because this one belongs to another program or is none. Other errors
    /// can pass without a change of the settings.
    #[must_use]
    pub fn is_misconfiguration(&self) -> bool {
        match self {
            Self::Foreign { .. } => true,
            Self::Directory { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists
            ),
            Self::InUse { .. } | Self::Thread { .. } => false,
        }
    }
}
