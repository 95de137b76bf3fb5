//! Secrets kept in files of their own, as Kubernetes and systemd hand them out.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// No password or address is longer; a wrong path must not be read without end.
const LARGEST: u64 = 64 * 1024;

/// The content of the file without its last line break. The error never quotes the content.
pub(crate) fn read(path: &Path) -> Result<String, String> {
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
