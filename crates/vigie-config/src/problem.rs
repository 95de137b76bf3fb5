//! One mistake, and all of them together.

use std::fmt;
use std::path::PathBuf;

use vigie_redis::redact;

use crate::given::{Place, Span};
use crate::render;
use crate::settings::Unusable;

/// One mistake: what is wrong, where, and what is accepted.
pub(crate) struct Problem {
    /// Names the key and what was found.
    pub(crate) title: String,
    pub(crate) place: Option<Place>,
    /// What is accepted; stands beside the caret.
    pub(crate) label: String,
    /// A second place that has to do with it.
    pub(crate) also: Option<(Place, String)>,
    pub(crate) help: Option<String>,
    /// Can be judged from its own line alone, so it also holds in a file that is broken elsewhere.
    pub(crate) local: bool,
    /// The check that cannot run because of it; everything else can.
    pub(crate) fails: Option<&'static str>,
    /// The file with a secret that cannot be used.
    pub(crate) file: Option<PathBuf>,
}

impl Problem {
    /// Credentials in addresses are covered in every text.
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

    /// The check that cannot run, if that is all that follows from this mistake.
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

/// The configuration file as it may be shown: its secrets are already masked.
pub(crate) struct Shown {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Shown {
    /// The span, kept within the text and off the middle of its characters.
    pub(crate) fn fit(&self, span: &Span) -> Span {
        let start = self.text.floor_char_boundary(span.start);
        start..self.text.ceil_char_boundary(span.end).max(start)
    }
}

/// Every mistake in the settings, in the order of the file, then variables and flags.
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
