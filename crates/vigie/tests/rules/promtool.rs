//! Compares the built-in files and the bad files with promtool.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use vigie::rules::BuiltIn;
use vigie_alerts::{RuleKind, load};
use vigie_testkit::tools;

fn rules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules")
}

fn promtool(arguments: &[&str], files: &[PathBuf]) -> Output {
    Command::new(tools::PROMTOOL.find().unwrap())
        .args(arguments)
        .args(files)
        .output()
        .unwrap()
}

fn yaml_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "yml"))
        .collect();
    files.sort();
    files
}

#[test]
fn prometheus_accepts_every_file() {
    let files = yaml_files(&rules());
    assert_eq!(files.len(), BuiltIn::ALL.len(), "{files:?}");
    let output = promtool(&["check", "rules", "--lint=all", "--lint-fatal"], &files);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn the_unit_tests_of_the_rules_pass() {
    let files = yaml_files(&rules().join("tests"));
    assert!(files.len() > 4, "{files:?}");
    let output = promtool(&["test", "rules"], &files);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// Each alert is tested to fire, and not to fire before and after.
#[test]
fn every_alert_has_tests() {
    let tests: String = yaml_files(&rules().join("tests"))
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for rule in BuiltIn::ALL
        .map(|file| load(file.text()).rules)
        .iter()
        .flat_map(|f| f.rules())
    {
        let name = &**rule.name();
        if matches!(rule.kind, RuleKind::Record { .. }) {
            let read = tests.contains(&format!("labels: '{name}'"));
            let budget = name.starts_with("vigie:http_requests_errors:ratio_rate");
            assert!(read || budget, "{name} is never read");
            continue;
        }
        let long = rule.labels.iter().find(|label| &*label.key == "long");
        let (fires, silent) = match long {
            // Alerts with the same name and different labels are distinguished in ALERTS.
            Some(long) => {
                let alert = format!("ALERTS{{long=\"{}\"}}", &*long.value);
                (format!("- expr: {alert}\n"), format!("{{expr: '{alert}'"))
            }
            None => (
                format!("alertname: {name}\n        exp_alerts"),
                format!("alertname: {name}}}"),
            ),
        };
        assert!(tests.contains(&fires), "{name} is never seen to fire");
        let seen_silent = tests.matches(&silent).count();
        assert!(
            seen_silent >= 2 || name == "Watchdog",
            "{name} is seen silent {seen_silent} times"
        );
    }
}

/// The loader has findings in the files that promtool refuses or has lint findings in, and in no others.
#[test]
fn the_loader_agrees_with_prometheus() {
    for path in yaml_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules")) {
        if path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("newer"))
        {
            continue;
        }
        let refused = !load(&fs::read_to_string(&path).unwrap())
            .findings
            .is_empty();
        let arguments = ["check", "rules", "--lint=all", "--lint-fatal"];
        let output = promtool(&arguments, std::slice::from_ref(&path));
        assert_eq!(refused, !output.status.success(), "{path:?}: {output:?}");
    }
}
