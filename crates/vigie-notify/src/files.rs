//! Reads `alertmanager.yml` and the template files that it names.

use std::path::{Path, PathBuf};

use vigie_store::{Pattern, Unreadable, read_text};

use crate::config::{self, Config};
use crate::problem::Problems;
use crate::template::{self, FileProblems, Templates};

/// The most template files.
const TEMPLATE_FILES: usize = 100;

/// A configuration with its templates. Paths in it are resolved against the directory of the file.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The built-in templates and those of its files.
    pub templates: Templates,
    /// The text of the file, for messages and for Alertmanager's API.
    pub text: String,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file or one of its template files cannot be read.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: Unreadable,
    },
    /// There are mistakes in the file.
    #[error("{}: {problems}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Its text, in which the mistakes have their positions.
        text: String,
        /// The mistakes.
        problems: Problems,
    },
    /// There are mistakes in template files.
    #[error("{0}")]
    Templates(FileProblems),
    /// A pattern of `templates` is not valid.
    #[error("`templates` has the pattern `{pattern}`: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// The reason.
        reason: String,
    },
}

/// Reads a configuration file and its templates. It blocks.
///
/// # Errors
/// The file that cannot be used, with all of its mistakes.
pub fn load(path: &Path) -> Result<Loaded, Error> {
    let text = read(path, config::MAX_FILE_BYTES)?;
    let mut config = config::load(&text).map_err(|problems| Error::Config {
        path: path.to_owned(),
        text: text.clone(),
        problems,
    })?;
    let directory = path.parent().unwrap_or(Path::new(""));
    config.resolve(directory);
    let templates = templates(&config.templates, directory)?;
    Ok(Loaded {
        config,
        templates,
        text,
    })
}

/// The templates of the files that the patterns match.
fn templates(patterns: &[String], directory: &Path) -> Result<Templates, Error> {
    let mut files = Vec::new();
    for pattern in patterns {
        let wrong = |reason: String| Error::Pattern {
            pattern: pattern.clone(),
            reason,
        };
        let left = TEMPLATE_FILES - files.len();
        let found = Pattern::new(directory, pattern).files(left);
        for path in found.map_err(|error| wrong(error.to_string()))? {
            let text = read(&path, template::MAX_FILE_BYTES)?;
            files.push((path.display().to_string(), text));
        }
    }
    Templates::load(files).map_err(Error::Templates)
}

fn read(path: &Path, most: usize) -> Result<String, Error> {
    read_text(path, most as u64).map_err(|reason| Error::Unreadable {
        path: path.to_owned(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        directory
    }

    const CONFIG: &str = "route: {receiver: a}\ntemplates: ['*.tmpl']\nreceivers:\n- name: a\n  \
        slack_configs: [{api_url_file: secrets/url, http_config: {tls_config: {ca_file: /etc/ca.pem}}}]\n";

    #[test]
    fn paths_are_relative_to_the_file() {
        let template = r#"{{ define "own" }}x{{ end }}"#;
        let directory = directory(&[("am.yml", CONFIG), ("a.tmpl", template)]);
        std::fs::create_dir(directory.path().join("secrets")).unwrap();
        let loaded = load(&directory.path().join("am.yml")).unwrap();
        assert!(loaded.templates.contains("own"));
        let config::Kind::Slack(slack) = &loaded.config.receivers[0].integrations[0].kind else {
            panic!("{loaded:?}");
        };
        let config::Secret::File(path) = &slack.api_url else {
            panic!("{loaded:?}");
        };
        assert_eq!(*path, directory.path().join("secrets/url"));
        assert_eq!(
            slack.http.tls.ca_file.as_deref(),
            Some(Path::new("/etc/ca.pem"))
        );
    }

    #[test]
    fn mistakes_name_their_file() {
        let directory = directory(&[
            ("am.yml", CONFIG),
            ("bad.yml", "route: {}"),
            ("a.tmpl", "{{"),
        ]);
        let error = |name: &str| {
            load(&directory.path().join(name))
                .err()
                .unwrap()
                .to_string()
        };
        assert!(
            error("am.yml").contains("a.tmpl: line 1, column"),
            "{}",
            error("am.yml")
        );
        assert!(
            error("bad.yml").contains("bad.yml: line 1"),
            "{}",
            error("bad.yml")
        );
        assert!(
            error("none.yml").contains("none.yml: No such file"),
            "{}",
            error("none.yml")
        );
    }

    #[test]
    fn only_regular_files_are_read() {
        let directory = directory(&[("am.yml", CONFIG)]);
        let fifo = directory.path().join("a.tmpl");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        for path in [&fifo, &directory.path().join("am.yml")] {
            let error = load(path).unwrap_err().to_string();
            let expected = format!("{}: it is not a regular file", fifo.display());
            assert_eq!(error, expected);
        }
    }
}
