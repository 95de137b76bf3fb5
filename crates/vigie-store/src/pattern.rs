//! Patterns of files that people write in settings.

use std::fmt;
use std::path::{Path, PathBuf};

/// A pattern such as `rules/*.yml`, relative to a directory. Only the pattern has wildcards: in the name of the directory,
/// `[` or `*` stands for itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern {
    directory: PathBuf,
    text: String,
}

/// The reason for which the files of a pattern cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// The pattern is not valid.
    #[error("{0}")]
    Invalid(#[from] glob::PatternError),
    /// A directory cannot be read.
    #[error("{0}")]
    Unreadable(#[from] glob::GlobError),
    /// More files match than the caller accepts.
    #[error("it matches more than {limit} files")]
    TooMany {
        /// The files accepted.
        limit: usize,
    },
}

impl Pattern {
    /// A pattern relative to `directory`, or an absolute one.
    pub fn new(directory: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self {
            directory: directory.into(),
            text: text.into(),
        }
    }

    /// Whether it has no wildcards, so that it names one file.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.text.contains(['*', '?', '['])
    }

    /// The files that match, sorted.
    ///
    /// # Errors
    /// If the pattern is not valid, a directory cannot be read, or there are more than `limit` files.
    pub fn files(&self, limit: usize) -> Result<Vec<PathBuf>, PatternError> {
        let directory = glob::Pattern::escape(&self.directory.to_string_lossy());
        let pattern = Path::new(&directory).join(&self.text);
        let found = glob::glob(&pattern.to_string_lossy())?;
        let found: Vec<_> = found
            .take(limit.saturating_add(1))
            .collect::<Result<_, _>>()?;
        match found.len() > limit {
            true => Err(PatternError::TooMany { limit }),
            false => Ok(found),
        }
    }
}

/// For messages.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.directory.join(&self.text).display().fmt(f)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.directory.join(&self.text).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_the_pattern_has_wildcards() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["prod [eu]*", "prod e"] {
            let directory = parent.path().join(name);
            std::fs::create_dir(&directory).unwrap();
            for file in ["b.yml", "a.yml", "a.txt"] {
                std::fs::write(directory.join(file), "").unwrap();
            }
        }
        let directory = parent.path().join("prod [eu]*");
        let files = |pattern: &str| Pattern::new(&directory, pattern).files(2);
        let expected = [directory.join("a.yml"), directory.join("b.yml")];
        assert_eq!(files("*.yml").unwrap(), expected);
        assert_eq!(files("a.yml").unwrap(), expected[..1]);
        let absolute = parent.path().join("prod e/a.*");
        assert_eq!(files(absolute.to_str().unwrap()).unwrap().len(), 2);
        assert_eq!(
            files("*").unwrap_err().to_string(),
            "it matches more than 2 files"
        );
        assert!(matches!(files("***"), Err(PatternError::Invalid(_))));
        assert!(Pattern::new(&directory, "a.yml").is_plain());
        assert!(!Pattern::new(&directory, "?.yml").is_plain());
    }
}
