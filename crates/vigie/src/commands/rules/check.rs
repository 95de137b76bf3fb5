//! `vigie rules check`: everything that is wrong in rule files, with its place.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use vigie_alerts::{Loaded, check, load};
use vigie_redis::redact;

use super::{files, report};
use crate::rules;

/// A file could not be read.
const UNREADABLE: u8 = 2;

/// A file that was read.
struct Source {
    path: String,
    text: String,
    loaded: Loaded,
}

pub(super) fn run(paths: &[PathBuf], out: &mut dyn io::Write) -> io::Result<ExitCode> {
    let mut sources = Vec::new();
    let mut unreadable = false;
    for (path, file) in paths.iter().flat_map(|path| files::expand(path)) {
        match file.and_then(|path| files::read(&path).map(|text| (path, text))) {
            Ok((path, text)) => sources.push(Source {
                path: files::name(&path),
                loaded: load(&text),
                text,
            }),
            Err(error) => {
                unreadable = true;
                // A closed standard error must not end the check.
                let message = format!("vigie: {} {error}", files::name(&path));
                let _ = writeln!(io::stderr(), "{}", redact::addresses(&message));
            }
        }
    }
    let mut known = rules::known();
    for source in &sources {
        known.learn(&source.loaded.rules);
    }
    let styled = io::stdout().is_terminal() && crate::logging::coloured();
    let mut count = 0;
    for source in &sources {
        let mut findings = source.loaded.findings.clone();
        findings.extend(check(&source.loaded.rules, &known));
        findings.sort_by_key(|finding| finding.span.start);
        count += findings.len();
        if findings.is_empty() {
            let rules = source.loaded.rules.rules().count();
            writeln!(
                out,
                "{}: {}, nothing found",
                source.path,
                counted(rules, "rule")
            )?;
        } else {
            let drawn = report::draw(&source.path, &source.text, &findings, styled);
            out.write_all(drawn.as_bytes())?;
        }
    }
    if count > 0 {
        writeln!(out, "{}", counted(count, "finding"))?;
    }
    Ok(match (unreadable, count) {
        (true, _) => ExitCode::from(UNREADABLE),
        (false, 0) => ExitCode::SUCCESS,
        (false, _) => ExitCode::FAILURE,
    })
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
