//! Determines which directories and files belong to a history. Only those are truncated, renamed or removed.
//!
//! A directory belongs to a history if it contains the marker file. The marker is added to an empty directory, and to
//! a directory of an earlier version, which has no marker and only files that begin with [`MAGIC`].

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::frame::MAGIC;

/// The marker; its content is [`MAGIC`].
pub(super) const MARKER: &str = "vigie-history";
/// Created by mkfs in the root of a file system, so a dedicated volume is not empty.
const LOST_AND_FOUND: &str = "lost+found";
/// Only the user of the process has access to a file.
pub(super) const PRIVATE: u32 = 0o600;

/// The owner of a file, according to its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// It begins with the magic.
    History,
    /// It ends within the magic: after a crash, or because another program keeps an empty file.
    Unfinished,
    /// Another program wrote it, or it is not a regular file.
    Other,
}

/// Reads the start of a file without following symbolic links or opening devices and pipes.
pub(super) fn owner(path: &Path) -> io::Result<Owner> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(Owner::Other);
    }
    let mut head = Vec::with_capacity(MAGIC.len());
    let file = File::open(path)?;
    file.take(MAGIC.len() as u64).read_to_end(&mut head)?;
    Ok(if head == MAGIC {
        Owner::History
    } else if MAGIC.starts_with(&head) {
        Owner::Unfinished
    } else {
        Owner::Other
    })
}

/// Whether the file may be replaced or removed. An unfinished file in a directory of a history may.
pub(super) fn is_ours(path: &Path) -> io::Result<bool> {
    Ok(owner(path)? != Owner::Other)
}

/// The name of the first foreign entry of a directory; `None` if it belongs to a history or can be claimed.
///
/// # Errors
/// If the directory or one of its files cannot be read.
pub fn foreign_entry(path: &Path) -> io::Result<Option<String>> {
    if is_marked(path) {
        return Ok(None);
    }
    let (mut unfinished, mut is_history) = (None, false);
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == LOST_AND_FOUND || name == MARKER {
            continue;
        }
        match owner(&entry.path())? {
            Owner::History if is_named_by_history(&name) => is_history = true,
            Owner::Unfinished if is_named_by_history(&name) => unfinished = Some(name),
            _ => return Ok(Some(name)),
        }
    }
    // Empty files alone do not identify the owner.
    Ok(unfinished.filter(|_| !is_history))
}

/// Adds the marker to a directory without foreign entries.
pub(super) fn mark(path: &Path) -> io::Result<()> {
    if is_marked(path) {
        return Ok(());
    }
    create(&path.join(MARKER))?.write_all(MAGIC)
}

fn is_marked(path: &Path) -> bool {
    owner(&path.join(MARKER)).is_ok_and(|owner| owner == Owner::History)
}

/// `N.block`, `N.log`, or one of them followed by `.new` or `.M.new`.
pub(super) fn is_named_by_history(name: &str) -> bool {
    let mut parts = name.split('.');
    let is_number = |part: Option<&str>| part.is_some_and(|part| part.parse::<i64>().is_ok());
    is_number(parts.next())
        && matches!(parts.next(), Some("block" | "log"))
        && match (parts.next(), parts.next(), parts.next()) {
            (None, ..) | (Some("new"), None, _) => true,
            (number, Some("new"), None) => is_number(number),
            _ => false,
        }
}

/// Creates a file, or truncates an own one.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(PRIVATE);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_ours(path)? => {
            fs::remove_file(path)?;
            options.open(path)
        }
        opened => opened,
    }
}

/// Files of earlier versions were readable by everyone.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    if owner(path)? != Owner::History {
        return Ok(());
    }
    let mode = fs::symlink_metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(PRIVATE))
}
