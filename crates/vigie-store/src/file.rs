//! Single files that are replaced as a whole. Only files that the caller recognises as its own are changed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Enough bytes to recognise a file.
const START: u64 = 64;
/// Only the user of the process has access.
const PRIVATE: u32 = 0o600;
/// Names of the unfinished file. After a power failure one of them may have a content that is not recognised; it is not
/// changed, and the next name is used.
const UNFINISHED: [&str; 4] = ["new", "1.new", "2.new", "3.new"];

/// Whether a file that begins with these bytes, up to 64, may be changed. It is also called for an unfinished file, whose
/// beginning may be cut or empty.
pub type IsOurs = fn(&[u8]) -> bool;

/// The content of a file, up to `most` bytes; `None` if there is no file.
///
/// # Errors
/// If it cannot be read, or is not a regular file.
pub fn read(path: &Path, most: u64) -> Result<Option<Vec<u8>>, Error> {
    let failed = || Error::io(path);
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed()(error)),
        Ok(metadata) if !metadata.is_file() => return Err(foreign(path)),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed())?;
    file.take(most).read_to_end(&mut bytes).map_err(failed())?;
    Ok(Some(bytes))
}

/// Replaces a file: after a crash its content is the old or the new one, and it is on disk when this returns.
///
/// # Errors
/// If it cannot be written, or is not the caller's.
pub fn replace(path: &Path, is_ours: IsOurs, bytes: &[u8]) -> Result<(), Error> {
    let (unfinished, mut file) = create(path, is_ours)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(Error::io(&unfinished))?;
    finish(path, is_ours, &unfinished)
}

/// Creates the file that will replace another one, private and empty.
pub(crate) fn create(path: &Path, is_ours: IsOurs) -> Result<(PathBuf, File), Error> {
    let mut last = foreign(path);
    for suffix in UNFINISHED {
        let unfinished = with_suffix(path, suffix);
        match create_at(&unfinished, is_ours) {
            Ok(file) => return Ok((unfinished, file)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn create_at(path: &Path, is_ours: IsOurs) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(PRIVATE);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            check(path, is_ours)?;
            fs::remove_file(path).map_err(Error::io(path))?;
            options.open(path).map_err(Error::io(path))
        }
        opened => opened.map_err(Error::io(path)),
    }
}

/// Moves a complete file, which is on disk, into its place.
pub(crate) fn finish(path: &Path, is_ours: IsOurs, unfinished: &Path) -> Result<(), Error> {
    check(path, is_ours)?;
    fs::rename(unfinished, path).map_err(Error::io(path))?;
    sync_parent(path)
}

/// Renames an unusable file to `NAME.SUFFIX`, in place of an earlier one. Returns the new path.
///
/// # Errors
/// If it cannot be renamed, or a foreign file has that name.
pub fn set_aside(path: &Path, is_ours: IsOurs, suffix: &str) -> Result<PathBuf, Error> {
    let aside = with_suffix(path, suffix);
    check(path, is_ours)?;
    check(&aside, is_ours)?;
    fs::rename(path, &aside).map_err(Error::io(&aside))?;
    sync_parent(path)?;
    Ok(aside)
}

/// Removes a file; a missing one is no error.
pub(crate) fn remove(path: &Path, is_ours: IsOurs) -> Result<(), Error> {
    check(path, is_ours)?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(path)(error)),
        _ => sync_parent(path),
    }
}

/// Refuses a foreign file. Symbolic links are not followed, and devices and pipes are not opened.
pub(crate) fn check(path: &Path, is_ours: IsOurs) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io(path)(error)),
        Ok(metadata) if !metadata.is_file() => return Err(foreign(path)),
        Ok(_) => {}
    }
    let mut start = Vec::new();
    let file = File::open(path).map_err(Error::io(path))?;
    let read = file.take(START).read_to_end(&mut start);
    read.map_err(Error::io(path))?;
    match is_ours(&start) {
        true => Ok(()),
        false => Err(foreign(path)),
    }
}

/// Puts the names in a directory on disk.
fn sync_parent(path: &Path) -> Result<(), Error> {
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    let parent = parent.unwrap_or(Path::new("."));
    let synced = File::open(parent).and_then(|directory| directory.sync_all());
    synced.map_err(Error::io(parent))
}

fn foreign(path: &Path) -> Error {
    let path = path.to_owned();
    Error::Foreign { path }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}
