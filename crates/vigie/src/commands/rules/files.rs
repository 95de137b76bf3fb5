//! Finds and reads rule files: paths, directories and the standard input.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use vigie_store::{Pattern, read_text, read_text_from};

/// The maximum depth of directories.
const MAX_DEPTH: usize = 16;
/// The maximum number of rule files in a directory, or of a pattern.
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

/// The files that a pattern in the file at `path` matches, sorted.
pub(super) fn matching(path: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    let directory = match is_stdin(path) {
        true => Path::new(""),
        false => path.parent().unwrap_or(Path::new("")),
    };
    let found = Pattern::new(directory, pattern).files(MAX_FILES);
    found.map_err(|error| error.to_string())
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

/// Reads a text of at most `limit` bytes: a regular file, or the standard input.
pub(super) fn read(path: &Path, limit: usize) -> Result<String, String> {
    let limit = limit as u64;
    let text = match is_stdin(path) {
        true => read_text_from(io::stdin().lock(), limit),
        false => read_text(path, limit),
    };
    text.map_err(unreadable)
}

fn unreadable(reason: impl fmt::Display) -> String {
    format!("cannot be read: {reason}")
}
