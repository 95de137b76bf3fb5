//! A private directory, and the documents in it.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Unusable};
use crate::file;
use crate::format::{self, FILE_HEAD, Kind, MAX_RECORD_BYTES, RECORD_HEAD, is_ours};
use crate::log::{self, Opened};

/// The permissions of a new directory.
const PRIVATE: u32 = 0o700;

/// A locked directory. The lock ends with the process.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// The directory itself is locked, so there is no lock file.
    _lock: File,
}

/// The result of reading a document.
#[derive(Debug)]
pub enum Loaded {
    /// There is no such file.
    Missing,
    /// Its content.
    Document(Vec<u8>),
    /// It cannot be used, and was renamed.
    SetAside {
        /// The reason.
        why: Unusable,
        /// Its new path.
        path: PathBuf,
    },
}

impl Directory {
    /// Creates the directory if necessary, and locks it.
    ///
    /// # Errors
    /// If it cannot be created or opened, or another process uses it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let failed = || Error::io(path);
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(PRIVATE);
        builder.create(path).map_err(failed())?;
        let lock = File::open(path).map_err(failed())?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let path = path.to_owned();
                return Err(Error::InUse { path });
            }
            Err(TryLockError::Error(source)) => return Err(failed()(source)),
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a document. An unusable one is renamed to `NAME.damaged`, or to `NAME.other-version`.
    ///
    /// # Errors
    /// If it cannot be read or renamed, or another program wrote it.
    pub fn load(&self, name: &str, kind: Kind, most: u64) -> Result<Loaded, Error> {
        let path = self.path.join(name);
        let most = most.saturating_add((FILE_HEAD + RECORD_HEAD) as u64);
        let bytes = match file::read(&path, most.saturating_add(1))? {
            None => return Ok(Loaded::Missing),
            // A placeholder, created with the right owner.
            Some(bytes) if bytes.is_empty() => return Ok(Loaded::Missing),
            Some(bytes) => bytes,
        };
        let why = match only_record(&bytes, kind) {
            Err(Unusable::Foreign) => return Err(Error::Foreign { path }),
            _ if bytes.len() as u64 > most => Unusable::TooLong {
                found: bytes.len() as u64,
                most,
            },
            Ok(record) => return Ok(Loaded::Document(record.to_vec())),
            Err(why) => why,
        };
        let path = set_aside(&path, why)?;
        Ok(Loaded::SetAside { why, path })
    }

    /// Renames a document with contents that cannot be used to `NAME.damaged`. Returns the new path.
    ///
    /// # Errors
    /// If it cannot be renamed, or another program wrote it.
    pub fn set_aside(&self, name: &str) -> Result<PathBuf, Error> {
        set_aside(&self.path.join(name), Unusable::Damaged)
    }

    /// Replaces a document. After a crash there is the old or the new one.
    ///
    /// # Errors
    /// If it cannot be written, is too long, or another program wrote the file.
    pub fn save(&self, name: &str, kind: Kind, document: &[u8]) -> Result<(), Error> {
        let path = self.path.join(name);
        if document.len() > MAX_RECORD_BYTES {
            return Err(Error::TooLong {
                path,
                found: document.len() as u64,
                most: MAX_RECORD_BYTES as u64,
            });
        }
        let mut bytes = format::head(kind).to_vec();
        format::write(&mut bytes, document);
        file::replace(&path, is_ours, &bytes)
    }

    /// Opens a log for appending, with at most `most` bytes, and reads its records. A log with damage in its middle is
    /// renamed, and its intact records are written to a new one.
    ///
    /// # Errors
    /// If it cannot be read or written, or another program wrote it.
    pub fn log(&self, name: &str, kind: Kind, most: u64) -> Result<Opened, Error> {
        log::open(self.path.join(name), kind, most)
    }

    /// Removes a file of this directory; a missing one is no error.
    ///
    /// # Errors
    /// If it cannot be removed, or another program wrote it.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        file::remove(&self.path.join(name), is_ours)
    }
}

/// The first of these files in a directory that another program wrote. Nothing is changed or locked; missing files are accepted.
///
/// # Errors
/// If one cannot be read.
pub fn foreign(directory: &Path, names: &[&str]) -> Result<Option<PathBuf>, Error> {
    for name in names {
        match file::check(&directory.join(name), is_ours) {
            Ok(()) => {}
            Err(Error::Foreign { path }) => return Ok(Some(path)),
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Renames an unusable file by the reason.
pub(crate) fn set_aside(path: &Path, why: Unusable) -> Result<PathBuf, Error> {
    let suffix = match why {
        Unusable::Version { .. } => "other-version",
        _ => "damaged",
    };
    file::set_aside(path, is_ours, suffix)
}

fn only_record(bytes: &[u8], kind: Kind) -> Result<&[u8], Unusable> {
    let contents = format::read(bytes, kind)?;
    match contents.records[..] {
        [record] if contents.damaged == 0 => Ok(record),
        _ => Err(Unusable::Damaged),
    }
}
