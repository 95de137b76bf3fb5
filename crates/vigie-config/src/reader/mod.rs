//! Reads keys one by one and collects every mistake, so that all are reported together.
//!
//! The keys that were read are the keys that exist: there is no second list to keep in step.

mod secrets;

use std::path::{Path, PathBuf};

use vigie_store::Pattern;

use crate::exposed::Exposed;
use crate::given::{Given, Layer, Place, Span, may_hide_secret};
use crate::mask;
use crate::problem::Problem;
use crate::values::{Parsed, Wrong, list, text};

pub(crate) struct Reader {
    layer: Layer,
    /// The base of relative paths in the configuration file.
    directory: PathBuf,
    known: Vec<String>,
    secrets: Vec<String>,
    /// Keys of files whose value is not a path, so that the value may be the secret itself.
    misplaced: Vec<String>,
    /// Whether the configuration file itself contains a credential.
    holds_credentials: bool,
    exposed: Vec<Exposed>,
    problems: Vec<Problem>,
}

impl Reader {
    pub(crate) fn new(layer: Layer, directory: PathBuf) -> Self {
        Self {
            layer,
            directory,
            known: Vec::new(),
            secrets: Vec::new(),
            misplaced: Vec::new(),
            holds_credentials: false,
            exposed: Vec::new(),
            problems: Vec::new(),
        }
    }

    pub(crate) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Reads the settings of one check: mistakes in them disable that check and nothing else.
    pub(crate) fn for_check<T>(
        &mut self,
        check: &'static str,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = self.problems.len();
        let value = read(self);
        for problem in &mut self.problems[before..] {
            problem.fails = Some(check);
        }
        value
    }

    /// The place of `section`, if it or a key in it was given.
    pub(crate) fn section(&self, section: &str) -> Option<Place> {
        self.layer.section(section).cloned()
    }

    /// Where the value of `key` was given.
    pub(crate) fn place(&self, key: &str) -> Option<&Place> {
        self.layer.values.get(key).map(|given| &given.place)
    }

    /// The value of `key`, if one was given and is valid.
    pub(crate) fn optional<T>(
        &mut self,
        key: &str,
        kind: impl Fn(&Given) -> Parsed<T>,
    ) -> Option<T> {
        self.known.push(key.to_owned());
        let given = self.layer.values.get(key)?.clone();
        match kind(&given) {
            Ok(value) => Some(value),
            Err(wrongs) => {
                for wrong in wrongs {
                    let given = wrong.item.as_ref().unwrap_or(&given);
                    let title = format!("{key}: found {}", given.describe());
                    self.problem(Problem::at(given.place.clone(), title, wrong.label).local());
                }
                None
            }
        }
    }

    /// Like [`Self::optional`], for a value that may contain a secret by mistake: messages do not show it.
    pub(crate) fn concealed<T>(
        &mut self,
        key: &str,
        kind: impl Fn(&Given) -> Parsed<T>,
    ) -> Option<T> {
        self.known.push(key.to_owned());
        self.secrets.push(key.to_owned());
        let given = self.layer.values.get(key)?.clone();
        kind(&given)
            .map_err(|wrongs| self.problem(unshown(key, given.place, wrongs)))
            .ok()
    }

    /// The value of `key`, or its default.
    pub(crate) fn or<T>(&mut self, key: &str, kind: impl Fn(&Given) -> Parsed<T>, default: T) -> T {
        self.optional(key, kind).unwrap_or(default)
    }

    /// Replaces `value`, which holds the default, if `key` was given.
    pub(crate) fn set<T>(&mut self, key: &str, kind: impl Fn(&Given) -> Parsed<T>, value: &mut T) {
        if let Some(given) = self.optional(key, kind) {
            *value = given;
        }
    }

    /// The value of a required `key`.
    pub(crate) fn required<T>(
        &mut self,
        section: &str,
        key: &str,
        kind: impl Fn(&Given) -> Parsed<T>,
        example: &str,
    ) -> Option<T> {
        let value = self.optional(key, kind);
        if !self.layer.values.contains_key(key) {
            self.missing(section, key, example);
        }
        value
    }

    /// A path in the file system, if one was given.
    pub(crate) fn path(&mut self, key: &str) -> Option<PathBuf> {
        let path = self.optional(key, text)?;
        let place = self.place(key)?;
        Some(self.located(path, place))
    }

    /// Patterns of files.
    pub(crate) fn patterns(&mut self, key: &str, most: usize) -> Vec<Pattern> {
        let patterns = self.optional(key, list(most, text)).unwrap_or_default();
        let Some(place) = self.place(key) else {
            return Vec::new();
        };
        let base = self.base(place);
        let patterns = patterns.into_iter().map(|text| Pattern::new(base, text));
        patterns.collect()
    }

    /// Resolves a relative path.
    fn located(&self, path: String, place: &Place) -> PathBuf {
        self.base(place).join(path)
    }

    /// The directory of relative paths: that of the configuration file for those in it, else the working directory.
    fn base(&self, place: &Place) -> &Path {
        match place {
            Place::File(_) => &self.directory,
            _ => Path::new(""),
        }
    }

    /// Rejects a key that has no effect without another one.
    pub(crate) fn needs(&mut self, key: &str, other: &str) {
        let is_given = |key: &str| self.layer.values.contains_key(key);
        if let (true, false, Some(place)) = (is_given(key), is_given(other), self.place(key)) {
            let title = format!("{key} has no effect without {other}");
            let label = format!("give {other} also, or remove this");
            let problem = Problem::at(place.clone(), title, label);
            self.problem(problem);
        }
    }

    fn missing(&mut self, section: &str, key: &str, example: &str) {
        if let Some(place) = self.section(section) {
            let title = format!("{key} is missing");
            let label = format!("[{section}] requires it");
            self.problem(Problem::at(place, title, label).help(format!("add {example}")));
        }
    }

    /// Finishes reading: every key that was not read becomes a problem.
    pub(crate) fn finish(mut self) -> Outcome {
        let unknown = crate::unknown::problems(&self.layer, &self.known);
        self.problems.extend(unknown);
        let mut outcome = Outcome {
            problems: self.problems,
            values: Vec::new(),
            names: Vec::new(),
            covered: Vec::new(),
            known: self.known,
            secrets: self.secrets,
            holds_credentials: self.holds_credentials,
            exposed: self.exposed,
        };
        let mut name = |path: &str, place: &Place| {
            outcome.names.extend(in_file(place));
            if may_hide_secret(path) {
                outcome.covered.extend(in_file(place));
            }
        };
        for (section, place) in &self.layer.sections {
            name(section, place);
        }
        for (key, given) in &self.layer.values {
            name(key, &given.key);
        }
        for (key, given) in &self.layer.values {
            let leaves = || given.leaves().into_iter().filter_map(in_file);
            outcome.values.extend(leaves());
            if outcome.secrets.contains(key)
                || !outcome.known.contains(key)
                || self.misplaced.contains(key)
                || given.may_hide_secret()
            {
                outcome.covered.extend(leaves());
            }
        }
        outcome
    }
}

/// The problems found, and the spans of the file that may or may not be shown.
pub(crate) struct Outcome {
    pub(crate) problems: Vec<Problem>,
    pub(crate) known: Vec<String>,
    pub(crate) values: Vec<Span>,
    pub(crate) names: Vec<Span>,
    pub(crate) covered: Vec<Span>,
    pub(crate) holds_credentials: bool,
    pub(crate) exposed: Vec<Exposed>,
    secrets: Vec<String>,
}

impl Outcome {
    /// The part of `span` that remains visible when the secret values are masked.
    pub(crate) fn visible(&self, span: Span) -> Span {
        let holds = |outer: &&Span| outer.start <= span.start && span.end <= outer.end;
        match self.covered.iter().find(holds) {
            Some(covered) => mask::shrink(covered.clone()),
            None => span,
        }
    }

    /// Whether a key of this name exists and is nowhere a secret.
    pub(crate) fn is_public(&self, name: &str) -> bool {
        let named = |key: &&String| last(key) == last(name);
        self.known.iter().any(|key| named(&key)) && !self.secrets.iter().any(|key| named(&key))
    }
}

/// The problem for a value that is not shown.
fn unshown(key: &str, place: Place, wrongs: Vec<Wrong>) -> Problem {
    let title = format!("{key}: found a value that is not accepted (not shown)");
    Problem::at(place, title, labels(wrongs)).local()
}

fn labels(wrongs: Vec<Wrong>) -> String {
    let labels: Vec<_> = wrongs.into_iter().map(|wrong| wrong.label).collect();
    labels.join("; ")
}

fn in_file(place: &Place) -> Option<Span> {
    match place {
        Place::File(span) => Some(span.clone()),
        _ => None,
    }
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}
