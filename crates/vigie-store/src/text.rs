//! Text files that people write: settings, templates, credentials.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// The reason for which a text file cannot be read. It does not name the file.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The operating system refused an operation.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is a directory, a device, a socket or a FIFO.
    #[error("it is not a regular file")]
    NotRegular,
    /// It is longer than the caller accepts.
    #[error("it has more than {limit} bytes")]
    TooLong {
        /// The bytes accepted.
        limit: u64,
    },
    /// Its bytes are not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText,
}

/// Whether `value`, resolved to `path`, is a path and not a secret in place of one: the file exists, or `value` names
/// an existing directory.
#[must_use]
pub fn is_path(value: &str, path: &Path) -> bool {
    let directory = Path::new(value).parent();
    let is_named = directory
        .is_some_and(|named| named.components().next().is_some() && named != Path::new("/"));
    path.exists() || is_named && path.parent().is_some_and(Path::is_dir)
}

/// The text of a regular file of at most `limit` bytes. Symbolic links are followed.
///
/// # Errors
/// If it cannot be read, is not a regular file, is longer or is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String, Unreadable> {
    // Opening a FIFO would block until there is a writer; opening a device can have effects.
    if !fs::metadata(path)?.is_file() {
        return Err(Unreadable::NotRegular);
    }
    read_text_from(File::open(path)?, limit)
}

/// The text of an input of at most `limit` bytes, such as the standard input.
///
/// # Errors
/// If it cannot be read, is longer or is not UTF-8.
pub fn read_text_from(input: impl Read, limit: u64) -> Result<String, Unreadable> {
    let mut bytes = Vec::new();
    input
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Unreadable::TooLong { limit });
    }
    let text = String::from_utf8(bytes).map_err(|_| Unreadable::NotText)?;
    // Editors on Windows write a byte order mark, which is not part of the text.
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn bounded_text_of_regular_files() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let error = |path: &Path| read_text(path, 5).unwrap_err().to_string();

        fs::write(at("text"), "héllo").unwrap();
        symlink(at("text"), at("link")).unwrap();
        assert_eq!(read_text(&at("text"), 6).unwrap(), "héllo");
        assert_eq!(read_text(&at("link"), 6).unwrap(), "héllo");
        assert_eq!(error(&at("text")), "it has more than 5 bytes");

        fs::write(at("mark"), "\u{feff}a").unwrap();
        assert_eq!(read_text(&at("mark"), 5).unwrap(), "a");

        fs::write(at("bytes"), [0xff]).unwrap();
        assert_eq!(error(&at("bytes")), "it is not UTF-8 text");
        assert!(error(&at("none")).contains("No such file"));

        let fifo = std::process::Command::new("mkfifo")
            .arg(at("fifo"))
            .status();
        assert!(fifo.unwrap().success());
        let _socket = UnixListener::bind(at("socket")).unwrap();
        symlink(at("fifo"), at("link to a fifo")).unwrap();
        for path in [
            at("fifo"),
            at("link to a fifo"),
            at("socket"),
            directory.path().to_owned(),
            "/dev/zero".into(),
        ] {
            assert_eq!(error(&path), "it is not a regular file", "{path:?}");
        }
    }
}
