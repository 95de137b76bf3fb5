//! The directory of a history: its files and its lock.
//!
//! `N.block` holds the samples that were sealed up to the time N; `N.log` is the Nth log. A log is needed until the
//! next one is complete. A block is written as `N.block.new` and renamed when complete; an incomplete one is removed.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::ownership::{create, foreign_entry, is_named_by_history, is_ours, make_private, mark};
use crate::Error;

/// A longer file is foreign: a block is sealed long before.
const LONGEST: u64 = 4 << 30;

pub(crate) struct Directory {
    path: PathBuf,
    /// The locked directory: this works on a read-only file system, and the lock ends with the process.
    handle: File,
}

/// The names of the files, sorted.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) blocks: Vec<i64>,
    pub(super) logs: Vec<u64>,
}

impl Directory {
    /// Creates the directory if necessary, and locks it. A directory with foreign files is refused.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Directory {
            path: path.to_owned(),
            source,
        };
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(path).map_err(failed)?;
        let handle = File::open(path).map_err(failed)?;
        match handle.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::InUse {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        if let Some(entry) = foreign_entry(path).map_err(failed)? {
            return Err(Error::Foreign {
                path: path.to_owned(),
                entry,
            });
        }
        // A write error is reported with the first scrape.
        let _ = mark(path);
        Ok(Self {
            path: path.to_owned(),
            handle,
        })
    }

    /// The files to read.
    pub(super) fn files(&self) -> io::Result<Files> {
        let mut files = Files::default();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let _ = make_private(&self.path.join(&name));
            let Some((number, kind)) = name.to_str().and_then(|name| name.split_once('.')) else {
                continue;
            };
            if kind.ends_with(".new") && is_named_by_history(&name.to_string_lossy()) {
                // An error is reported with the first scrape.
                drop(self.remove(&name.to_string_lossy()));
                continue;
            }
            match kind {
                "block" => files.blocks.extend(number.parse::<i64>()),
                "log" => files.logs.extend(number.parse::<u64>()),
                _ => {}
            }
        }
        files.blocks.sort_unstable();
        files.logs.sort_unstable();
        Ok(files)
    }

    pub(super) fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let file = File::open(self.path.join(name))?;
        let length = file.metadata()?.len();
        if length > LONGEST {
            return Err(io::Error::other("the file is too long"));
        }
        let mut bytes = Vec::with_capacity(length as usize);
        file.take(LONGEST).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes a file atomically.
    pub(super) fn write_whole(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path.join(name);
        let (new, mut file) = self.create_new(name)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        match is_ours(&path) {
            Ok(false) => Err(foreign(name)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::rename(new, path),
        }
    }

    /// The name of a temporary file that is renamed when complete. After a power failure a file of this name may
    /// exist without the magic; it is not removed, and the next name is used.
    fn create_new(&self, name: &str) -> io::Result<(PathBuf, File)> {
        let mut last = foreign(name);
        for suffix in ["new", "1.new", "2.new", "3.new"] {
            let path = self.path.join(format!("{name}.{suffix}"));
            match create(&path) {
                Ok(file) => return Ok((path, file)),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Creates a file for appending.
    pub(super) fn begin(&self, name: &str, bytes: &[u8]) -> io::Result<File> {
        let mut file = create(&self.path.join(name))?;
        file.write_all(bytes)?;
        file.sync_data()?;
        Ok(file)
    }

    /// Removes an own file; a missing or foreign file is left alone.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.path.join(name);
        let removed = match is_ours(&path) {
            Ok(true) => fs::remove_file(path),
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Syncs the directory, so that the file names survive a power failure.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.handle.sync_all()
    }
}

fn foreign(name: &str) -> io::Error {
    io::Error::other(format!("{name} was not written by Vigie"))
}

pub(super) fn block_name(sealed: i64) -> String {
    format!("{sealed}.block")
}

pub(super) fn log_name(number: u64) -> String {
    format!("{number}.log")
}
