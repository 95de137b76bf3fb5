//! The directory of a history: which files there are, and whose it is.
//!
//! `N.block` holds what was sealed up to the time N; `N.log` is the Nth log. A log is of use until the next one is
//! complete. A block is written as `N.block.new` and renamed when it is whole; one that never was is removed.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::Error;

/// A longer file is not ours: a block is sealed long before.
const LONGEST: u64 = 4 << 30;

pub(crate) struct Directory {
    path: PathBuf,
    /// The directory itself, locked: this works where nothing can be written, and ends with the process.
    handle: File,
}

/// The names of the files, in order.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) blocks: Vec<i64>,
    pub(super) logs: Vec<u64>,
}

impl Directory {
    /// Makes the directory if it is not there, and takes it.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Directory {
            path: path.to_owned(),
            source,
        };
        fs::create_dir_all(path).map_err(failed)?;
        let handle = File::open(path).map_err(failed)?;
        match handle.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                handle,
            }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// What there is to read.
    pub(super) fn files(&self) -> io::Result<Files> {
        let mut files = Files::default();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let Some((number, kind)) = name.to_str().and_then(|name| name.split_once('.')) else {
                continue;
            };
            match kind {
                // A disk that cannot be written has been told of already, or will be.
                "block.new" => drop(fs::remove_file(self.path.join(&name))),
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

    /// Writes a file that is there in whole or not at all.
    pub(super) fn write_whole(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path.join(name);
        let new = self.path.join(format!("{name}.new"));
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        fs::rename(new, path)
    }

    /// Begins a file that is appended to.
    pub(super) fn begin(&self, name: &str, bytes: &[u8]) -> io::Result<File> {
        let mut file = File::create(self.path.join(name))?;
        file.write_all(bytes)?;
        file.sync_data()?;
        Ok(file)
    }

    /// Removes a file; that it is not there is no error.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Makes sure that the names of the files survive a loss of power.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.handle.sync_all()
    }
}

pub(super) fn block_name(sealed: i64) -> String {
    format!("{sealed}.block")
}

pub(super) fn log_name(number: u64) -> String {
    format!("{number}.log")
}
