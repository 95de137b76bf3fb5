//! Secrets kept in files of their own, as Kubernetes and systemd hand them out.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// No password or address is longer; a wrong path must not be read without end.
const LARGEST: u64 = 64 * 1024;

/// Whether `value` is the path of a file, found at `path`, and not a secret in the place of one: there is something, or the
/// value names a directory that is there.
pub(crate) fn is_path(value: &str, path: &Path) -> bool {
    let directory = Path::new(value).parent();
    let is_named = directory
        .is_some_and(|named| named.components().next().is_some() && named != Path::new("/"));
    path.exists() || is_named && path.parent().is_some_and(Path::is_dir)
}

/// The content of a file of a secret, without its last line break.
///
/// # Errors
/// When the file cannot be read, is empty, too large or not text. The error never quotes the content.
pub fn read(path: &Path) -> Result<String, String> {
    let place = |reason: &dyn std::fmt::Display| format!("{}: {reason}", path.display());
    let metadata = path.metadata().map_err(|error| place(&error))?;
    // Opening a FIFO would wait for a writer.
    if !metadata.is_file() {
        return Err(place(&"it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| place(&error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("the file must hold at most {LARGEST} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "the file must hold UTF-8 text".to_owned())?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err("the file must not be empty".into());
    }
    Ok(text.to_owned())
}
