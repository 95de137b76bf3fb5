//! A set of patterns.

use super::configured::Configured;
use super::path::Path;
use super::pattern::PatternError;

/// Patterns like those of routes, of which a request matches one or none.
#[derive(Debug)]
pub(crate) struct Patterns(Option<Configured>);

impl Patterns {
    /// # Errors
    /// If a pattern is invalid.
    pub(crate) fn new(patterns: &[impl AsRef<str>]) -> Result<Self, PatternError> {
        let is_empty = patterns.is_empty();
        let configured = (!is_empty).then(|| Configured::new(patterns));
        configured.transpose().map(Self)
    }

    /// Whether a request matches one of them. Without patterns, this costs nothing.
    pub(crate) fn contain(&self, method: &str, path: &str) -> bool {
        let Some(configured) = &self.0 else {
            return false;
        };
        Path::parse(path).is_some_and(|path| configured.find(path, Some(method)).is_some())
    }
}
