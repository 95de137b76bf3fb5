//! Generated templates: Vigie must write into an annotation what promtool writes, errors included.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, LazyLock};

use vigie::rules::BuiltIn;
use vigie_alerts::load;
use vigie_alerts::template::exec::{self, Data, Environment, Limits, Value, execute};
use vigie_alerts::template::parse;
use vigie_promql::storage::MemoryStorage;
use vigie_promql::{Engine, Labels, Sample};
use vigie_testkit::{sid, tools};

use crate::random::Random;

const TEMPLATES: usize = 2_000;
const EXTERNAL_URL: &str = "https://vigie.example:9850/vigie";
const LABELS: [(&str, &str); 4] = [
    ("__name__", "x"),
    ("instance", "app-1.internal:3000"),
    ("job", "api"),
    ("queue", "mails"),
];
const VALUE: f64 = 1234.5;

/// Operands of every type, some of which a function refuses.
const OPERANDS: [&str; 36] = [
    "$value",
    ".Value",
    "$labels.queue",
    ".Labels.instance",
    ".Labels.none",
    "$labels",
    "$externalLabels",
    "$externalURL",
    "0",
    "1",
    "-3",
    "42",
    "0x1f",
    "1_000",
    "0.0",
    "2.5",
    "-0.25",
    "0.000123",
    "999.95",
    "1048576",
    "123456789.5",
    "1e15",
    "1e-7",
    "1.5e300",
    "3725.5",
    "90061",
    "\"\"",
    "\"text\"",
    "\"two words\"",
    "\"12.5\"",
    "\"é😀\\n\"",
    "'c'",
    "true",
    "false",
    "nil",
    "(query \"up\" | len)",
];

const UNARY: [&str; 26] = [
    "humanize",
    "humanize1024",
    "humanizeDuration",
    "humanizePercentage",
    "humanizeTimestamp",
    "title",
    "toUpper",
    "toLower",
    "stripPort",
    "stripDomain",
    "parseDuration",
    "len",
    "not",
    "print",
    "println",
    "html",
    "js",
    "urlquery",
    "toTime",
    "graphLink",
    "tableLink",
    "safeHtml",
    "args",
    "printf \"%v\"",
    "printf \"%T\"",
    "printf \"%q\"",
];

const BINARY: [&str; 12] = [
    "eq", "ne", "lt", "le", "gt", "ge", "and", "or", "print", "index", "slice", "match",
];

const FLAGS: [&str; 12] = ["", "", "", "+", "-", "#", " ", "0", "8", "-8", "08", "+08"];
const PRECISIONS: [&str; 6] = ["", "", "", ".0", ".2", ".4"];
const VERBS: [&str; 20] = [
    "v", "v", "d", "s", "q", "f", "e", "g", "x", "X", "t", "c", "b", "o", "U", "T", "E", "G", "%",
    "z",
];

fn operand(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 4 } else { 6 }) {
        0..=3 => random.one_of(&OPERANDS).to_owned(),
        _ => format!("({})", pipeline(random, depth - 1)),
    }
}

fn pipeline(random: &mut Random, depth: usize) -> String {
    match random.below(9) {
        0 => operand(random, depth),
        1 | 2 => format!("{} {}", random.one_of(&UNARY), operand(random, depth)),
        3 => format!("{} | {}", operand(random, depth), random.one_of(&UNARY)),
        4 => format!(
            "{} {} {}",
            random.one_of(&BINARY),
            operand(random, depth),
            operand(random, depth)
        ),
        5 => format!(
            "printf \"{}\" {}",
            format_of(random),
            operand(random, depth)
        ),
        6 => format!(
            "printf \"{}|{}\" {} {}",
            format_of(random),
            format_of(random),
            operand(random, depth),
            operand(random, depth)
        ),
        7 => format!(
            "reReplaceAll \"{}\" \"<$1>\" {}",
            random.one_of(&["t(.)", "[a-z]+", "(\\\\d)"]),
            operand(random, depth)
        ),
        _ => format!(
            "{} | {} | {}",
            operand(random, depth),
            random.one_of(&UNARY),
            random.one_of(&UNARY)
        ),
    }
}

fn format_of(random: &mut Random) -> String {
    format!(
        "%{}{}{}",
        random.one_of(&FLAGS),
        random.one_of(&PRECISIONS),
        random.one_of(&VERBS)
    )
}

fn template(random: &mut Random) -> String {
    let (a, b) = (pipeline(random, 2), pipeline(random, 1));
    match random.below(10) {
        0..=4 => format!("{{{{ {a} }}}}"),
        5 => format!("{{{{ if {a} }}}}yes {{{{ {b} }}}}{{{{ else }}}}no{{{{ end }}}}"),
        6 => format!("a {{{{- with {a} }}}} {{{{ . }}}} {{{{- else }}}}none{{{{ end -}}}} z"),
        7 => format!(
            "{{{{ $x := {a} }}}}{{{{ if {b} }}}}{{{{ $x = 1 }}}}{{{{ end }}}}\n{{{{ $x }}}}"
        ),
        8 => format!(
            "{{{{ range $i, $s := sortByLabel \"job\" (query \"up\") }}}}{{{{ $i }}}}{{{{ $s.Labels.job }}}}{{{{ if {b} }}}}{{{{ break }}}}{{{{ end }}}}{{{{ .Value }}}}{{{{ end }}}}"
        ),
        _ => format!("{{{{ define \"t\" }}}}{{{{ . }}}}{{{{ end }}}}{{{{ template \"t\" {a} }}}}"),
    }
}

/// Every template of the built-in rules, and the generated ones.
static ALL: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for file in BuiltIn::ALL {
        let loaded = load(file.text());
        for rule in loaded.rules.rules() {
            let texts = rule.entries().filter(|entry| entry.template.is_some());
            all.extend(texts.map(|entry| entry.value.to_string()));
        }
    }
    let mut random = Random(7);
    while all.len() < TEMPLATES {
        let text = template(&mut random);
        // Prometheus does not load a file with a template that does not parse.
        if parse(&text).is_ok() {
            all.push(text);
        }
    }
    all
});

/// The annotations that promtool writes, by template.
fn promtool(program: &Path, templates: &[String]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let mut rules = "groups:\n- name: g\n  rules:\n".to_owned();
    let mut tests =
        "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n- interval: 1m\n".to_owned();
    let labels = LABELS[1..]
        .iter()
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect::<Vec<_>>()
        .join(",");
    let _ = write!(
        tests,
        "  external_url: {EXTERNAL_URL}\n  input_series:\n  - {{series: 'x{{{labels}}}', values: '{VALUE}x5'}}\n  \
         - {{series: 'up{{job=\"b\"}}', values: '2x5'}}\n  - {{series: 'up{{job=\"a\"}}', values: '1x5'}}\n  alert_rule_test:\n"
    );
    for (at, template) in templates.iter().enumerate() {
        let quoted = serde_json::to_string(template).unwrap();
        let _ = writeln!(
            rules,
            "  - alert: A{at}
    expr: x > 0
    annotations: {{a: {quoted}}}"
        );
        let _ = writeln!(
            tests,
            "  - {{eval_time: 1m, alertname: A{at}, exp_alerts: []}}"
        );
    }
    fs::write(dir.path().join("rules.yml"), rules).unwrap();
    fs::write(dir.path().join("tests.yml"), tests).unwrap();
    let output = Command::new(program)
        .args(["test", "rules", "tests.yml"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let mut found = vec![None; templates.len()];
    let mut current = None;
    for line in report.lines() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("alertname: A") {
            current = rest
                .split(',')
                .next()
                .and_then(|at| at.parse::<usize>().ok());
        } else if let (Some(at), Some(quoted)) = (current, line.strip_prefix("Annotations:{a=")) {
            found[at] = Some(quoted.strip_suffix('}').unwrap().to_owned());
        } else if let (Some(at), "Annotations:{}") = (current, line) {
            found[at] = Some("\"\"".to_owned());
        }
    }
    let missing = found.iter().position(Option::is_none);
    assert_eq!(
        missing,
        None,
        "{:?}\n{report:.2000}",
        missing.map(|at| &templates[at])
    );
    found.into_iter().flatten().collect()
}

/// Answers queries from the same series that promtool is given.
struct Series(MemoryStorage);

impl Series {
    fn new() -> Self {
        let mut storage = MemoryStorage::new();
        for (job, value) in [("b", 2.0), ("a", 1.0)] {
            let labels = Labels::new([("__name__", "up"), ("job", job)]);
            storage.insert(
                &labels,
                Sample {
                    time: 60_000,
                    value,
                },
            );
        }
        Self(storage)
    }
}

impl Environment for Series {
    fn query(&self, expression: &str) -> Result<Vec<exec::Sample>, String> {
        let expression = vigie_promql::parse(expression).map_err(|error| error.to_string())?;
        let outcome = Engine::default().instant(&self.0, &expression, 60_000, &|| false);
        let outcome = outcome.map_err(|error| error.to_string())?;
        let vigie_promql::Value::Vector(vector) = outcome.value else {
            return Err("not a vector".to_owned());
        };
        let sample = |point: &vigie_promql::value::VectorSample| exec::Sample {
            labels: Arc::new(
                point
                    .labels
                    .iter()
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
            ),
            value: point.value,
        };
        Ok(vector.iter().map(sample).collect())
    }

    fn external_url(&self) -> &'static str {
        EXTERNAL_URL
    }

    fn now(&self) -> i64 {
        60_000
    }
}

fn owned(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// The annotation that Vigie writes, quoted as promtool prints it.
fn expanded(name: &str, text: &str, kind: &'static str, series: &Series) -> String {
    let data = Value::Data(Arc::new(Data {
        kind,
        hidden: Vec::new(),
        fields: vec![
            ("Labels", Value::Strings(Arc::new(owned(&LABELS)))),
            ("ExternalLabels", Value::Strings(Arc::default())),
            ("ExternalURL", Value::text(EXTERNAL_URL)),
            ("Value", Value::Float(VALUE)),
        ],
    }));
    let template = parse(text).unwrap();
    let text = match execute(name, &template, text, &data, series, Limits::default()) {
        Ok(text) => text,
        Err(error) => {
            format!("<error expanding template: error executing template {name}: {error}>")
        }
    };
    let call = parse("{{ printf \"%q\" . }}").unwrap();
    execute(
        "quote",
        &call,
        "",
        &Value::text(text),
        series,
        Limits::default(),
    )
    .unwrap()
}

/// `differs` returns, for a template and the two outputs, whether their difference is intended.
fn agrees(program: &Path, kind: &'static str, differs: fn(&str, &str, &str) -> bool) {
    let templates = &*ALL;
    let theirs = promtool(program, templates);
    let series = Series::new();
    let mut differences = String::new();
    let mut count = 0;
    for (at, (text, theirs)) in templates.iter().zip(&theirs).enumerate() {
        let ours = expanded(&format!("__alert_A{at}"), text, kind, &series);
        if ours != *theirs && !differs(text, &ours, theirs) {
            count += 1;
            if count <= 60 {
                let _ = writeln!(
                    differences,
                    "{text}\n  promtool: {theirs}\n  vigie:    {ours}"
                );
            }
        }
    }
    assert!(
        count == 0,
        "{count} of {} differ:\n{differences}",
        templates.len()
    );
}

#[test]
fn annotations_are_those_of_prometheus_2_42() {
    let kind = "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value float64 }";
    agrees(&tools::PROMTOOL.find().unwrap(), kind, is_older);
}

#[test]
#[ignore = "needs promtool 3.5 in target/servers/sid (`cargo xtask setup`)"]
fn annotations_are_those_of_prometheus_3() {
    let kind = "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }";
    agrees(&sid::PROMTOOL.find().unwrap(), kind, is_meant);
}

/// Differences from every version.
fn is_meant(_: &str, ours: &str, theirs: &str) -> bool {
    // Go prints the private fields of a time in a format that is not one for strings.
    theirs.contains("*time.Location")
        // Go's conversion of a large float to an integer depends on the processor.
        || ours.contains("106751991167300d")
}

/// Prometheus 2.42 was built with Go 1.19 and older libraries, which word some things differently.
fn is_older(text: &str, ours: &str, theirs: &str) -> bool {
    let same_start = |own: &str, other: &str| {
        let at = ours.find(own);
        at.is_some() && at == theirs.find(other)
    };
    is_meant(text, ours, theirs)
        // It names neither the incomparable types nor the unknown unit.
        || same_start("incompatible types for comparison", "incompatible types for comparison")
        || same_start("incompatible types for comparison", "invalid type for comparison")
        || same_start("unknown unit", "not a valid duration string")
        // A word starts after every separator, not where Unicode says.
        || text.contains("title")
}
