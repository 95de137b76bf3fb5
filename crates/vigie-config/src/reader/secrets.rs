//! Secrets, given by themselves or in files, and other files that a setting names.

use std::path::{Path, PathBuf};

use vigie_notify::config::Secret;
use vigie_redis::redact;

use super::{Reader, labels, unshown};
use crate::exposed::Exposed;
use crate::given::{Given, Place, twin};
use crate::problem::Problem;
use crate::secret_file;
use crate::values::{Parsed, text};

impl Reader {
    /// The file with a secret of this check, if the file cannot be used.
    pub(crate) fn unusable_file_of(&self, check: &str) -> Option<PathBuf> {
        let mut problems = self.problems.iter();
        let of_check = |problem: &&Problem| problem.fails == Some(check);
        problems.find(of_check)?.file.clone()
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
                .map_err(|wrongs| self.problem(unshown(key, given.place, wrongs)))
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

    /// Like [`Self::secret`], for one that is used later and read again from its file then.
    pub(crate) fn later_secret(
        &mut self,
        key: &str,
        kind: impl Fn(&Given) -> Parsed<String>,
    ) -> Option<Secret> {
        let value = self.secret(key, kind)?;
        let file = self.layer.values.get(&twin(key));
        Some(match file.map(|given| (given.text(), &given.place)) {
            Some((Some(path), place)) => Secret::File(self.located(path.to_owned(), place)),
            _ => Secret::Value(value.into()),
        })
    }

    /// The problem for an unusable file. A value that is not a path is not shown: it may be the secret itself.
    fn unusable_file(&mut self, key: &str, path: &Path, place: Place, reason: String) -> Problem {
        let title = format!("{key}: this file cannot be used");
        let given = self.layer.values.get(key);
        let value = given.and_then(Given::text).unwrap_or_default();
        let problem = match vigie_store::is_path(value, path) {
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
        self.require_secret(section, key, example);
        value
    }

    /// Reports a secret that was given by neither key, if its section was given.
    pub(crate) fn require_secret(&mut self, section: &str, key: &str, example: &str) {
        if !self.has_secret(key) {
            self.missing(section, key, example);
        }
    }

    /// Like [`Self::needs`], for a secret.
    pub(crate) fn needs_secret(&mut self, key: &str, other: &str) {
        self.needs(key, other);
        self.needs(&twin(key), other);
    }

    /// Whether a secret was given, by either key.
    pub(crate) fn has_secret(&self, key: &str) -> bool {
        self.layer.values.contains_key(key) || self.layer.values.contains_key(&twin(key))
    }

    /// The place of a secret given by either key.
    pub(crate) fn secret_place(&self, key: &str) -> Option<Place> {
        self.place(key).or_else(|| self.place(&twin(key))).cloned()
    }
}

/// Whether the value of a secret key is a credential: an address without a password is not.
fn is_credential(value: &str) -> bool {
    let is_file = ["sqlite:", "file:", "unix:"];
    let is_address =
        value.contains("://") || is_file.iter().any(|scheme| value.starts_with(scheme));
    !is_address || redact::addresses(value) != value
}
