//! Whether files can be written in a directory. Nothing is created or changed.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::Checked;

/// A directory that can be written, or created.
pub(super) struct Writable {
    /// The directory, or its nearest existing parent.
    pub(super) nearest: PathBuf,
    pub(super) exists: bool,
}

/// Checks the directory of a setting.
pub(super) fn writable(path: &Path, setting: &str) -> Checked<Writable> {
    let (nearest, metadata) = nearest(path)?;
    let exists = nearest == path;
    let shown = nearest.display();
    if !metadata.is_dir() {
        let advice = format!("{setting} is a directory, which Vigie makes if it is not there");
        return Err((format!("{shown} is not a directory"), advice));
    }
    if let Err(error) = access(
        &nearest,
        Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK,
    ) {
        let text = format!("cannot write in {shown}: {}", io::Error::from(error));
        let advice = match exists {
            true => "let the user that Vigie runs as write there",
            false => "make the directory, and let the user that Vigie runs as write there",
        };
        return Err((text, advice.to_owned()));
    }
    Ok(Writable { nearest, exists })
}

/// The path, or its nearest existing parent directory.
fn nearest(path: &Path) -> Checked<(PathBuf, Metadata)> {
    let mut there = path;
    loop {
        match fs::metadata(there) {
            Ok(metadata) => return Ok((there.to_owned(), metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let text = format!("{}: {error}", there.display());
                let advice = "let the user that Vigie runs as reach it";
                return Err((text, advice.to_owned()));
            }
        }
        there = match there.parent() {
            Some(parent) if parent != Path::new("") => parent,
            // A relative path starts at the working directory.
            _ => Path::new("."),
        };
    }
}
