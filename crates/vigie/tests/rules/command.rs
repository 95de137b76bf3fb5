//! `vigie rules print` and `vigie rules check`, with the binary.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use vigie::rules::BuiltIn;
use vigie_alerts::{Lint, load};

pub(crate) fn vigie(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vigie"))
        .arg("rules")
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

pub(crate) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// `vigie rules` with a standard input.
fn given(input: &str, arguments: &[&str]) -> Output {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), input).unwrap();
    Command::new(env!("CARGO_BIN_EXE_vigie"))
        .arg("rules")
        .args(arguments)
        .env_clear()
        .stdin(fs::File::open(file.path()).unwrap())
        .output()
        .unwrap()
}

fn printed(arguments: &[&str]) -> String {
    let output = vigie(arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    text(output.stdout)
}

pub(crate) fn snapshots() -> insta::Settings {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(".");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

#[test]
fn help() {
    for (name, arguments) in [
        ("help", &["--help"][..]),
        ("help-print", &["print", "--help"]),
        ("help-check", &["check", "--help"]),
        ("help-test", &["test", "--help"]),
    ] {
        snapshots().bind(|| insta::assert_snapshot!(name, printed(arguments)));
    }
}

#[test]
fn a_file_is_printed_unchanged() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    for name in ["essential", "extended"] {
        let file = fs::read_to_string(rules.join(format!("{name}.yml"))).unwrap();
        assert_eq!(printed(&["print", name]), file);
    }
    assert_eq!(printed(&["print"]), printed(&["print", "essential"]));
}

#[test]
fn for_kubernetes_it_is_a_prometheus_rule() {
    for file in BuiltIn::ALL {
        let resource = printed(&["print", file.name(), "--for", "prometheusrule"]);
        let head = format!(
            "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: vigie-{}\n  labels:\n    app.kubernetes.io/name: vigie\nspec:\n",
            file.name()
        );
        let spec = resource.strip_prefix(&head).unwrap();
        let outdented: String = spec
            .lines()
            .map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line)))
            .collect();
        assert_eq!(outdented, file.text());
        let loaded = load(&resource);
        assert_eq!(loaded.findings, []);
        assert_eq!(
            loaded.rules.rules().count(),
            load(file.text()).rules.rules().count()
        );
        let checked = given(&resource, &["check", "--strict", "-"]);
        assert_eq!(checked.status.code(), Some(0), "{}", text(checked.stdout));
    }
}

#[test]
fn the_built_in_files_are_clean() {
    let output = vigie(&[
        "check",
        "--strict",
        "../../rules/essential.yml",
        "../../rules/extended.yml",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(output.stdout));
    assert_eq!(
        text(output.stdout),
        "../../rules/essential.yml: 8 rules, nothing found\n../../rules/extended.yml: 36 rules, nothing found\n"
    );
}

#[test]
fn the_exit_code_of_unreadable_files_is_2() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    fs::write(path("bytes.yml"), [0xff, 0xfe]).unwrap();
    fs::write(path("huge.yml"), " ".repeat((1 << 20) + 1)).unwrap();
    for (arguments, expected) in [
        (vec!["check".to_owned()], "required"),
        (
            vec!["check".to_owned(), path("none.yml")],
            "none.yml cannot be read: No such file",
        ),
        (
            vec!["check".to_owned(), path("bytes.yml")],
            "bytes.yml cannot be read: it is not UTF-8 text",
        ),
        (
            vec!["check".to_owned(), path("huge.yml")],
            "huge.yml cannot be read: it has more than 1048576 bytes",
        ),
        (
            vec!["check".to_owned(), path("")],
            "bytes.yml cannot be read: it is not UTF-8 text",
        ),
        (
            vec!["print".to_owned(), "all".to_owned()],
            "possible values: essential, extended",
        ),
        (vec!["test".to_owned()], "required"),
        (
            vec!["test".to_owned(), path("none.yml")],
            "none.yml cannot be read: No such file",
        ),
        (vec!["tset".to_owned()], "unrecognized subcommand"),
    ] {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let output = vigie(&arguments);
        let said = text(output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    // The other files are checked.
    let output = vigie(&["check", &path("none.yml"), "../../rules/essential.yml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(output.stdout).contains("8 rules, nothing found"));
}

#[test]
fn files_share_recording_rules() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let rule = |rule: &str| format!("groups: [{{name: g, rules: [{{{rule}}}]}}]\n");
    fs::write(
        path("a.yml"),
        rule("record: 'team:workers', expr: max(bullmq_queues)"),
    )
    .unwrap();
    fs::write(path("b.yml"), rule("alert: A, expr: 'team:workers < 1'")).unwrap();
    let alone = vigie(&["check", "--strict", &path("b.yml")]);
    assert_eq!(alone.status.code(), Some(1));
    assert!(text(alone.stdout).contains("unknown metric `team:workers`"));
    let together = vigie(&["check", "--strict", &path("b.yml"), &path("a.yml")]);
    assert_eq!(together.status.code(), Some(0), "{}", text(together.stdout));
}

#[test]
fn the_report_of_a_file_is_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("many.yml").display().to_string();
    let keys: String = (0..5_000).map(|n| format!("key{n}: 1\n")).collect();
    fs::write(&path, keys).unwrap();
    let output = vigie(&["check", &path]);
    let shown = text(output.stdout);
    assert!(shown.ends_with("5000 errors, 0 warnings\n"));
    assert!(shown.lines().count() < 1_000);
}

#[test]
fn the_standard_input_is_checked() {
    let output = given("groups: [{nam: g}]\n", &["check", "-"]);
    let shown = text(output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("unknown key `nam` in a group"), "{shown}");
    assert!(shown.contains("<stdin>:1:11"), "{shown}");
}

#[test]
fn the_rule_files_of_a_directory_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let rule =
        |name: &str| format!("groups: [{{name: {name}, rules: [{{alert: A, expr: up}}]}}]\n");
    fs::create_dir(dir.path().join("inner")).unwrap();
    fs::create_dir(dir.path().join("..data")).unwrap();
    for name in ["b.yml", "a.yaml", "inner/c.yml", "note.txt", "..data/b.yml"] {
        fs::write(dir.path().join(name), rule("g")).unwrap();
    }
    let path = dir.path().display().to_string();
    let output = vigie(&["check", &path]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let expected: String = ["a.yaml", "b.yml", "inner/c.yml"]
        .map(|name| format!("{path}/{name}: 1 rule, nothing found\n"))
        .concat();
    assert_eq!(text(output.stdout), expected);
    let empty = tempfile::tempdir().unwrap();
    let output = vigie(&["check", &empty.path().display().to_string()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(output.stderr).contains("has no rule files"));
}

const MIXED: &str = "\
groups:
  - name: mixed
    rules:
      - alert: Load
        expr: node_load1{team=\"core\"} > 5
      - alert: Errors
        expr: sum(rate(http_requests_errors_total{team=\"core\"}[5m])) > 5
";

#[test]
fn warnings_fail_only_with_the_flag() {
    let output = given(MIXED, &["check", "-"]);
    assert_eq!(output.status.code(), Some(0));
    let shown = text(output.stdout);
    assert!(
        shown.contains("warning[unknown-metric]: unknown metric `node_load1`"),
        "{shown}"
    );
    assert!(shown.ends_with("0 errors, 2 warnings\n"), "{shown}");
    let output = given(MIXED, &["check", "--strict", "-"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn metrics_and_labels_of_others_are_declared_by_flags() {
    let page = tempfile::NamedTempFile::new().unwrap();
    fs::write(page.path(), "# TYPE node_load1 gauge\nnode_load1 0.5\n").unwrap();
    let page = page.path().display().to_string();
    for metrics in [["--metrics", &page], ["--prefix", "node_"]] {
        let flags = [
            &["check", "--strict", "--target-label", "team"],
            &metrics[..],
            &["-"],
        ];
        let output = given(MIXED, &flags.concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(output.stdout));
    }
    for (flags, expected) in [
        (
            ["--prefix", "node-"],
            "--prefix \"node-\" does not begin a metric name",
        ),
        (
            ["--target-label", "a b"],
            "--target-label \"a b\" is not a label name",
        ),
        (
            ["--metrics", "Cargo.toml"],
            "Cargo.toml line 1: \"[package]\" is not a metric name",
        ),
        (["--metrics", "none"], "none cannot be read"),
        (["--metrics", "-"], "`-` is given twice"),
    ] {
        let output = given(MIXED, &[&["check"], &flags[..], &["-"]].concat());
        assert_eq!(output.status.code(), Some(2));
        let said = text(output.stderr);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn metrics_and_labels_of_others_are_declared_in_the_configuration() {
    let config = tempfile::NamedTempFile::new().unwrap();
    let path = config.path().display().to_string();
    let check = || given(MIXED, &["check", "--strict", "--config", &path, "-"]);
    // Mistakes in other sections do not matter here.
    let other = "[redis]\nurl = 5\n[rules]\ntarget_labels = [\"team\"]\n";
    for rules in ["metrics = [\"node_load1\"]", "prefixes = [\"node_\"]"] {
        fs::write(config.path(), format!("{other}{rules}\n")).unwrap();
        let output = check();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    for (rules, expected) in [
        (
            "metrics = [\"node-load\"]",
            "rules.metrics: found \"node-load\"",
        ),
        ("metric = [\"x\"]", "unknown key rules.metric"),
    ] {
        fs::write(config.path(), format!("{other}{rules}\n")).unwrap();
        let output = check();
        assert_eq!(output.status.code(), Some(2));
        let said = text(output.stderr);
        assert!(said.contains(expected) && !said.contains("redis"), "{said}");
    }
}

#[test]
fn comments_suppress_findings() {
    let ignore = "# vigie: ignore unknown-metric, unknown-label, threshold -- of another team\n";
    let output = given(&format!("{ignore}{MIXED}"), &["check", "--strict", "-"]);
    let shown = text(output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        shown.starts_with("warning[unused-ignore]: `threshold` is not found here"),
        "{shown}"
    );
    assert!(
        shown.ends_with("<stdin>: 2 rules, 1 finding, 2 suppressed\n0 errors, 1 warning\n"),
        "{shown}"
    );
    let ignore = ignore.replace(", threshold", "");
    let output = given(&format!("{ignore}{MIXED}"), &["check", "--strict", "-"]);
    assert_eq!(output.status.code(), Some(0));
    let shown = text(output.stdout);
    assert_eq!(shown, "<stdin>: 2 rules, nothing found, 2 suppressed\n");
}

#[test]
fn reports_for_programs() {
    let file = "groups:\n  - name: é\n    rules: [{alert: 'é', expr: rout > 1, fro: 5m}]\n";
    let output = given(file, &["check", "--format", "json", "-"]);
    assert_eq!(output.status.code(), Some(1));
    let rows: serde_json::Value = serde_json::from_str(&text(output.stdout)).unwrap();
    let expected = serde_json::json!({
        "file": "<stdin>", "line": 3, "column": 32, "end_line": 3, "end_column": 36,
        "level": "warning", "name": "unknown-metric", "message": "unknown metric `rout`",
        "label": "selects nothing", "help": null,
    });
    assert_eq!(rows[0], expected);
    assert_eq!(
        (&rows[1]["level"], &rows[1]["name"]),
        (&"error".into(), &"unknown-key".into())
    );
    let output = given(file, &["check", "--format", "github", "-"]);
    let shown = text(output.stdout);
    let first = "::warning file=<stdin>,line=3,col=32,endLine=3,title=unknown-metric::unknown metric `rout`: selects nothing\n";
    assert!(shown.starts_with(first), "{shown}");
    assert!(
        shown.contains("\n::error file=<stdin>,line=3,col=42,"),
        "{shown}"
    );
    let nothing = given("groups: []", &["check", "--format", "json", "-"]);
    assert_eq!(text(nothing.stdout), "[]\n");
}

/// The table of `docs/rules.md` lists every finding.
#[test]
fn the_findings_are_documented() {
    let mut table = "| name | level | meaning |\n| --- | --- | --- |\n".to_owned();
    for lint in Lint::ALL {
        let (name, level) = (lint.name(), lint.level().name());
        table += &format!("| `{name}` | {level} | {} |\n", lint.meaning());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("| name | level |").unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    let expected = format!("{before}{table}\n{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, expected).unwrap();
    } else {
        assert!(
            page == expected,
            "run UPDATE_DOCS=1 cargo test -p vigie --test rules"
        );
    }
}
