//! `vigie rules test`: unit tests of rules.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use vigie_alerts::{Finding, Level, MAX_FILE_BYTES, RuleFile, load_with, unit};
use vigie_promql::Features;

use super::{TestArgs, failures, files, report};

/// A file could not be read.
const UNUSABLE: u8 = 2;

/// The counts of all files.
#[derive(Default)]
struct Total {
    files: usize,
    tests: usize,
    failed: usize,
    /// Whether a file has mistakes.
    mistaken: bool,
    /// Whether a file cannot be read.
    unreadable: bool,
}

pub(super) fn run(arguments: &TestArgs, out: &mut dyn io::Write) -> io::Result<ExitCode> {
    let mut total = Total::default();
    let mut rules = RuleFiles {
        read: BTreeMap::new(),
        features: match arguments.experimental {
            true => Features::Experimental,
            false => Features::Stable,
        },
    };
    for argument in &arguments.files {
        for (path, file) in files::expand(argument) {
            let read = file.and_then(|path| files::read(&path, MAX_FILE_BYTES));
            match read {
                Ok(text) => {
                    let searched = path != *argument;
                    test(&path, &text, searched, &mut rules, &mut total, out)?;
                }
                Err(error) => total.complain(&format!("{} {error}", files::name(&path))),
            }
        }
    }
    if total.failed > 0 && total.files > 1 {
        writeln!(out, "{} of {} tests failed", total.failed, total.tests)?;
    }
    Ok(
        match (total.unreadable, total.mistaken || total.failed > 0) {
            (true, _) => ExitCode::from(UNUSABLE),
            (false, false) => ExitCode::SUCCESS,
            (false, true) => ExitCode::FAILURE,
        },
    )
}

/// Runs the tests of a file. A rule file that was found by searching a directory is skipped.
fn test(
    path: &Path,
    text: &str,
    searched: bool,
    rules: &mut RuleFiles,
    total: &mut Total,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let name = files::name(path);
    let loaded = unit::load(text, rules.features);
    if loaded.is_rule_file && searched {
        return Ok(());
    }
    let mut paths = Vec::new();
    for pattern in &loaded.file.rule_files {
        match files::matching(path, pattern) {
            Ok(found) if found.is_empty() => {
                complain(&format!(
                    "{name}: no file matches {:?} of rule_files",
                    &**pattern
                ));
            }
            Ok(found) => paths.extend(found),
            Err(error) => {
                total.mistaken = true;
                complain(&format!("{name}: {:?} of rule_files: {error}", &**pattern));
            }
        }
    }
    paths.sort();
    paths.dedup();
    let usable = total.accept(&name, text, &loaded.findings, out)?;
    let usable = rules.read_all(&paths, total, out)? && usable;
    if !usable {
        return Ok(());
    }
    let names: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let found = paths.iter().zip(&names);
    let found: Vec<_> = found
        .filter_map(|(path, name)| Some((&**name, rules.read.get(path)?)))
        .collect();
    let outcomes = unit::run(&loaded.file, &found);
    let line = |at: usize| {
        text.as_bytes()[..at.min(text.len())]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1
    };
    let failed = outcomes
        .iter()
        .filter(|outcome| !outcome.failures.is_empty());
    let mut count = 0;
    for outcome in failed {
        count += 1;
        out.write_all(failures::describe(&name, outcome, &line).as_bytes())?;
    }
    let tests = outcomes.len();
    total.files += 1;
    total.tests += tests;
    total.failed += count;
    let plural = if tests == 1 { "" } else { "s" };
    match count {
        0 => writeln!(out, "{name}: {tests} test{plural} passed"),
        count => writeln!(out, "{name}: {count} of {tests} test{plural} failed"),
    }
}

/// The rule files.
struct RuleFiles {
    /// The files that were read, by path.
    read: BTreeMap<PathBuf, RuleFile>,
    /// The part of PromQL that they may use.
    features: Features,
}

impl RuleFiles {
    /// Reads the files that were not read yet; `false` if one of them has mistakes or cannot be read.
    fn read_all(
        &mut self,
        paths: &[PathBuf],
        total: &mut Total,
        out: &mut dyn io::Write,
    ) -> io::Result<bool> {
        let mut usable = true;
        for path in paths {
            if self.read.contains_key(path) {
                continue;
            }
            let name = files::name(path);
            match files::read(path, MAX_FILE_BYTES) {
                Ok(text) => {
                    let loaded = load_with(&text, self.features);
                    let mistakes = loaded.findings.into_iter();
                    let mistakes: Vec<_> =
                        mistakes.filter(|one| one.level() == Level::Error).collect();
                    if total.accept(&name, &text, &mistakes, out)? {
                        self.read.insert(path.clone(), loaded.rules);
                    } else {
                        usable = false;
                    }
                }
                Err(error) => {
                    usable = false;
                    total.complain(&format!("{name} {error}"));
                }
            }
        }
        Ok(usable)
    }
}

impl Total {
    fn complain(&mut self, message: &str) {
        self.unreadable = true;
        complain(message);
    }

    /// Draws the mistakes of a file; `true` if it has none.
    fn accept(
        &mut self,
        path: &str,
        text: &str,
        mistakes: &[Finding],
        out: &mut dyn io::Write,
    ) -> io::Result<bool> {
        if mistakes.is_empty() {
            return Ok(true);
        }
        self.mistaken = true;
        let styled = vigie_query::coloured(&io::stdout());
        out.write_all(report::draw(path, text, mistakes, styled).as_bytes())?;
        Ok(false)
    }
}

/// Writes to the standard error; if it is closed, the tests continue.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "vigie: {message}");
}
