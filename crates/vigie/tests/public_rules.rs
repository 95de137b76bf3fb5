//! Rule files of other projects: `vigie rules check` reports no error in a file that Prometheus 2.42 accepts, and at least one in a
//! file that it refuses. `ALERT_RULES` names a directory with more of them, such as a clone of a collection of alerts.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use vigie::rules::known;
use vigie_alerts::{Finding, Level, check, load, suppress};
use vigie_testkit::conformance::{self, Test};
use vigie_testkit::tools;

/// The number of files checked by one run of promtool.
const BATCH: usize = 200;

/// Errors in files that Prometheus accepts: the end of the path, the name of the finding, and the reason.
const EXCEPTIONS: [(&str, &str, &str); 1] = [(
    "cilium-enterprise/alerts.yaml",
    "template-value",
    "`{{value}}` lacks its argument: promtool only parses templates, Prometheus fails to expand it",
)];

fn main() -> ExitCode {
    let rules = conformance::data("alert-compliance", "ALERT_RULES");
    let test: Test = ("agrees_with_prometheus".to_owned(), Box::new(agrees));
    conformance::run(rules, false, vec![test])
}

fn agrees(directory: &Path) {
    let mut files = Vec::new();
    search(directory, &mut files);
    assert!(!files.is_empty(), "{directory:?} has no rule files");
    let mut known = known();
    let loaded: Vec<_> = files
        .iter()
        .map(|(_, text)| load(text))
        .inspect(|loaded| known.learn(&loaded.rules))
        .collect();
    let accepted = files.chunks(BATCH).flat_map(accepted);
    let mut differences = Vec::new();
    for (((path, text), loaded), accepted) in files.iter().zip(&loaded).zip(accepted) {
        let mut findings = loaded.findings.clone();
        findings.extend(check(&loaded.rules, &known));
        let mut errors = suppress(text, loaded, findings).findings;
        errors.retain(|finding| finding.level() == Level::Error);
        match accepted {
            true => errors.retain(|finding| !is_exception(path, finding)),
            false if errors.is_empty() => {
                differences.push(format!("{path:?}: refused, without an error"));
            }
            false => errors.clear(),
        }
        let line = |at: usize| text[..at].matches('\n').count() + 1;
        differences.extend(errors.iter().map(|error| {
            let (name, title) = (error.lint.name(), &error.title);
            format!("{path:?}:{}: {name}: {title}", line(error.span.start))
        }));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// All rule files below a directory: YAML with groups, or a `PrometheusRule`.
fn search(directory: &Path, files: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        if path.is_dir()
            && !path
                .file_name()
                .unwrap()
                .as_encoded_bytes()
                .starts_with(b".")
        {
            search(&path, files);
        } else if let (Some("yml" | "yaml"), Ok(text)) = (ending, fs::read_to_string(&path))
            && text
                .lines()
                .any(|line| line.trim_start_matches('"').starts_with("groups"))
        {
            files.push((path, text));
        }
    }
}

/// Whether promtool accepts each file.
fn accepted(files: &[(PathBuf, String)]) -> Vec<bool> {
    let output = Command::new(tools::PROMTOOL.find().unwrap())
        .args(["check", "rules", "--lint=none"])
        .args(files.iter().map(|(path, _)| path))
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let reports: Vec<_> = stdout.split("Checking ").skip(1).collect();
    assert_eq!(reports.len(), files.len());
    reports
        .iter()
        .map(|report| report.contains("SUCCESS"))
        .collect()
}

fn is_exception(path: &Path, finding: &Finding) -> bool {
    let mut rows = EXCEPTIONS.iter();
    rows.any(|(end, name, _)| path.ends_with(end) && *name == finding.lint.name())
}
