//! `vigie rules test`: with the binary, and compared with promtool on the repository's tests and on generated ones.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use vigie_alerts::unit::{self, Failure};
use vigie_alerts::{Finding, Level};
use vigie_testkit::{sid, tools};

use crate::command::{snapshots, text, vigie};
use crate::random::Random;

const FILES: usize = 200;

/// The number of failed checks of each file, as promtool reports them.
fn promtool(program: &Path, directory: &Path, files: &[String]) -> Vec<usize> {
    let report = directory.join("report.txt");
    let out = File::create(&report).unwrap();
    Command::new(program)
        .args(["test", "rules"])
        .args(files)
        .current_dir(directory)
        .stdout(out.try_clone().unwrap())
        .stderr(out)
        .status()
        .unwrap();
    let report = fs::read_to_string(report).unwrap();
    // Version 3 reports on a file before its name is printed: both streams go to one file, in order.
    let ends = ["  SUCCESS\n", "  FAILED:\n"];
    let mut counts = Vec::new();
    for line in report.split_inclusive('\n') {
        if ends.contains(&line) {
            counts.push(0);
        }
        let failure = ["alertname: ", "expr: ", "rule: "]
            .iter()
            .any(|start| line.trim_start().starts_with(start));
        if failure && line.contains(", time: ") {
            *counts.last_mut().unwrap() += 1;
        }
    }
    assert_eq!(counts.len(), files.len(), "{report}");
    counts
}

/// The failures of one file with its rules.
fn failures(tests: &str, rules: &str) -> Vec<Failure> {
    let loaded = unit::load(tests, vigie_promql::Features::Stable);
    assert_eq!(loaded.findings, [], "{tests}");
    let rules = vigie_alerts::load(rules);
    let is_warning = |finding: &Finding| finding.level() == Level::Warning;
    assert!(rules.findings.iter().all(is_warning));
    let outcomes = unit::run(&loaded.file, &[("rules.yml", &rules.rules)]);
    outcomes
        .into_iter()
        .flat_map(|outcome| outcome.failures)
        .collect()
}

const NAMES: [&str; 3] = ["m0", "m1", "m2"];
const EXPRESSIONS: [&str; 14] = [
    "m0 > 5",
    "m0 * 2 > 10",
    "sum by (q) (m0) > 8",
    "changes(m1[50s]) > 3",
    "max_over_time(m0[70s]) > 7",
    "m0 > 4 and on (q) m1 > 3",
    "m0 unless on (q) m1 > 5",
    "absent(m2{q=\"a\"})",
    "rec0 > 5",
    "count(ALERTS{alertstate=\"firing\"}) > 1",
    "m0 > 5 or m1 > 6",
    "count by (q) ({__name__=~\"m0|m1\"}) > 1",
    "vector(1)",
    "vector(time()) > 120",
];
const TEXTS: [&str; 8] = [
    "{{ with query \"m1\" }}{{ range sortByLabel \"q\" . }}{{ .Labels.q }}={{ .Value }} {{ end }}{{ end }}",
    "plain",
    "{{ $value }}",
    "{{ $value | humanize }} of {{ $labels.q }}",
    "{{ $labels }}",
    "{{ $externalLabels.site }} {{ printf \"%.2f\" $value }}",
    "{{ query \"rec0\" | len }}",
    "{{ if gt $value 6.0 }}much{{ else }}little{{ end }}",
];

fn rules(random: &mut Random) -> String {
    let mut out = "groups:\n".to_owned();
    for group in ["g0", "g1"] {
        let _ = writeln!(out, "- name: {group}\n  rules:");
        if random.below(20) == 0 {
            let _ = writeln!(
                out,
                "  - {{record: rec0, expr: 'label_replace(m1, \"x\", \"\", \"q\", \".*\") * 0', labels: {{q: z}}}}"
            );
        }
        if group == "g0" {
            let expr = random.one_of(&[
                "sum by (q) (m0)",
                "m1 * 2",
                "m0 > 3",
                "sum_over_time(m1[50s])",
            ]);
            let _ = writeln!(
                out,
                "  - {{record: rec0, expr: '{expr}', labels: {{team: core}}}}"
            );
        }
        for alert in 0..=random.below(3) {
            let expr = random.one_of(&EXPRESSIONS);
            let hold = random.one_of(&["0s", "15s", "40s", "1m"]);
            let keep = random.one_of(&["0s", "0s", "20s", "1m"]);
            // In ALERTS, Prometheus writes the source of a label's template whose text is empty; Vigie leaves it out.
            let (label, note) = (random.one_of(&TEXTS[1..]), random.one_of(&TEXTS));
            let name = ["A", "B", "C"][alert];
            let _ = writeln!(
                out,
                "  - alert: {name}\n    expr: '{expr}'\n    for: {hold}\n    keep_firing_for: {keep}\n    labels: {{group: {group}, l: '{label}'}}\n    annotations: {{note: '{note}'}}"
            );
        }
    }
    out
}

fn values(random: &mut Random) -> String {
    let mut out = "_".to_owned();
    for _ in 0..3 + random.below(5) {
        let (start, times) = (random.below(10), 3 + random.below(8));
        let _ = match random.below(6) {
            0 => write!(out, " _x{times}"),
            1 => write!(out, " stale"),
            2 => write!(out, " {start}+1x{times}"),
            3 => write!(out, " {start}-0.5x{times}"),
            _ => write!(out, " {start}x{times}"),
        };
    }
    out
}

/// A test without expectations, which asks for everything at some times.
struct Draft {
    head: String,
    alerts: Vec<(usize, &'static str)>,
    exprs: Vec<(usize, &'static str)>,
}

fn draft(random: &mut Random) -> Draft {
    let step = random.one_of(&["15s", "20s"]);
    let mut head = format!(
        "rule_files: [rules.yml]\nevaluation_interval: {step}\ngroup_eval_order: [g0, g1]\ntests:\n- name: generated\n  interval: 7s1ms\n  external_labels: {{site: paris}}\n  input_series:\n"
    );
    for name in NAMES {
        for queue in &["a", "b"][..random.below(3)] {
            let _ = writeln!(
                head,
                "  - {{series: '{name}{{q=\"{queue}\"}}', values: '{}'}}",
                values(random)
            );
        }
    }
    let mut time = || 5 * random.below(60);
    let times = [time(), time(), time(), time(), time()];
    let alerts = times
        .iter()
        .flat_map(|at| ["A", "B", "C"].map(|name| (*at, name)));
    let exprs = [
        "rec0",
        "ALERTS",
        "ALERTS_FOR_STATE",
        "m0 + on (q) group_left m1",
        "count(m1)",
    ];
    let exprs = times.iter().flat_map(|at| exprs.map(|expr| (*at, expr)));
    Draft {
        head,
        alerts: alerts.collect(),
        exprs: exprs.collect(),
    }
}

fn number(value: f64) -> String {
    match value {
        value if value.is_nan() => ".nan".to_owned(),
        value if value.is_infinite() => format!("{}.inf", if value > 0.0 { "" } else { "-" }),
        value => format!("{value:?}"),
    }
}

fn table(pairs: &[(String, String)]) -> String {
    let json: serde_json::Map<_, _> = pairs
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into()))
        .collect();
    serde_json::Value::Object(json).to_string()
}

/// The test with the alerts and samples that `found` has, some of which are changed if `wrong` says so.
fn filled(draft: &Draft, found: &[Failure], wrong: bool, random: &mut Random) -> String {
    let mut changes = |text: String, other: &str| match wrong && random.below(12) == 0 {
        true => other.to_owned(),
        false => text,
    };
    let mut out = draft.head.clone() + "  alert_rule_test:\n";
    for (at, wanted) in &draft.alerts {
        let _ = writeln!(
            out,
            "  - eval_time: {at}s\n    alertname: {wanted}\n    exp_alerts:"
        );
        let same = |failure: &&Failure| matches!(failure, Failure::Alerts { name, at: time, .. } if name == wanted && time.as_secs() == *at as u64);
        if let Some(Failure::Alerts { unexpected, .. }) = found.iter().find(same) {
            for alert in unexpected {
                let (labels, notes) = (table(&alert.labels), table(&alert.annotations));
                let line = format!("    - {{exp_labels: {labels}, exp_annotations: {notes}}}\n");
                out += &changes(line, "");
            }
        }
    }
    out += "  promql_expr_test:\n";
    for (at, wanted) in &draft.exprs {
        let _ = writeln!(
            out,
            "  - eval_time: {at}s\n    expr: {wanted}\n    exp_samples:"
        );
        let same = |failure: &&Failure| matches!(failure, Failure::Samples { expr, at: time, .. } if expr == wanted && time.as_secs() == *at as u64);
        if let Some(Failure::Samples { unexpected, .. }) = found.iter().find(same) {
            for (labels, value) in unexpected {
                let labels = serde_json::Value::from(labels.to_string());
                let value = changes(number(*value), "123");
                let _ = writeln!(out, "    - {{labels: {labels}, value: {value}}}");
            }
        }
    }
    out
}

/// A file of tests with its rules, and the number of failed checks in Vigie.
struct Generated {
    tests: String,
    rules: String,
    failures: usize,
}

/// Files whose expectations are Vigie's results, half of them partly changed.
static GENERATED: LazyLock<Vec<Generated>> = LazyLock::new(|| {
    let mut random = Random(7);
    let mut fired = 0;
    let generate = |at: usize| {
        let rules = rules(&mut random);
        let draft = draft(&mut random);
        let found = failures(&filled(&draft, &[], false, &mut random), &rules);
        fired += found
            .iter()
            .filter(|one| matches!(one, Failure::Alerts { .. }))
            .count();
        let tests = filled(&draft, &found, at.is_multiple_of(2), &mut random);
        let failures = failures(&tests, &rules).len();
        Generated {
            tests,
            rules,
            failures,
        }
    };
    let files: Vec<_> = (0..FILES).map(generate).collect();
    assert!(fired > FILES, "only {fired} checks have alerts");
    let passed = files.iter().filter(|file| file.failures == 0).count();
    assert!(
        (FILES / 5..FILES * 4 / 5).contains(&passed),
        "{passed} files pass"
    );
    files
});

/// Promtool must find as many failures.
fn compare(program: &Path) {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    let mut names = Vec::new();
    for (at, file) in GENERATED.iter().enumerate() {
        let (name, rules) = (format!("{at}.yml"), format!("rules{at}.yml"));
        write(&rules, &file.rules);
        write(&name, &file.tests.replacen("rules.yml", &rules, 1));
        names.push(name);
    }
    let theirs = promtool(program, directory.path(), &names);
    let mut differences = String::new();
    for (name, (file, theirs)) in names.iter().zip(GENERATED.iter().zip(theirs)) {
        let Generated {
            tests,
            rules,
            failures,
        } = file;
        if *failures != theirs {
            let _ = writeln!(
                differences,
                "{name}: ours {failures}, promtool {theirs}\n{rules}{tests}"
            );
        }
    }
    if !differences.is_empty() {
        let shown: String = differences.chars().take(20_000).collect();
        panic!("the files are in {}\n{shown}", directory.keep().display());
    }
}

#[test]
fn generated_tests_against_promtool_2_42() {
    compare(&tools::PROMTOOL.find().unwrap());
}

#[test]
#[ignore = "needs promtool 3.5 in target/servers/sid (`cargo xtask setup`)"]
fn generated_tests_against_promtool_3_5() {
    compare(&sid::PROMTOOL.find().unwrap());
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules")
}

#[test]
fn the_tests_of_the_rules_pass() {
    let directory = repository();
    let output = vigie(&["test", &directory.display().to_string()]);
    let said = text(output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(output.stderr.is_empty());
    let files = fs::read_dir(directory.join("tests")).unwrap().count();
    assert_eq!(said.matches(" passed\n").count(), files, "{said}");
}

#[test]
#[ignore = "needs promtool 3.5 in target/servers/sid (`cargo xtask setup`)"]
fn the_tests_of_the_rules_pass_with_promtool_3_5() {
    let entries = fs::read_dir(repository().join("tests")).unwrap();
    let files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    let output = Command::new(sid::PROMTOOL.find().unwrap())
        .args(["test", "rules"])
        .args(files)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(output.stderr));
}

const RULES: &str = "\
groups:
  - name: backend
    rules:
      - record: 'queue:jobs:max'
        expr: max by (queue) (jobs)
      - alert: Waiting
        expr: queue:jobs:max > 500
        for: 1m
        labels: {severity: page}
        annotations: {summary: '{{ $value }} jobs wait in {{ $labels.queue }}'}
";

const FAILING: &str = "\
rule_files: [rules.yml]
evaluation_interval: 30s
tests:
  - name: waiting jobs
    interval: 30s
    input_series:
      - {series: 'jobs{queue=\"mail\"}', values: 600x10}
      - {series: 'jobs{queue=\"pdf\"}', values: 700x10}
    alert_rule_test:
      - eval_time: 2m
        alertname: Waiting
        exp_alerts:
          - exp_labels: {queue: mail, severity: page}
            exp_annotations: {summary: '500 jobs wait in mail'}
          - exp_labels: {queue: image, severity: page}
    promql_expr_test:
      - expr: queue:jobs:max
        eval_time: 1m
        exp_samples:
          - {labels: 'queue:jobs:max{queue=\"mail\"}', value: 600}
          - {labels: 'queue:jobs:max{queue=\"pdf\"}', value: 0.7}
  - input_series: [{series: 'queue:jobs:max', values: 5}, {series: jobs, values: 6}]
    promql_expr_test: [{expr: jobs}]
  - promql_expr_test: [{expr: 1 + 1, exp_samples: [{labels: '{}', value: 2}]}]
";

/// A directory with the files.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// The standard output of `vigie rules test` in a directory, and the exit code.
fn tested(directory: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_vigie"))
        .args(["rules", "test"])
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .stdin(
            File::open(directory.join("stdin.yml")).map_or(std::process::Stdio::null(), Into::into),
        )
        .output()
        .unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn differences_are_shown() {
    let directory = directory(&[("rules.yml", RULES), ("failing.yml", FAILING)]);
    let (code, said, errors) = tested(directory.path(), &["failing.yml"]);
    assert_eq!((code, &*errors), (Some(1), ""), "{said}");
    snapshots().bind(|| insta::assert_snapshot!("unit-failures", said));
}

#[test]
fn mistakes_are_shown_with_their_position() {
    let mistaken = "rule_files: [rules.yml]\ntests:\n  - input_serie: []\n    alert_rule_test: [{alertname: A, eval_time: 5}]\n";
    let rules = "groups: [{name: g, rules: [{alert: A, expr: 'a >'}]}]\n";
    let directory = directory(&[("mistaken.yml", mistaken), ("rules.yml", rules)]);
    let (code, said, errors) = tested(directory.path(), &["mistaken.yml"]);
    assert_eq!((code, &*errors), (Some(1), ""), "{said}");
    snapshots().bind(|| insta::assert_snapshot!("unit-mistakes", said));
}

#[test]
fn files_directories_and_the_standard_input_are_tested() {
    let passing = "rule_files: ['r*.yml']\ntests: [{input_series: [{series: jobs, values: 5}], promql_expr_test: [{expr: 'queue:jobs:max', exp_samples: [{labels: 'queue:jobs:max', value: 5}]}]}]\n";
    let directory = directory(&[
        ("rules.yml", RULES),
        ("t.yml", passing),
        ("stdin.yml", passing),
    ]);
    let run = |arguments: &[&str]| tested(directory.path(), arguments);
    let passed = |names: &[&str]| {
        names
            .iter()
            .map(|name| format!("{name}: 1 test passed\n"))
            .collect::<String>()
    };
    assert_eq!(
        run(&["t.yml"]),
        (Some(0), passed(&["t.yml"]), String::new())
    );
    assert_eq!(run(&["-"]), (Some(0), passed(&["<stdin>"]), String::new()));
    assert_eq!(
        run(&["."]),
        (Some(0), passed(&["./stdin.yml", "./t.yml"]), String::new())
    );
    let (code, said, errors) = run(&["t.yml", "none.yml"]);
    assert_eq!((code, said), (Some(2), passed(&["t.yml"])));
    assert!(
        errors.starts_with("vigie: none.yml cannot be read: "),
        "{errors}"
    );
    // A rule file that is named is not skipped.
    let (code, said, _) = run(&["rules.yml"]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("unknown key `groups` in a unit-test file"),
        "{said}"
    );
    fs::write(directory.path().join("t.yml"), "rule_files: [none.yml]\n").unwrap();
    let (code, said, errors) = run(&["t.yml"]);
    assert_eq!((code, &*said), (Some(0), "t.yml: 0 tests passed\n"));
    assert_eq!(
        errors,
        "vigie: t.yml: no file matches \"none.yml\" of rule_files\n"
    );
}
