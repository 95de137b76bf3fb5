//! Each alert has a runbook, and the queries of the runbooks are valid.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use vigie::rules::{BuiltIn, known};
use vigie_alerts::{Rule, RuleKind, check, load};

use crate::specification::severity;

const HOME: &str = "https://github.com/vigie-rs/vigie/blob/main/docs/runbooks/";

fn pages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/runbooks")
}

fn annotation<'a>(rule: &'a Rule, name: &str) -> &'a str {
    let mut entries = rule.entries();
    let found = entries.find(|entry| &*entry.key == name);
    &found
        .unwrap_or_else(|| panic!("{} has no {name}", &**rule.name()))
        .value
}

#[test]
fn every_alert_has_annotations_and_a_runbook() {
    let mut named = BTreeSet::new();
    for file in BuiltIn::ALL {
        for rule in load(file.text()).rules.rules() {
            let name = &**rule.name();
            if matches!(rule.kind, RuleKind::Record { .. }) {
                continue;
            }
            assert!(severity(rule).is_some(), "{name}");
            let summary = annotation(rule, "summary");
            assert!(summary.len() < 100 && !summary.contains('\n'), "{name}");
            let description = annotation(rule, "description");
            assert!(
                description.contains("Look first at") || ["ApiLatency", "Watchdog"].contains(&name),
                "{name}: {description}"
            );
            assert!(!description.contains("$value }}"), "{name}: not humanized");
            let url = annotation(rule, "runbook_url");
            assert_eq!(url, format!("{HOME}{name}.md"));
            let page = fs::read_to_string(pages().join(format!("{name}.md"))).unwrap();
            assert!(page.starts_with(&format!("# {name}\n")), "{name}");
            assert!(page.contains("\n## Silencing\n"), "{name}");
            let french = fs::read_to_string(pages().join(format!("fr/{name}.md"))).unwrap();
            assert!(french.starts_with(&format!("# {name}\n")), "{name}");
            assert!(french.contains("\n## Mettre en silence\n"), "{name}");
            if file == BuiltIn::Essential {
                let condition = &*rule.expr.text;
                let value = condition.rsplit_once([' ']).unwrap().0;
                assert!(page.contains(value), "{name}: {value}");
            }
            named.insert(format!("{name}.md"));
        }
    }
    for directory in [pages(), pages().join("fr")] {
        let names = files(&directory);
        let names = names
            .iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
        assert_eq!(names.collect::<BTreeSet<_>>(), named, "{directory:?}");
    }
}

/// The files of a directory, without those below it.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_file()).collect()
}

/// The lines of a page's code blocks that are not shell commands.
fn queries(page: &str) -> Vec<String> {
    let mut queries = Vec::new();
    let mut inside = false;
    let mut shell = false;
    for line in page.lines().map(str::trim) {
        if line.starts_with("```") {
            inside = !inside;
            shell = line.len() > 3;
            continue;
        }
        let commands = ["curl ", "redis-cli ", "amtool ", "for ", "node ", "vigie "];
        shell |= commands.iter().any(|command| line.starts_with(command));
        if inside && !shell && !line.contains("METRIC") {
            queries.push(line.to_owned());
        }
    }
    // `query` in the running text, where it is certainly one.
    let spans = page.split('`').skip(1).step_by(2);
    let spans = spans.filter(|span| span.contains(['(', '{']) && span.contains("_"));
    queries.extend(
        spans
            .filter(|span| load(&recording(span)).findings.is_empty())
            .map(str::to_owned),
    );
    queries
}

/// A rule file with the single rule `query`.
fn recording(query: &str) -> String {
    let query = query.replace('\'', "''");
    format!("groups: [{{name: page, rules: [{{record: query, expr: '{query}'}}]}}]")
}

#[test]
fn every_query_of_a_runbook_is_valid() {
    let known = known();
    let mut count = 0;
    for path in [pages(), pages().join("fr")]
        .iter()
        .flat_map(|directory| files(directory))
    {
        for query in queries(&fs::read_to_string(&path).unwrap()) {
            // The metrics of Prometheus and Alertmanager are not in the catalogue.
            if query.contains("(prometheus_") || query.contains("(alertmanager_") {
                continue;
            }
            let text = recording(&query);
            let loaded = load(&text);
            let mut findings = loaded.findings.clone();
            findings.extend(check(&loaded.rules, &known));
            assert!(findings.is_empty(), "{path:?}: {query}: {findings:?}");
            count += 1;
        }
    }
    assert!(count > 100, "only {count} queries were found");
}
