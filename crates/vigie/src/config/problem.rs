//! One mistake, and all of them together.

use std::fmt;
use std::path::PathBuf;

use super::given::{Place, Span};
use super::render;
use super::settings::Unusable;

/// One mistake: what is wrong, where, and what is accepted.
pub(super) struct Problem {
    /// Names the key and what was found.
    pub(super) title: String,
    pub(super) place: Option<Place>,
    /// What is accepted; stands beside the caret.
    pub(super) label: String,
    /// A second place that has to do with it.
    pub(super) also: Option<(Place, String)>,
    pub(super) help: Option<String>,
    /// Can be judged from its own line alone, so it also holds in a file that is broken elsewhere.
    pub(super) local: bool,
    /// The check that cannot run because of it; everything else can.
    pub(super) fails: Option<&'static str>,
    /// The file with a secret that cannot be used.
    pub(super) file: Option<PathBuf>,
}

impl Problem {
    pub(super) fn at(
        place: impl Into<Option<Place>>,
        title: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self {
            title: title.into(),
            place: place.into(),
            label: label.into(),
            also: None,
            help: None,
            local: false,
            fails: None,
            file: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn also(mut self, place: Option<&Place>, label: impl Into<String>) -> Self {
        self.also = place.map(|place| (place.clone(), label.into()));
        self
    }

    pub(super) fn local(mut self) -> Self {
        self.local = true;
        self
    }

    pub(super) fn in_file(mut self, path: PathBuf) -> Self {
        self.file = Some(path);
        self
    }

    /// The check that cannot run, if that is all that follows from this mistake.
    pub(super) fn unusable(&self) -> Option<Unusable> {
        let reason = || format!("{}: {}", self.title, self.label);
        self.fails.map(|check| Unusable {
            check,
            reason: reason(),
            file: self.file.clone(),
        })
    }

    pub(super) fn span(&self) -> Option<&Span> {
        match &self.place {
            Some(Place::File(span)) => Some(span),
            _ => None,
        }
    }
}

/// The configuration file as it may be shown: its secrets are already masked.
pub(super) struct Shown {
    pub(super) path: String,
    pub(super) text: String,
}

impl Shown {
    /// The span, kept within the text and off the middle of its characters.
    pub(super) fn fit(&self, span: &Span) -> Span {
        let start = self.text.floor_char_boundary(span.start);
        start..self.text.ceil_char_boundary(span.end).max(start)
    }
}

/// Every mistake in the settings, in the order of the file, then variables and flags.
///
/// Neither `Display` nor `Debug` shows a secret.
pub struct ConfigError {
    pub(super) problems: Vec<Problem>,
    pub(super) file: Option<Shown>,
}

impl ConfigError {
    pub(super) fn new(mut problems: Vec<Problem>, file: Option<Shown>) -> Self {
        let rank = |problem: &Problem| match &problem.place {
            None => (0, 0),
            Some(Place::File(span)) => (1, span.start),
            Some(Place::Env(_)) => (2, 0),
            Some(Place::Flag(_)) => (3, 0),
        };
        problems.sort_by_key(rank);
        Self { problems, file }
    }

    /// How many mistakes there are; never 0.
    #[must_use]
    pub fn count(&self) -> usize {
        self.problems.len()
    }

    /// All mistakes as text for a person, with colours if `styled`.
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
