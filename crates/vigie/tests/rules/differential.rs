//! Generated rule files: the loader and promtool accept and refuse the same.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use vigie::rules::{BuiltIn, known};
use vigie_alerts::{Known, Lint, check, load};
use vigie_testkit::{sid, tools};

use crate::random::Random;

const FILES: usize = 2_000;

/// The differences that are intended: part of the title or label of a finding, the
/// versions of promtool that accept the file, and why Vigie reports what promtool accepts.
const STRICTER: [(&str, &[Version], &str); 14] = [
    (
        "is an alias",
        &BOTH,
        "2.42 loads another name or expression than 3.5",
    ),
    ("a second document", &BOTH, "its rules are never evaluated"),
    (
        "comments must be separated from other tokens",
        &BOTH,
        "Prometheus accepts `>#`, which YAML does not define",
    ),
    (
        "two rules result in",
        &BOTH,
        "promtool reports it only as a lint",
    ),
    ("the tag `", &BOTH, "a tag is a mistake in a rule file"),
    (
        "a key is nothing",
        &BOTH,
        "Prometheus drops an entry whose key is null",
    ),
    (
        "`alert` is empty",
        &OLD,
        "`alert: null` is an alert named null in 2.42",
    ),
    (
        "`record` is empty",
        &OLD,
        "`record: null` is a metric named null in 2.42",
    ),
    (
        "`expr` is empty",
        &OLD,
        "`expr: null` is a metric named null in 2.42",
    ),
    (
        "`record` is a ",
        &OLD,
        "2.42 takes a table or a list for no value",
    ),
    (
        "`alert` is a ",
        &OLD,
        "2.42 takes a table or a list for no value",
    ),
    ("is not a name for a", &NEW, "2.42 refuses UTF-8 names"),
    ("is not a metric name", &NEW, "2.42 refuses UTF-8 names"),
    ("needs a newer Prometheus", &NEW, "2.42 refuses it"),
];

#[derive(Clone, Copy, PartialEq)]
enum Version {
    V2_42,
    V3_5,
}

const OLD: [Version; 1] = [Version::V2_42];
const NEW: [Version; 1] = [Version::V3_5];
const BOTH: [Version; 2] = [Version::V2_42, Version::V3_5];

const SEED: &str = r#"groups:
  - name: seed
    interval: 30s
    limit: 10
    rules:
      - record: queue:waiting:max
        expr: max by (queue) (bullmq_jobs{state="waiting"})
        labels: {team: core}
      - alert: Waiting
        expr: queue:waiting:max > 500
        for: 5m
        keep_firing_for: 1m
        labels: &page
          severity: page
          tier: 1
        annotations:
          summary: "{{ $labels.queue }} has {{ $value | humanize }} jobs"
      - alert: Failing
        expr: |-
          sum without (instance) (rate(errors_total[5m]))
            / on (job) group_left (team) up > 0.05
        for: 1h30m
        labels:
          <<: *page
          team: core
        annotations: {description: '{{ if gt $value 1.0 }}many{{ else }}few{{ end }}'}
  - name: second
    rules:
      - {record: a, expr: "vector(1)"}
"#;

const VALUES: [&str; 40] = [
    "",
    "~",
    "null",
    "5",
    "-1",
    "0",
    "0x10",
    "5.5",
    "1e3",
    "1_000",
    "true",
    "yes",
    "'5'",
    "\"5m\"",
    "5m",
    "1h30m",
    "5m1h",
    "'0'",
    "\"\"",
    "' '",
    "[a]",
    "{a: b}",
    "*page",
    "&x up",
    "2020-01-01",
    ".inf",
    "up",
    "up == 0",
    "sum(up",
    "rate(up)",
    "a-b",
    "é",
    "\"\\u00e9\"",
    "|-\n          up",
    ">\n          up\n          == 0",
    "!!str 5",
    "'{{ $labels.job }}'",
    "'{{ $labels.job'",
    "'{{ nope }}'",
    "0o17",
];

const KEYS: [&str; 13] = [
    "alert",
    "record",
    "expr",
    "for",
    "keep_firing_for",
    "labels",
    "annotations",
    "name",
    "interval",
    "limit",
    "rules",
    "groups",
    "<<",
];

const TOKENS: [&str; 36] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    ",",
    "5m",
    "[5m]",
    "by (a)",
    "without (b)",
    "and",
    "or",
    "unless",
    "==",
    "bool",
    ">",
    "-",
    "+",
    "^",
    "offset 5m",
    "@ start()",
    "rate(",
    "sum(",
    "x",
    "1",
    "=~",
    "!",
    "on (job)",
    "group_left",
    "1.5",
    ":",
    "#",
    "absent(",
];

fn seeds() -> Vec<String> {
    let mut seeds = vec![SEED.to_owned(), SEED.to_owned(), SEED.to_owned()];
    for file in BuiltIn::ALL {
        let groups = file.text().split("\n  - name:").skip(1);
        seeds.extend(groups.map(|group| format!("groups:\n  - name:{group}\n")));
    }
    seeds
}

fn mutated(seed: &str, random: &mut Random) -> String {
    let mut lines: Vec<String> = seed.lines().map(str::to_owned).collect();
    for _ in 0..=random.below(2) {
        let at = random.below(lines.len());
        let line = lines[at].clone();
        let key = line.find(": ").map(|colon| colon + 2);
        match random.below(10) {
            0 if lines.len() > 1 => {
                lines.remove(at);
            }
            1 => lines.insert(at, line),
            2 | 3 => {
                if let Some(start) = key.or(line.strip_suffix(':').map(|_| line.len())) {
                    lines[at] = format!("{} {}", line[..start].trim_end(), random.one_of(&VALUES));
                }
            }
            4 => {
                if let Some(colon) = line.find(':') {
                    let start = line.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
                    if start < colon {
                        let name = random.one_of(&KEYS);
                        lines[at] = format!("{}{name}{}", &line[..start], &line[colon..]);
                    }
                }
            }
            5 => lines[at] = format!("  {line}"),
            6 => lines.push(
                random
                    .one_of(&[
                        "---",
                        "---\ngroups: []",
                        "...",
                        "# end",
                        "---\n~",
                        "groups: []",
                    ])
                    .to_owned(),
            ),
            _ => {
                let start = key.unwrap_or(0);
                let places: Vec<_> = line[start..]
                    .char_indices()
                    .map(|(place, _)| start + place)
                    .collect();
                if !places.is_empty() {
                    let place = places[random.below(places.len())];
                    let token = random.one_of(&TOKENS);
                    lines[at] = match random.below(3) {
                        0 => format!(
                            "{}{}",
                            &line[..place],
                            line[place..].chars().skip(1).collect::<String>()
                        ),
                        1 => format!("{} {token} {}", &line[..place], &line[place..]),
                        _ => format!("{}{token}{}", &line[..place], &line[place..]),
                    };
                }
            }
        }
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// The generated files, and the findings in each.
static GENERATED: LazyLock<(Vec<String>, Vec<Vec<String>>)> = LazyLock::new(|| {
    let (seeds, known) = (seeds(), known());
    let mut random = Random(1);
    let files: Vec<_> = (0..FILES)
        .map(|at| mutated(&seeds[at % seeds.len()], &mut random))
        .collect();
    let findings = files.iter().map(|text| findings(text, &known)).collect();
    (files, findings)
});

/// For each file, whether promtool accepts it.
fn promtool(program: &Path, files: &[String]) -> Vec<bool> {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<_> = (0..files.len()).map(|at| format!("{at}.yml")).collect();
    for (name, text) in names.iter().zip(files) {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let output = Command::new(program)
        .args(["check", "rules", "--lint=none"])
        .args(&names)
        .current_dir(dir.path())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let mut reports = stdout.split("Checking ").skip(1);
    let accepted: Vec<_> = names
        .iter()
        .map(|name| {
            let report = reports.next().unwrap();
            assert_eq!(report.lines().next(), Some(name.as_str()));
            report.contains("SUCCESS")
        })
        .collect();
    assert!(reports.next().is_none());
    accepted
}

/// The findings that Prometheus of at least one of the versions refuses.
fn findings(text: &str, known: &Known) -> Vec<String> {
    let loaded = load(text);
    let newer = check(&loaded.rules, known).into_iter();
    let newer = newer.filter(|finding| finding.lint == Lint::NewerPrometheus);
    loaded
        .findings
        .into_iter()
        .chain(newer)
        .map(|finding| format!("{}: {}", finding.title, finding.label))
        .collect()
}

fn compare(program: &Path, version: Version) {
    let (files, findings) = &*GENERATED;
    let accepted = promtool(program, files);
    let count = accepted.iter().filter(|accepted| **accepted).count();
    assert!(
        (FILES / 5..FILES * 4 / 5).contains(&count),
        "{count} files are accepted"
    );
    let mut differences = String::new();
    for ((text, findings), accepted) in files.iter().zip(findings).zip(accepted) {
        let meant = |title: &String| {
            let mut rows = STRICTER.iter();
            rows.any(|(part, versions, _)| title.contains(part) && versions.contains(&version))
        };
        let differs = if accepted {
            !findings.iter().all(meant)
        } else {
            findings.is_empty()
        };
        if differs {
            let _ = writeln!(
                differences,
                "promtool accepts: {accepted}, found: {findings:?}\n{text}\n"
            );
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn generated_files_against_prometheus_2_42() {
    compare(&tools::PROMTOOL.find().unwrap(), Version::V2_42);
}

#[test]
#[ignore = "needs promtool 3.5 in target/servers/sid (`cargo xtask setup`)"]
fn generated_files_against_prometheus_3_5() {
    compare(&sid::PROMTOOL.find().unwrap(), Version::V3_5);
}
