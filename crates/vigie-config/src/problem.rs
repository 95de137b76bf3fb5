//! One mistake in the settings, and the error that collects all of them.

use std::fmt;
use std::path::PathBuf;

use vigie_redis::redact;

use crate::given::{Place, Span};
use crate::render;
use crate::settings::Unusable;

/// One mistake: its description, its place and the accepted values.
pub(crate) struct Problem {
    /// Names the key and what was found.
    pub(crate) title: String,
    pub(crate) place: Option<Place>,
    /// The accepted values; shown beside the caret.
    pub(crate) label: String,
    /// A second, related place.
    pub(crate) also: Option<(Place, String)>,
    pub(crate) help: Option<String>,
    /// Whether the line alone proves the mistake, so that it also counts in a file with parse errors elsewhere.
    pub(crate) local: bool,
    /// The check that cannot run because of it; nothing else is affected.
    pub(crate) fails: Option<&'static str>,
    /// The unusable file of a secret.
    pub(crate) file: Option<PathBuf>,
}

impl Problem {
    /// Creates a problem at `place`. Credentials in addresses are masked in every text.
    pub(crate) fn at(
        place: impl Into<Option<Place>>,
        title: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self {
            title: redact::addresses(&title.into()),
            place: place.into(),
            label: redact::addresses(&label.into()),
            also: None,
            help: None,
            local: false,
            fails: None,
            file: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(redact::addresses(&help.into()));
        self
    }

    pub(crate) fn also(mut self, place: Option<&Place>, label: impl Into<String>) -> Self {
        self.also = place.map(|place| (place.clone(), label.into()));
        self
    }

    pub(crate) fn local(mut self) -> Self {
        self.local = true;
        self
    }

    pub(crate) fn in_file(mut self, path: PathBuf) -> Self {
        self.file = Some(path);
        self
    }

    /// The check that cannot run, if nothing else is affected.
    pub(crate) fn unusable(&self) -> Option<Unusable> {
        let reason = || format!("{}: {}", self.title, self.label);
        self.fails.map(|check| Unusable {
            check,
            reason: reason(),
            file: self.file.clone(),
        })
    }

    pub(crate) fn span(&self) -> Option<&Span> {
        match &self.place {
            Some(Place::File(span)) => Some(span),
            _ => None,
        }
    }
}

/// The configuration file for messages, with its secrets masked.
pub(crate) struct Shown {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Shown {
    /// The span, clamped to the text and to character boundaries.
    pub(crate) fn fit(&self, span: &Span) -> Span {
        let start = self.text.floor_char_boundary(span.start);
        start..self.text.ceil_char_boundary(span.end).max(start)
    }
}

/// Every mistake in the settings: those in the file, in its order, then those in variables and flags.
///
/// Neither `Display` nor `Debug` shows a secret.
pub struct ConfigError {
    pub(crate) problems: Vec<Problem>,
    pub(crate) file: Option<Shown>,
}

impl ConfigError {
    pub(crate) fn new(mut problems: Vec<Problem>, file: Option<Shown>) -> Self {
        let rank = |problem: &Problem| match &problem.place {
            None => (0, 0),
            Some(Place::File(span)) => (1, span.start),
            Some(Place::Env(_)) => (2, 0),
            Some(Place::Flag(_)) => (3, 0),
        };
        problems.sort_by_key(rank);
        Self { problems, file }
    }

    /// The number of mistakes; never 0.
    #[must_use]
    pub fn count(&self) -> usize {
        self.problems.len()
    }

    /// All mistakes as human-readable text, with colours if `styled`.
    #[must_use]
    pub fn render(&self, styled: bool) -> String {
        render::render(self, styled)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigError {}
