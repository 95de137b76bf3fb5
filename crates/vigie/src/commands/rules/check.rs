//! `vigie rules check`: everything that is wrong in rule files, with its place.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use vigie_alerts::{Loaded, MAX_FILE_BYTES, check, load};

use super::report;
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
    for path in paths {
        match read(path) {
            Ok(text) => sources.push(Source {
                path: path.display().to_string(),
                loaded: load(&text),
                text,
            }),
            Err(error) => {
                unreadable = true;
                // When the standard error is closed, nobody is left to tell.
                let _ = writeln!(io::stderr(), "vigie: {} {error}", path.display());
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

/// Reads no more than the loader will take: what is longer it refuses.
fn read(path: &Path) -> Result<String, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let most = MAX_FILE_BYTES as u64 + 1;
    file.take(most)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(format!("is larger than {MAX_FILE_BYTES} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
