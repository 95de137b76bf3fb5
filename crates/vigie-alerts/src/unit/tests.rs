#![allow(clippy::unwrap_used)]
use vigie_promql::Features;

use super::*;

fn load(text: &str) -> Loaded {
    super::load(text, Features::Stable)
}

const RULES: &str = "\
groups:
  - name: g
    rules:
      - {record: b, expr: a * 2}
      - alert: High
        expr: a > 5
        for: 1m
        labels: {severity: page}
        annotations: {text: 'is {{ $value }} at {{ $externalLabels.site }}'}
";

/// The failures of a file with one test.
fn failures(test: &str) -> Vec<Failure> {
    let text = format!("rule_files: [r.yml]\ntests:\n  - {test}\n");
    let loaded = load(&text);
    assert_eq!(loaded.findings, [], "{text}");
    let rules = crate::load(RULES).rules;
    let mut outcomes = run(&loaded.file, &[("r.yml", &rules)]);
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0).failures
}

const SERIES: &str =
    "{external_labels: {site: x}, input_series: [{series: 'a{q=\"1\"}', values: '6 6 6 1'}], ";

#[test]
fn expected_alerts_and_samples_pass() {
    let test = "alert_rule_test: [{alertname: High, eval_time: 30s}, {alertname: High, eval_time: 119s, exp_alerts: [{exp_labels: {severity: page, q: 1}, exp_annotations: {text: 'is 6 at x'}}]}, {alertname: High, eval_time: 3m}], promql_expr_test: [{expr: b, eval_time: 3m, exp_samples: [{labels: 'b{q=\"1\"}', value: 2}]}, {expr: 1 + 1, exp_samples: [{labels: '{}', value: 2}]}]}";
    let found = failures(&format!("{SERIES}{test}"));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn differences_are_reported() {
    let test = "alert_rule_test: [{alertname: High, eval_time: 1m, exp_alerts: [{exp_labels: {severity: page}}]}], promql_expr_test: [{expr: b, eval_time: 3m, exp_samples: [{labels: 'b{q=\"1\"}', value: 3}]}, {expr: 'a + on () group_left a'}]}";
    let found = failures(&format!("{SERIES}{test}"));
    let [
        Failure::Alerts {
            missing,
            unexpected,
            ..
        },
        Failure::Samples {
            missing: samples,
            unexpected: others,
            ..
        },
        Failure::Samples { .. },
    ] = &found[..]
    else {
        panic!("{found:?}");
    };
    assert_eq!(missing[0].labels.len(), 2);
    let annotations = [("text".to_owned(), "is 6 at x".to_owned())];
    assert_eq!(unexpected[0].annotations, annotations);
    assert_eq!((samples[0].1, others[0].1), (3.0, 2.0));
}

#[test]
fn a_failed_rule_ends_the_test() {
    let test = "{input_series: [{series: a, values: 1 2}, {series: b, values: 7}], promql_expr_test: [{expr: a, eval_time: 1m}]}";
    let found = failures(test);
    let [Failure::Rule { rule, at, error }] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(
        (&**rule, at.as_secs(), &**error),
        ("b", 0, "duplicate sample for timestamp")
    );
}

#[test]
fn numbers_are_equal_only_if_they_are_the_same() {
    let nearby = 0.3;
    for (fuzzy, count) in [(false, 2), (true, 1)] {
        let text = format!(
            "fuzzy_compare: {fuzzy}\ntests: [{{promql_expr_test: [{{expr: vector(0.1 + 0.2), exp_samples: [{{labels: '{{}}', value: {nearby}}}]}}, {{expr: vector(NaN), exp_samples: [{{labels: '{{}}', value: .nan}}]}}]}}]"
        );
        let loaded = load(&text);
        assert_eq!(loaded.findings, []);
        let outcomes = run(&loaded.file, &[]);
        assert_eq!(outcomes[0].failures.len(), count, "{fuzzy}");
    }
}

#[test]
fn a_test_may_start_at_another_time() {
    for start in ["1000", "1970-01-01T00:16:40Z"] {
        let test = format!(
            "{{start_timestamp: {start}, input_series: [{{series: a, values: 1 2}}], promql_expr_test: [{{expr: a + time(), eval_time: 1m, exp_samples: [{{labels: '{{}}', value: 1062}}]}}]}}"
        );
        let found = failures(&test);
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn the_length_of_a_test_is_bounded() {
    let found = failures("{promql_expr_test: [{expr: a, eval_time: 200y}]}");
    assert!(matches!(found[..], [Failure::TooLong]), "{found:?}");
}

#[test]
fn mistakes_have_positions() {
    for (text, title, at) in [
        ("test: []", "unknown key `test` in a unit-test file", "test"),
        (
            "tests: [{input_serie: []}]",
            "unknown key `input_serie` in a test",
            "input_serie",
        ),
        (
            "tests: [{alert_rule_test: [{eval_time: 5, alertname: A}]}]",
            "`5` is not a duration",
            "5",
        ),
        (
            "tests: [{alert_rule_test: [{eval_time: 5m}]}]",
            "an alert test without `alertname`",
            "",
        ),
        (
            "tests: [{input_series: [{series: 'a{', values: 1}]}]",
            "`a{` is not a series",
            "'a{'",
        ),
        (
            "tests: [{input_series: [{series: 'a{b!=\"c\"}', values: 1}]}]",
            "`a{b!=\\\"c\\\"}` is not a series",
            "'a{b!=\"c\"}'",
        ),
        (
            "tests: [{input_series: [{series: a, values: 1xx}]}]",
            "`1xx` is not a list of values",
            "1xx",
        ),
        (
            "tests: [{promql_expr_test: [{expr: 'a + b c'}]}]",
            "this is not PromQL",
            "c",
        ),
        (
            "tests: [{promql_expr_test: [{expr: a, exp_samples: [{labels: a, value: '6'}]}]}]",
            "`6` is not a number",
            "'6'",
        ),
        (
            "tests: [{promql_expr_test: [{expr: a, exp_samples: [{value: 6}]}]}]",
            "an expected sample without `labels`",
            "",
        ),
        (
            "group_eval_order: [a, b, a]",
            "the group `a` is given twice",
            "a",
        ),
        (
            "fuzzy_compare: maybe",
            "`maybe` is not true or false",
            "maybe",
        ),
        ("fuzzy_compare: tRUE", "`tRUE` is not true or false", "tRUE"),
        (
            "tests: []\n---\ntests: [{interval: 1m}]",
            "a second document",
            "",
        ),
        (
            "tests: [{start_timestamp: then}]",
            "`then` is not a time",
            "then",
        ),
    ] {
        let loaded = load(text);
        let found: Vec<_> = loaded
            .findings
            .iter()
            .map(|one| (&*one.title, &text[one.span.clone()]))
            .collect();
        assert_eq!(found, [(title, at)], "{text}");
    }
    assert!(load("groups: []").is_rule_file);
    assert_eq!(load("tests: []\n---\n# nothing\n").findings, []);
    for (value, expected) in [("Yes", true), ("ON", true), ("y", true), ("No", false)] {
        let loaded = load(&format!("fuzzy_compare: {value}"));
        assert_eq!((loaded.findings, loaded.file.fuzzy), (Vec::new(), expected));
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "(tests: |input_series: |alert_rule_test: |promql_expr_test: |\\[|\\]|\\{|\\}|, |expr: |series: a|values: |eval_time: 1m|alertname: A|[0-9x+_ '.]|\n|- ){0,40}") {
        let loaded = load(&text);
        for finding in &loaded.findings {
            assert!(text.get(finding.span.clone()).is_some());
        }
        let _ = run(&loaded.file, &[]);
    }
}

/// Expressions, rules and the templates of rules.
#[test]
fn experimental_expressions_are_used_where_they_are_permitted() {
    let rules = "groups: [{name: g, rules: [{alert: A, expr: 'a > mad_over_time(a[1m])', annotations: {text: '{{ range query \"mad_over_time(a[3m])\" }}{{ .Value }}{{ end }}'}}]}]";
    let tests = "rule_files: [r.yml]\ntests: [{input_series: [{series: a, values: 1 2 6}], \
        alert_rule_test: [{eval_time: 2m, alertname: A, exp_alerts: [{exp_annotations: {text: '1'}}]}], \
        promql_expr_test: [{expr: 'mad_over_time(a[3m])', eval_time: 2m, exp_samples: [{labels: '{}', value: 1}]}]}]";
    assert_eq!(super::load(tests, Features::Stable).findings.len(), 1);
    let loaded = super::load(tests, Features::Experimental);
    assert_eq!(loaded.findings, []);
    let rules = crate::load_with(rules, Features::Experimental);
    assert_eq!(rules.findings, []);
    let outcomes = run(&loaded.file, &[("r.yml", &rules.rules)]);
    assert_eq!(outcomes.len(), 1);
    assert!(
        outcomes[0].failures.is_empty(),
        "{:?}",
        outcomes[0].failures
    );
}
