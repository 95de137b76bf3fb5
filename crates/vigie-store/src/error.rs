//! Errors.

use std::io;
use std::path::{Path, PathBuf};

/// A file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused an operation.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Another process has locked the directory.
    #[error("{} is used by another process", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// Another program wrote the file.
    #[error("{} was not written by Vigie; it is not changed", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// There is no room for more.
    #[error("{} would have {found} bytes; at most {most} are accepted", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The bytes it would have.
        found: u64,
        /// The bytes accepted.
        most: u64,
    },
    /// The end of a log is unknown, because an earlier operation failed. The log must be rewritten.
    #[error("{}: an earlier write failed; the file must be rewritten", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
    },
}

impl Error {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

/// The reason for which the content of a file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It does not begin as Vigie's files do.
    #[error("it was not written by Vigie")]
    Foreign,
    /// It is a file of another kind.
    #[error("it has other contents than its name says")]
    Kind,
    /// Another version of Vigie wrote it.
    #[error("its format is version {found}; this Vigie reads version {accepted}")]
    Version {
        /// The version of the file.
        found: u32,
        /// The version that is read.
        accepted: u32,
    },
    /// It is longer than anything that is written.
    #[error("it has {found} bytes; at most {most} are accepted")]
    TooLong {
        /// Its length.
        found: u64,
        /// The bytes accepted.
        most: u64,
    },
    /// A checksum does not match, or its end is missing.
    #[error("it is damaged")]
    Damaged,
}
