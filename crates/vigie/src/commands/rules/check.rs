//! `vigie rules check`: the mistakes in rule files, with their positions.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use vigie_alerts::{Level, Loaded, MAX_FILE_BYTES, Remaining, check, load_with, suppress};
use vigie_redis::redact;

use super::output::{self, Checked};
use super::{CheckArgs, declared, files};
use crate::rules;

/// A file could not be read, or the declarations are wrong.
const UNUSABLE: u8 = 2;

/// A file that was read.
struct Source {
    path: String,
    text: String,
    loaded: Loaded,
}

pub(super) fn run(
    config: Option<PathBuf>,
    arguments: &CheckArgs,
    out: &mut dyn io::Write,
) -> io::Result<ExitCode> {
    let mut known = rules::known();
    let features = match declared::declare(config, arguments, &mut known) {
        Ok(features) => features,
        Err(mistakes) => {
            complain(&mistakes);
            return Ok(ExitCode::from(UNUSABLE));
        }
    };
    known.permit(features);
    let mut sources = Vec::new();
    let mut unreadable = false;
    for (path, file) in arguments.files.iter().flat_map(|path| files::expand(path)) {
        let read = file.and_then(|path| Ok((files::read(&path, MAX_FILE_BYTES)?, path)));
        match read {
            Ok((text, path)) => sources.push(Source {
                path: files::name(&path),
                loaded: load_with(&text, features),
                text,
            }),
            Err(error) => {
                unreadable = true;
                let message = format!("vigie: {} {error}", files::name(&path));
                complain(&redact::addresses(&message));
            }
        }
    }
    for source in &sources {
        known.learn(&source.loaded.rules);
    }
    let checked: Vec<_> = sources
        .iter()
        .map(|source| {
            let mut findings = source.loaded.findings.clone();
            findings.extend(check(&source.loaded.rules, &known));
            let remaining = suppress(&source.text, &source.loaded, findings);
            checked(source, remaining)
        })
        .collect();
    let styled = vigie_query::coloured(&io::stdout());
    output::write(&checked, arguments.format, styled, out)?;
    let mut findings = checked.iter().flat_map(|file| &file.remaining.findings);
    let failed = findings.any(|finding| arguments.strict || finding.level() == Level::Error);
    Ok(match (unreadable, failed) {
        (true, _) => ExitCode::from(UNUSABLE),
        (false, false) => ExitCode::SUCCESS,
        (false, true) => ExitCode::FAILURE,
    })
}

fn checked(source: &Source, remaining: Remaining) -> Checked<'_> {
    Checked {
        path: &source.path,
        text: &source.text,
        rules: source.loaded.rules.rules().count(),
        remaining,
    }
}

/// Writes to the standard error; if it is closed, the check continues.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}
