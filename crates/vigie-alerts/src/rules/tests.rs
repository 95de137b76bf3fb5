use std::time::Duration;

use super::*;

const GOOD: &str = r#"
# A comment.
groups:
  - name: backend
    interval: 15s
    limit: 10
    rules:
      - record: job:errors:rate5m
        expr: sum by (job) (rate(errors_total[5m]))
        labels:
          team: core
      - alert: Errors
        expr: |-
          job:errors:rate5m > 5
            and up == 1
        for: 1m30s
        keep_firing_for: 5m
        labels: {severity: "{{ if gt $value 20.0 }}critical{{ else }}warning{{ end }}", tier: 1}
        annotations:
          summary: >-
            {{ $labels.job }} fails
            {{ $value | humanize }} times a second
  - name: empty
    rules:
"#;

#[test]
fn a_good_file() {
    let loaded = load(GOOD);
    assert_eq!(loaded.findings, []);
    let [backend, empty] = &loaded.rules.groups[..] else {
        panic!("{loaded:?}")
    };
    assert_eq!((&*backend.name, &*empty.name), ("backend", "empty"));
    assert_eq!(backend.interval, Some(Duration::from_secs(15)));
    assert_eq!((backend.limit, empty.limit), (10, 0));
    let [record, alert] = &backend.rules[..] else {
        panic!("{backend:?}")
    };
    assert!(matches!(&record.kind, RuleKind::Record { name } if &**name == "job:errors:rate5m"));
    assert_eq!(&*record.labels[0].value, "core");
    assert!(record.labels[0].template.is_none());
    let RuleKind::Alert {
        name,
        hold,
        keep_firing,
        annotations,
    } = &alert.kind
    else {
        panic!("{alert:?}")
    };
    assert_eq!(&**name, "Errors");
    assert_eq!((hold.as_secs(), keep_firing.as_secs()), (90, 300));
    assert_eq!(&*alert.expr.text, "job:errors:rate5m > 5\n  and up == 1");
    assert_eq!(&*alert.labels[1].value, "1");
    assert_eq!(annotations.len(), 1);
    assert_eq!(loaded.rules.rules().count(), 2);
}

#[test]
fn texts_have_positions() {
    let loaded = load(GOOD);
    for rule in loaded.rules.rules() {
        assert_eq!(&GOOD[rule.name().span()], &**rule.name());
        for word in ["rate5m", "errors_total", "up"] {
            if let Some(at) = rule.expr.text.find(word) {
                let place = rule.expr.text.locate(at..at + word.len());
                assert_eq!(&GOOD[place], word);
            }
        }
        for entry in rule.entries() {
            assert_eq!(&GOOD[entry.key.span()], &*entry.key);
        }
    }
}

#[test]
fn null_items_are_skipped() {
    for text in ["", "# nothing\n", "groups:\n", "groups: []\n", "{}"] {
        let loaded = load(text);
        assert!(loaded.findings.is_empty(), "{text:?}: {loaded:?}");
        assert!(loaded.rules.groups.is_empty(), "{text:?}");
    }
}

/// The title of each mistake, and the text it refers to.
#[test]
fn what_prometheus_refuses() {
    let in_rule = |lines: &str| {
        let lines = lines.replace('\n', "\n        ");
        format!("groups:\n  - name: g\n    rules:\n      - {lines}\n")
    };
    for (text, title, at) in [
        ("groups: x".to_owned(), "`groups` is a text", "x"),
        ("- x".to_owned(), "a rule file is a list", ""),
        (
            "grops: []".to_owned(),
            "unknown key `grops` in a rule file",
            "grops",
        ),
        (
            "groups: [{rules: []}]".to_owned(),
            "a group without `name`",
            "",
        ),
        (
            "groups: [{name: , rules: []}]".to_owned(),
            "`name` is empty",
            "name",
        ),
        (
            "groups: [{name: a}, {name: a}]".to_owned(),
            "two groups are named `a`",
            "a",
        ),
        (
            "groups: [{name: a, interval: 5}]".to_owned(),
            "`5` is not a duration",
            "5",
        ),
        (
            "groups: [{name: a, limit: '1'}]".to_owned(),
            "`1` is not a number",
            "'1'",
        ),
        (
            "groups: [{name: a, limit: yes}]".to_owned(),
            "`yes` is not a number",
            "yes",
        ),
        (
            "groups: [{name: a}]\n---\ngroups: []".to_owned(),
            "a second document",
            "",
        ),
        (
            in_rule("alert: A\nexpr: &e up\n")
                .replace("&e up", "&e up == 0\n      - alert: B\n        expr: *e"),
            "`expr` is an alias",
            "*e",
        ),
        (
            in_rule("alert: &a A\nexpr: up\n").replace(
                "expr: up",
                "expr: up\n      - alert: *a\n        expr: up\n        labels: {b: c}",
            ),
            "`alert` is an alias",
            "*a",
        ),
        (
            in_rule("alert: A\nexpr: up\nfor: 5"),
            "`5` is not a duration",
            "5",
        ),
        (
            in_rule("alert: A\nexpr: up\nfor: ''"),
            "`` is not a duration",
            "''",
        ),
        (
            "groups: [{name: a, name: b}]".to_owned(),
            "`name` is given twice",
            "name",
        ),
        (
            "groups: [{<<: a, name: b}]".to_owned(),
            "a merge key (`<<`) is a text",
            "a",
        ),
        (
            "groups: [{<<: {name: a}, <<: {name: b}}]".to_owned(),
            "`<<` is given twice",
            "<<",
        ),
        (
            "groups: [{<<: {nam: a}, name: b}]".to_owned(),
            "unknown key `nam` in a group",
            "nam",
        ),
        (
            "groups: [{[a]: b, name: b}]".to_owned(),
            "a key is a list",
            "",
        ),
        ("groups: [{name: [a]}]".to_owned(), "`name` is a list", ""),
        (
            in_rule("expr: up"),
            "a rule without `alert` or `record`",
            "",
        ),
        (in_rule("alert: A"), "a rule without `expr`", ""),
        (
            in_rule("alert: A\nrecord: a\nexpr: up"),
            "a rule with both `alert` and `record`",
            "record",
        ),
        (
            in_rule("alert: A\nexrp: up\nexpr: up"),
            "unknown key `exrp` in a rule",
            "exrp",
        ),
        (
            in_rule("alert: A\nexpr: up\nfor: 5 minutes"),
            "`5 minutes` is not a duration",
            "5 minutes",
        ),
        (
            in_rule("record: a\nexpr: up\nfor: 5m"),
            "`for` in a recording rule",
            "for",
        ),
        (
            in_rule("record: a-b\nexpr: up"),
            "`a-b` is not a metric name",
            "a-b",
        ),
        (
            in_rule("alert: A\nexpr: sum(up) by job"),
            "this is not PromQL",
            "job",
        ),
        (
            in_rule("alert: A\nexpr: rate(up)"),
            "an expression of the wrong type",
            "up",
        ),
        (
            in_rule("alert: A\nexpr: rat(up[5m])"),
            "an unknown function",
            "rat",
        ),
        (
            in_rule("alert: A\nexpr: |\n  up\n    > )"),
            "this is not PromQL",
            ")",
        ),
        (
            in_rule("alert: A\nexpr: up\nlabels: {a-b: c}"),
            "`a-b` is not a name for a label",
            "a-b",
        ),
        (
            in_rule("alert: A\nexpr: up\nlabels: {__name__: c}"),
            "`__name__` is not a name for a label",
            "__name__",
        ),
        (
            in_rule("alert: A\nexpr: up\nlabels: {a: [b]}"),
            "`a` is a list",
            "",
        ),
        (
            in_rule("alert: A\nexpr: up\nlabels: x"),
            "`labels` is a text",
            "x",
        ),
        (
            in_rule("alert: A\nexpr: up\nannotations: {a: \"{{ $value | humanise }}\"}"),
            "unknown function `humanise`",
            "humanise",
        ),
        (
            in_rule("alert: A\nexpr: up\nlabels: {a: '{{ $valeu }}'}"),
            "unknown variable `$valeu`",
            "$valeu",
        ),
        (
            "groups: [{name: a, rules: [{alert: A, expr: up}, {alert: A, expr: up}]}]".to_owned(),
            "two rules result in `A` with the same labels",
            "A",
        ),
        ("groups:\n\t- name: a".to_owned(), "this is not YAML", ""),
    ] {
        let loaded = load(&text);
        let found: Vec<_> = loaded
            .findings
            .iter()
            .map(|finding| (finding.title.as_str(), &text[finding.span.clone()]))
            .collect();
        assert_eq!(found, [(title, at)], "{text}");
    }
}

#[test]
fn an_invalid_rule_does_not_affect_others() {
    let text = GOOD.replace("sum by (job)", "sum by job");
    let loaded = load(&text);
    assert_eq!(loaded.findings.len(), 1);
    assert_eq!(loaded.rules.rules().count(), 1);
}

#[test]
fn the_same_alert_with_another_label_is_another_alert() {
    let rule = |severity| format!("{{alert: A, expr: up, labels: {{severity: {severity}}}}}");
    let two = format!(
        "groups: [{{name: a, rules: [{}, {}]}}]",
        rule("warning"),
        rule("critical")
    );
    assert_eq!(load(&two).findings, []);
}

#[test]
fn yaml_as_prometheus_reads_it() {
    for text in [
        "groups: [{name: a, limit: }, {name: b, limit: -1}, {name: c, limit: 0x1F}, {name: d, limit: 5.5}]",
        "groups: [{name: a, interval: , rules: [{alert: A, expr: up, for: , labels: {a: '', b: , c: 5}}]}]",
        "groups: [{name: a, rules: [{record: a, alert: , expr: up, for: 0s, annotations: }, ]}, ~]",
        "groups: [{name: a, rules: [&r {alert: A, expr: up}, {<<: *r, alert: B}, {<<: [*r], alert: C}]}]",
        "groups: [{name: a, rules: [{alert: A, expr: up, <<: {for: x}, for: 5m}]}]",
        "groups: []\n---\n---\n# nothing\n",
    ] {
        assert_eq!(load(text).findings, [], "{text}");
    }
}

#[test]
fn a_resource_of_the_operator_is_read() {
    let file = "groups: [{name: g, rules: [{alert: A, exp: up, expr: up}]}]";
    let resource = format!("kind: PrometheusRule\nmetadata: {{name: x}}\nspec: {{{file}}}\n");
    let titles = |text: &str| {
        let findings = load(text).findings.into_iter();
        findings.map(|finding| finding.title).collect::<Vec<_>>()
    };
    assert_eq!(titles(&resource), ["unknown key `exp` in a rule"]);
    let other = titles(&resource.replace("PrometheusRule", "ConfigMap"));
    assert_eq!(other.len(), 3, "{other:?}");
}

#[test]
fn a_merge_key_adds_missing_entries() {
    let text = "groups: [{name: g, rules: [{alert: A, expr: up, labels: &l {a: '1', b: '2'}}, {alert: B, expr: up, labels: {b: '3', <<: [*l, {b: '4', c: '5'}]}}]}]";
    let loaded = load(text);
    assert_eq!(loaded.findings, []);
    let labels = &loaded.rules.groups[0].rules[1].labels;
    let labels: Vec<_> = labels
        .iter()
        .map(|label| (&*label.key, &*label.value))
        .collect();
    assert_eq!(labels, [("b", "3"), ("a", "1"), ("c", "5")]);
}

#[test]
fn merge_keys_are_bounded() {
    let mut text = "a0: &a0 {x: 1}\n".to_owned();
    for level in 1..100 {
        text += &format!("a{level}: &a{level} {{<<: *a{}}}\n", level - 1);
    }
    text += "<<: *a99\n";
    let findings = load(&text).findings;
    assert!(
        findings
            .iter()
            .any(|finding| finding.title == "nested too deep")
    );
}

#[test]
fn rules_that_select_different_series_are_not_duplicates() {
    for (one, other, duplicate) in [
        ("x{q='a'}", "x{q='b'}", false),
        ("x{q='a'}", "x{q!='a'}", false),
        ("x{q=~'a|b'}", "x{q='c'}", false),
        ("x{q=~'a|b'}", "x{q='b'}", true),
        ("x{q=~'a.*'}", "x{q!~'a.*'}", false),
        ("x{q=~'a.*'}", "x{q='b'}", false),
        ("x{q='a'}", "x{r='b'}", true),
        ("x", "y", true),
        (
            "sum by (q) (rate(x{q='a'}[5m]))",
            "sum by (q) (rate(x{q='b'}[5m]))",
            false,
        ),
        ("sum(rate(x{q='a'}[5m]))", "sum(rate(x{q='b'}[5m]))", true),
        (
            "sum without (q) (x{q='a'})",
            "sum without (q) (x{q='b'})",
            true,
        ),
        ("x{q='a'} > 5", "5 < x{q='b'}", false),
        ("x{q='a'} or y", "x{q='b'}", true),
        ("x{q='a'} and y", "x{q='b'} unless y", false),
        ("x{q='a'} / on (q) y", "x{q='b'} / on (q) y", false),
        (
            "x{q='a'} / ignoring (q) y",
            "x{q='b'} / ignoring (q) y",
            true,
        ),
        (
            "label_replace(x{q='a'}, 'q', 'c', '', '')",
            "label_replace(x{q='b'}, 'q', 'c', '', '')",
            true,
        ),
        ("absent(x{q='a'})", "absent(x{q='b'})", false),
    ] {
        let text = format!(
            "groups: [{{name: g, rules: [{{record: r, expr: \"{one}\"}}, {{record: r, expr: \"{other}\"}}]}}]"
        );
        let found = !load(&text).findings.is_empty();
        assert_eq!(found, duplicate, "{one} {other}");
    }
}

#[test]
fn a_file_is_bounded() {
    let loaded = load(&" ".repeat(MAX_FILE_BYTES + 1));
    assert_eq!(
        loaded.findings[0].title,
        "a file of more than 1048576 bytes"
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(1_000))]

    /// Loading never panics, and all spans are within the file.
    #[test]
    fn no_text_panics(text in "(?s)(\n {0,6}(- )?(groups|name|rules|alert|record|expr|for|labels|annotations|interval): ?|[\\[\\]{},:&*!|>'\"#%@`\n é\t-]|(up|rate\\(x\\[5m\\]\\)|\\{\\{ \\$labels|\\}\\}|5m|~|<<|\\\\u00|\\\\x|&a |\\*a )|.){0,40}") {
        let loaded = load(&text);
        for finding in &loaded.findings {
            proptest::prop_assert!(text.get(finding.span.clone()).is_some(), "{finding:?}");
            proptest::prop_assert!(!finding.title.is_empty());
        }
        for finding in crate::check(&loaded.rules, &crate::Known::default()) {
            proptest::prop_assert!(text.get(finding.span.clone()).is_some(), "{finding:?}");
        }
    }

    /// Valid rules in all styles of YAML, with arbitrary texts.
    #[test]
    fn places_are_in_the_file(words in "(?s)[a-z{}$|. é'\"\\\\\n]{0,30}", style in 0..4) {
        let indented = words.replace('\n', "\n            ");
        let value = match style {
            0 => format!("|\n            {indented}"),
            1 => format!(">-\n            {indented}"),
            2 => format!("'{}'", indented.replace('\'', "''")),
            _ => format!("{words:?}"),
        };
        let text = format!("groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: up\n        annotations:\n          a: {value}\n");
        let loaded = load(&text);
        for finding in &loaded.findings {
            proptest::prop_assert!(text.get(finding.span.clone()).is_some(), "{finding:?}");
        }
        for entry in loaded.rules.rules().flat_map(Rule::entries) {
            for at in 0..entry.value.len() {
                proptest::prop_assert!(text.get(entry.value.locate(at..at + 1)).is_some());
            }
        }
    }
}
