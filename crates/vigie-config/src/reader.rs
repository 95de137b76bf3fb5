//! Reads keys one by one and collects every mistake, so that all are reported together.
//!
//! The keys that were read are the keys that exist: there is no second list to keep in step.

use std::path::{Path, PathBuf};

use vigie_redis::redact;

use crate::exposed::Exposed;
use crate::given::{Given, Layer, Place, Span, may_hide_secret, twin};
use crate::mask;
use crate::problem::Problem;
use crate::secret_file;
use crate::values::{Parsed, Wrong, text};

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

    /// Resolves a relative path: one in the configuration file against that file's directory, others against the
    /// working directory.
    fn located(&self, path: String, place: &Place) -> PathBuf {
        match place {
            Place::File(_) => self.directory.join(path),
            _ => PathBuf::from(path),
        }
    }

    /// A secret, given by `key` itself or as a file by `key_file`.
    pub(crate) fn secret<T>(&mut self, key: &str, kind: impl Fn(&Given) -> Parsed<T>) -> Option<T> {
        let file_key = twin(key);
        self.known.push(key.to_owned());
        self.secrets.push(key.to_owned());
        let path = self.optional(&file_key, text);
        let direct = self.layer.values.get(key).cloned();
        let from_file = self.layer.values.get(&file_key).cloned();

        if let (Some(direct), Some(from_file)) = (&direct, &from_file) {
            let title = format!("{key} and {file_key} exclude each other");
            let label = "remove one of the two";
            let problem = Problem::at(from_file.key.clone(), title, label);
            self.problem(problem.also(Some(&direct.key), "the other one"));
            return None;
        }
        if let Some(given) = direct {
            let in_file = matches!(given.place, Place::File(_));
            self.holds_credentials |= in_file && given.text().is_some_and(is_credential);
            return kind(&given)
                .map_err(|wrongs| {
                    let title = format!("{key}: found a value that is not accepted (not shown)");
                    self.problem(Problem::at(given.place, title, labels(wrongs)).local());
                })
                .ok();
        }
        let (path, given) = (path?, from_file?);
        let path = self.located(path, &given.place);
        self.exposed.extend(Exposed::find(&path));
        secret_file::read(&path)
            .and_then(|secret| {
                kind(&Given::untyped(&secret, given.place.clone()))
                    .map_err(|wrongs| format!("in the file: {}", labels(wrongs)))
            })
            .map_err(|reason| {
                let problem = self.unusable_file(&file_key, &path, given.place, reason);
                // The value of the file is not shown, so it must not be kept either.
                let is_shown = !self.misplaced.contains(&file_key);
                self.problem(match is_shown {
                    true => problem.in_file(path.clone()),
                    false => problem,
                });
            })
            .ok()
    }

    /// The problem for an unusable file. A value that is not a path is not shown: it may be the secret itself.
    fn unusable_file(&mut self, key: &str, path: &Path, place: Place, reason: String) -> Problem {
        let title = format!("{key}: this file cannot be used");
        let given = self.layer.values.get(key);
        let value = given.and_then(Given::text).unwrap_or_default();
        let problem = match secret_file::is_path(value, path) {
            true => Problem::at(place, title, reason),
            false => {
                self.misplaced.push(key.to_owned());
                let hidden = "the path is not shown, since it may be a secret";
                let label = reason.replace(&*path.to_string_lossy(), hidden);
                let help = "the key takes the path of a file; prefix the name of a file in the same directory with ./";
                Problem::at(place, title, label).help(help)
            }
        };
        problem.local()
    }

    /// The path of a file that exists and that `judge` accepts.
    pub(crate) fn file(
        &mut self,
        key: &str,
        judge: impl Fn(&Path) -> Result<(), vigie_redis::Error>,
    ) -> Option<PathBuf> {
        let path = self.path(key)?;
        if let Err(error) = judge(&path) {
            let place = self.place(key)?.clone();
            let problem = self.unusable_file(key, &path, place, error.to_string());
            self.problem(problem);
        }
        Some(path)
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

    /// Like [`Self::file`], for a file that only Vigie should be able to read.
    pub(crate) fn private_file(
        &mut self,
        key: &str,
        judge: impl Fn(&Path) -> Result<(), vigie_redis::Error>,
    ) -> Option<PathBuf> {
        let path = self.file(key, judge)?;
        self.exposed.extend(Exposed::find(&path));
        Some(path)
    }

    /// A required secret.
    pub(crate) fn required_secret<T>(
        &mut self,
        section: &str,
        key: &str,
        kind: impl Fn(&Given) -> Parsed<T>,
        example: &str,
    ) -> Option<T> {
        let value = self.secret(key, kind);
        if !self.has_secret(key) {
            self.missing(section, key, example);
        }
        value
    }

    /// Whether a secret was given, by either key.
    pub(crate) fn has_secret(&self, key: &str) -> bool {
        self.layer.values.contains_key(key) || self.layer.values.contains_key(&twin(key))
    }

    /// The place of a secret given by either key.
    pub(crate) fn secret_place(&self, key: &str) -> Option<Place> {
        self.place(key).or_else(|| self.place(&twin(key))).cloned()
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

/// Whether the value of a secret key is a credential: an address without a password is not.
fn is_credential(value: &str) -> bool {
    let is_address =
        value.contains("://") || value.starts_with("sqlite:") || value.starts_with("unix:");
    !is_address || redact::addresses(value) != value
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
