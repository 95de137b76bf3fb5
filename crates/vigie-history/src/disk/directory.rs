//! The directory of a history: which files there are, and whose it is.
//!
//! `N.block` holds what was sealed up to the time N; `N.log` is the Nth log. A log is of use until the next one is
//! complete. A block is written as `N.block.new` and renamed when it is whole; one that never was is removed.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::ownership::{create, foreign_entry, is_named_by_history, is_ours, make_private, mark};
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
    /// Makes the directory if it does not exist, and takes it. A directory that holds files of others is refused.
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
        // A disk that cannot be written is reported with the first scrape.
        let _ = mark(path);
        Ok(Self {
            path: path.to_owned(),
            handle,
        })
    }

    /// What there is to read.
    pub(super) fn files(&self) -> io::Result<Files> {
        let mut files = Files::default();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let _ = make_private(&self.path.join(&name));
            let Some((number, kind)) = name.to_str().and_then(|name| name.split_once('.')) else {
                continue;
            };
            if kind.ends_with(".new") && is_named_by_history(&name.to_string_lossy()) {
                // An error here is reported with the first scrape.
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

    /// Writes a file that is there in whole or not at all.
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

    /// The file that is renamed once it is whole. A loss of power may have left one of the same name without the magic,
    /// which is not removed; the next name is used then.
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

    /// Begins a file that is appended to.
    pub(super) fn begin(&self, name: &str, bytes: &[u8]) -> io::Result<File> {
        let mut file = create(&self.path.join(name))?;
        file.write_all(bytes)?;
        file.sync_data()?;
        Ok(file)
    }

    /// Removes a file of ours; one that does not exist, or that another program wrote, is left alone.
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

    /// Makes sure that the names of the files survive a loss of power.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.handle.sync_all()
    }
}

fn foreign(name: &str) -> io::Error {
    io::Error::other(format!(
        "{name} was not written by Vigie, and is left alone"
    ))
}

pub(super) fn block_name(sealed: i64) -> String {
    format!("{sealed}.block")
}

pub(super) fn log_name(number: u64) -> String {
    format!("{number}.log")
}
