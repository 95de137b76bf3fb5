//! Finds and reads rule files: paths, directories and the standard input.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The maximum depth of directories.
const MAX_DEPTH: usize = 16;
/// The maximum number of rule files in a directory.
const MAX_FILES: usize = 10_000;

/// The standard input.
const STDIN: &str = "-";

/// The files that `path` refers to, each with its path or the reason why it cannot be read.
pub(super) fn expand(path: &Path) -> Vec<(PathBuf, Result<PathBuf, String>)> {
    let failed = |error: String| vec![(path.to_owned(), Err(error))];
    if !path.is_dir() {
        return vec![(path.to_owned(), Ok(path.to_owned()))];
    }
    let mut found = Vec::new();
    match search(path, 0, &mut found) {
        Err(error) => failed(unreadable(error)),
        Ok(()) if found.is_empty() => failed("has no rule files (*.yml, *.yaml)".to_owned()),
        Ok(()) if found.len() > MAX_FILES => {
            failed(format!("has more than {MAX_FILES} rule files"))
        }
        Ok(()) => found
            .into_iter()
            .map(|path| (path.clone(), Ok(path)))
            .collect(),
    }
}

fn search(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let entries = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if found.len() > MAX_FILES {
            break;
        }
        let name = path.file_name().unwrap_or_default();
        // Kubernetes mounts each file a second time below `..data`.
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let ending = path.extension().and_then(|ending| ending.to_str());
        if path.is_dir() {
            if depth < MAX_DEPTH {
                search(&path, depth + 1, found)?;
            }
        } else if matches!(ending, Some("yml" | "yaml")) {
            found.push(path);
        }
    }
    Ok(())
}

/// Whether the path stands for the standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.to_str() == Some(STDIN)
}

/// The name of a file in the report.
pub(super) fn name(path: &Path) -> String {
    match is_stdin(path) {
        true => "<stdin>".to_owned(),
        false => path.display().to_string(),
    }
}

/// Reads a text of at most `limit` bytes.
pub(super) fn read(path: &Path, limit: usize) -> Result<String, String> {
    let input: Box<dyn Read> = match is_stdin(path) {
        true => Box::new(io::stdin().lock()),
        false => Box::new(File::open(path).map_err(unreadable)?),
    };
    let mut bytes = Vec::new();
    let most = limit as u64 + 1;
    input
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() > limit {
        return Err(format!("is larger than {limit} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())
}

fn unreadable(error: io::Error) -> String {
    format!("cannot be read: {error}")
}
