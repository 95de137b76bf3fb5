//! Reads the rule files of the settings, and the built-in ones.

use std::fmt;
use std::path::{Path, PathBuf};

use vigie_alerts::{Level, Lint, MAX_FILE_BYTES, RuleFile, check, load_with, suppress};
use vigie_config::Alerts;
use vigie_promql::Features;
use vigie_store::{Pattern, read_text};

use crate::rules::{self, BuiltIn, report};

/// The maximum number of rule files.
const MAX_FILES: usize = 1_000;
/// The maximum number of rules in all files together.
const MAX_RULES: usize = 50_000;

/// The rules of one file.
pub(crate) struct Loaded {
    /// The path, or `builtin/NAME.yml`.
    pub(crate) name: String,
    pub(crate) rules: RuleFile,
}

/// The rules of all files.
pub(crate) struct Rules {
    pub(crate) files: Vec<Loaded>,
    /// The patterns that match no file.
    pub(crate) unmatched: Vec<String>,
}

/// Every mistake in the rule files, rendered for people.
#[derive(Debug)]
pub struct Mistakes {
    plain: String,
    styled: String,
}

impl Mistakes {
    /// The text, with colours or without.
    #[must_use]
    pub fn render(&self, styled: bool) -> &str {
        match styled {
            true => &self.styled,
            false => &self.plain,
        }
    }

    fn add(&mut self, text: &str) {
        self.plain.push_str(text);
        self.styled.push_str(text);
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.plain.trim_end())
    }
}

impl std::error::Error for Mistakes {}

/// A file that was read.
struct Source {
    name: String,
    text: String,
    loaded: vigie_alerts::Loaded,
}

/// Reads all files. A rule whose metrics are not recorded with the present settings is no mistake: its selectors match
/// nothing, which `/api/v1/rules` shows.
///
/// # Errors
/// All mistakes in all files, as `vigie rules check` shows them, without its warnings.
pub(crate) fn load(settings: &Alerts, features: Features) -> Result<Rules, Mistakes> {
    let mut mistakes = Mistakes {
        plain: String::new(),
        styled: String::new(),
    };
    let mut sources = Vec::new();
    for set in &settings.builtin {
        let set = BuiltIn::of(*set);
        sources.push(source(
            format!("builtin/{}.yml", set.name()),
            set.text().to_owned(),
            features,
        ));
    }
    let (paths, unmatched) = expand(&settings.rules, &mut mistakes);
    for path in paths {
        let name = path.display().to_string();
        match read(&path) {
            Ok(text) => sources.push(source(name, text, features)),
            Err(why) => mistakes.add(&format!("error: {name}: {why}\n")),
        }
    }
    let mut known = rules::known();
    known.permit(features);
    for source in &sources {
        known.learn(&source.loaded.rules);
    }
    for source in &sources {
        let mut findings = source.loaded.findings.clone();
        findings.extend(check(&source.loaded.rules, &known));
        let mut findings = suppress(&source.text, &source.loaded, findings).findings;
        // Vigie evaluates what newer versions of Prometheus accept.
        findings.retain(|finding| {
            finding.level() == Level::Error && finding.lint != Lint::NewerPrometheus
        });
        if !findings.is_empty() {
            let draw = |styled| report::draw(&source.name, &source.text, &findings, styled);
            mistakes.plain += &draw(false);
            mistakes.styled += &draw(true);
        }
    }
    let rules: usize = sources
        .iter()
        .map(|source| source.loaded.rules.rules().count())
        .sum();
    if rules > MAX_RULES {
        mistakes.add(&format!(
            "error: alerts.rules: the files contain {rules} rules; at most {MAX_RULES} are accepted\n"
        ));
    }
    if !mistakes.plain.is_empty() {
        return Err(mistakes);
    }
    let files = sources.into_iter().map(|source| Loaded {
        name: source.name,
        rules: source.loaded.rules,
    });
    Ok(Rules {
        files: files.collect(),
        unmatched,
    })
}

fn source(name: String, text: String, features: Features) -> Source {
    let loaded = load_with(&text, features);
    Source { name, text, loaded }
}

/// The files that the patterns match, each once, sorted within a pattern, and the patterns that match none. A pattern with
/// wildcards may match none, so that a directory can be empty; a plain path must exist.
fn expand(patterns: &[Pattern], mistakes: &mut Mistakes) -> (Vec<PathBuf>, Vec<String>) {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut unmatched = Vec::new();
    for pattern in patterns {
        match pattern.files(MAX_FILES) {
            Ok(files) if files.is_empty() && pattern.is_plain() => {
                mistakes.add(&format!(
                    "error: alerts.rules: there is no file {pattern}\n"
                ));
            }
            Ok(files) if files.is_empty() => unmatched.push(pattern.to_string()),
            Ok(files) => {
                for path in files {
                    if !found.contains(&path) {
                        found.push(path);
                    }
                }
            }
            Err(error) => mistakes.add(&format!("error: alerts.rules: {pattern}: {error}\n")),
        }
        if found.len() > MAX_FILES {
            mistakes.add(&format!(
                "error: alerts.rules: the patterns match more than {MAX_FILES} files\n"
            ));
            found.truncate(MAX_FILES);
            break;
        }
    }
    (found, unmatched)
}

fn read(path: &Path) -> Result<String, String> {
    if path.is_dir() {
        return Err("this is a directory; give a pattern such as rules/*.yml".to_owned());
    }
    let text = read_text(path, MAX_FILE_BYTES as u64);
    text.map_err(|error| format!("cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn settings(rules: &[&Path]) -> Alerts {
        Alerts {
            rules: rules
                .iter()
                .map(|path| Pattern::new("", path.to_str().unwrap()))
                .collect(),
            ..Alerts::default()
        }
    }

    #[test]
    fn the_built_in_files_have_no_mistakes() {
        let settings = Alerts {
            builtin: vec![
                vigie_config::BuiltIn::Essential,
                vigie_config::BuiltIn::Extended,
            ],
            ..Alerts::default()
        };
        let loaded = load(&settings, Features::Stable).unwrap().files;
        let names: Vec<_> = loaded.iter().map(|file| &*file.name).collect();
        assert_eq!(names, ["builtin/essential.yml", "builtin/extended.yml"]);
        assert!(loaded.iter().all(|file| file.rules.rules().count() > 3));
    }

    #[test]
    fn patterns_are_expanded_and_mistakes_shown_with_their_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let rule = "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: unknown_metric > 1\n";
        std::fs::write(path("a.yml"), rule).unwrap();
        std::fs::write(path("b.yml"), rule).unwrap();
        let all = path("*.yml");
        let loaded = load(&settings(&[&all, &path("a.yml")]), Features::Stable).unwrap();
        assert_eq!(loaded.files.len(), 3, "each once, and the essential ones");
        assert_eq!(loaded.unmatched, [""; 0]);
        let none = path("none/*.yml");
        let loaded = load(&settings(&[&none, &all]), Features::Stable).unwrap();
        assert_eq!(loaded.files.len(), 3);
        assert_eq!(loaded.unmatched, [none.display().to_string()]);

        std::fs::write(path("b.yml"), rule.replace("> 1", ">")).unwrap();
        let mistakes = load(
            &settings(&[&all, &path("c.yml"), directory.path()]),
            Features::Stable,
        )
        .err();
        let mistakes = mistakes.unwrap().to_string();
        for expected in ["b.yml:5:", "^", "there is no file", "this is a directory"] {
            assert!(mistakes.contains(expected), "{expected} in {mistakes}");
        }
        assert!(!mistakes.contains("a.yml:"), "{mistakes}");
    }

    #[test]
    fn a_fifo_among_the_files_is_a_mistake() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("a.yml");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        let settings = settings(&[&directory.path().join("*.yml")]);
        let (sender, loaded) = std::sync::mpsc::sync_channel(1);
        std::thread::spawn(move || {
            sender.send(load(&settings, Features::Stable).err().unwrap().to_string())
        });
        let mistakes = loaded.recv_timeout(std::time::Duration::from_secs(60));
        let mistakes = mistakes.unwrap();
        assert!(mistakes.contains("not a regular file"), "{mistakes}");
    }
}
