//! Reads a unit-test file.

mod expected;
mod series;
mod values;

use std::time::Duration;

use vigie_promql::{Features, Labels};

use self::expected::{alert_test, expr_test};
use self::series::series;
use self::values::{boolean, items, pairs, start, texts};
use super::file::{Loaded, Test, UnitFile};
use crate::finding::Finding;
use crate::lint::Lint;
use crate::rules::reader::{Keys, Reader, field};
use crate::yaml::{Node, shown};

/// The evaluation interval of a file without one.
const INTERVAL: Duration = Duration::from_secs(60);

const FILE: Keys = Keys {
    of: "a unit-test file",
    known: &[
        "rule_files",
        "evaluation_interval",
        "group_eval_order",
        "fuzzy_compare",
        "tests",
    ],
};
const TEST: Keys = Keys {
    of: "a test",
    known: &[
        "name",
        "interval",
        "input_series",
        "alert_rule_test",
        "promql_expr_test",
        "external_labels",
        "external_url",
        "start_timestamp",
    ],
};

/// Reads a unit-test file, with a finding for each mistake. Its expressions, and the templates of the rules that it tests,
/// may use these features of PromQL.
#[must_use]
pub fn load(text: &str, features: Features) -> Loaded {
    let mut loaded = UnitFile {
        rule_files: Vec::new(),
        interval: INTERVAL,
        order: Vec::new(),
        fuzzy: false,
        features,
        tests: Vec::new(),
    };
    let mut reader = Reader::default();
    let document = reader.document(text, "unit-test files");
    let root = document.and_then(|document| document.root);
    if let Some(root) = &root {
        file(root, &mut reader, &mut loaded);
    }
    Loaded {
        file: loaded,
        findings: reader.into_findings(),
        is_rule_file: root.is_some_and(|root| has_groups(&root)),
    }
}

fn has_groups(root: &Node) -> bool {
    let fields = Reader::default().table(root, FILE.of);
    field(&fields, "groups").is_some() || field(&fields, "kind").is_some()
}

fn file(root: &Node, reader: &mut Reader, file: &mut UnitFile) {
    let fields = reader.fields(root, &FILE);
    let get = |name| field(&fields, name);
    file.rule_files = texts(get("rule_files"), reader);
    if let Some(interval) = get("evaluation_interval").and_then(|field| reader.duration(field))
        && !interval.is_zero()
    {
        file.interval = interval;
    }
    file.order = texts(get("group_eval_order"), reader);
    for (at, name) in file.order.iter().enumerate() {
        if let Some(first) = file.order[..at].iter().find(|other| ***other == **name) {
            let title = format!("the group `{}` is given twice", shown(name));
            let finding = Finding::new(Lint::DuplicateGroup, name.span(), title, "the second time");
            reader.find(finding.also(first.span(), "the first time"));
        }
    }
    file.fuzzy = get("fuzzy_compare").is_some_and(|field| boolean(field, reader));
    for node in items(get("tests"), reader) {
        let test = test(node, file, reader);
        file.tests.push(test);
    }
}

fn test(node: &Node, file: &UnitFile, reader: &mut Reader) -> Test {
    let fields = reader.fields(node, &TEST);
    let get = |name| field(&fields, name);
    let own = get("interval").and_then(|field| reader.duration(field));
    let mut test = Test {
        span: node.start(),
        name: get("name")
            .and_then(|field| reader.any_text(field))
            .cloned(),
        interval: own.filter(|own| !own.is_zero()).unwrap_or(file.interval),
        start: get("start_timestamp").map_or(0, |field| start(field, reader)),
        series: Vec::new(),
        alerts: Vec::new(),
        exprs: Vec::new(),
        external_labels: Labels::new(pairs(get("external_labels"), reader)),
        external_url: match get("external_url").and_then(|field| reader.any_text(field)) {
            Some(url) => url.to_string(),
            None => String::new(),
        },
    };
    for node in items(get("input_series"), reader) {
        test.series.extend(series(node, reader));
    }
    for node in items(get("alert_rule_test"), reader) {
        test.alerts.extend(alert_test(node, reader));
    }
    for node in items(get("promql_expr_test"), reader) {
        test.exprs.extend(expr_test(node, file.features, reader));
    }
    test
}
