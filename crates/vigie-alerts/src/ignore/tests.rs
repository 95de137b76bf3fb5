use super::*;
use crate::{Known, check, load};

/// The names of the remaining findings, and how many were suppressed.
fn remaining(text: &str) -> (Vec<&'static str>, usize) {
    let loaded = load(text);
    let mut findings = loaded.findings.clone();
    findings.extend(check(&loaded.rules, &Known::default()));
    let remaining = suppress(text, &loaded, findings);
    let names = remaining.findings.iter().map(|finding| finding.lint.name());
    (names.collect(), remaining.suppressed)
}

/// Two groups with an unknown metric in each of three rules; `{0}` to `{9}` are places for comments.
const FILE: &str = "\
{0}
groups: {1}
  {2}
  - name: a {3}
    {4}
    rules:
      {5}
      - alert: A
        # Another comment.
        {6}
        expr: x {7}
      - alert: B
        expr: |-
          y
          {8}
  - name: b
    rules:
      - {record: c, expr: z}
      {9}
";

fn with(place: usize, comment: &str) -> String {
    (0..10).fold(FILE.to_owned(), |file, at| {
        let comment = if at == place { comment } else { "" };
        file.replace(&format!("{{{at}}}"), comment)
    })
}

#[test]
fn a_comment_applies_to_its_rule_group_or_file() {
    for (place, suppressed) in [
        (0, 3),
        (1, 3),
        (2, 2),
        (3, 2),
        (4, 2),
        (5, 1),
        (6, 1),
        (7, 1),
        (8, 1),
        (9, 1),
    ] {
        let file = with(place, "# vigie: ignore unknown-metric -- a reason");
        let left = vec!["unknown-metric"; 3 - suppressed];
        assert_eq!(remaining(&file), (left, suppressed), "{place}:\n{file}");
    }
}

#[test]
fn several_names_and_a_rule_that_cannot_be_read() {
    let file = "\
groups:
  - name: a
    rules:
      # vigie: ignore promql , unknown-key -- is a template
      - alert: A
        expr: x >
        fro: 5m
      - alert: B
        expr: 1 +
";
    assert_eq!(remaining(file), (vec!["promql"], 2));
}

#[test]
fn rules_on_one_line() {
    let rules = "[{alert: A, expr: x}, {alert: B, expr: y}]";
    let file = format!("groups: [{{name: a, rules: {rules}}}] # vigie: ignore unknown-metric\n");
    assert_eq!(remaining(&file), (vec![], 2));
    let file = format!("# vigie: ignore unknown-metric\ngroups: [{{name: a, rules: {rules}}}]");
    assert_eq!(remaining(&file), (vec![], 2));
}

#[test]
fn a_comment_at_the_end_applies_to_the_file_unless_it_is_indented() {
    let rules = "groups: [{name: a, rules: [{alert: A, expr: x}]}]\n";
    let (first, second) = (
        "- {name: a, rules: [{alert: A, expr: x}]}",
        "- {name: b, rules: [{alert: B, expr: y}]}",
    );
    let ignore = "# vigie: ignore unknown-metric\n";
    assert_eq!(remaining(&format!("{rules}{ignore}")), (vec![], 1));
    let groups = format!("groups:\n  {first}\n  {second}\n");
    assert_eq!(remaining(&format!("{groups}{ignore}")), (vec![], 2));
    let indented = format!("{groups}\n  # Another comment.\n  {ignore}");
    assert_eq!(remaining(&indented), (vec!["unknown-metric"], 1));
}

#[test]
fn a_prometheus_rule() {
    let file = "\
# vigie: ignore unknown-metric -- another team's
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
spec:
  groups:
    - name: a
      rules:
        - alert: A
          expr: x
";
    assert_eq!(remaining(file), (vec![], 1));
}

#[test]
fn a_comment_without_effect_is_reported() {
    for (comment, expected) in [
        ("# vigie: ignore threshold -- a reason", "unused-ignore"),
        ("# vigie: ignore unknown-metrics", "invalid-ignore"),
        ("# vigie: ignore", "invalid-ignore"),
        ("# vigie: ignore -- a reason", "invalid-ignore"),
        ("# vigie: ignore threshold a reason", "invalid-ignore"),
        ("# vigie: ingore threshold", "invalid-ignore"),
        ("#vigie:ignore threshold", "unused-ignore"),
    ] {
        let mut names = vec!["unknown-metric"; 3];
        names.insert(0, expected);
        assert_eq!(remaining(&with(0, comment)), (names, 0), "{comment}");
    }
    let twice = with(0, "# vigie: ignore unknown-metric, unknown-metric");
    assert_eq!(remaining(&twice), (vec![], 3));
}

#[test]
fn other_comments_and_texts_are_left_alone() {
    for text in [
        "# vigie: alerts of the backend",
        "# Vigie: ignore threshold",
        "# see vigie: ignore threshold",
    ] {
        assert_eq!(remaining(&with(0, text)), (vec!["unknown-metric"; 3], 0));
    }
    let file = "\
groups:
  - name: a
    rules:
      - alert: A
        expr: vector(1)
        annotations:
          summary: 'write # vigie: ignore threshold'
          description: |
            # vigie: ignore threshold
";
    assert_eq!(remaining(file), (vec![], 0));
}

#[test]
fn a_file_that_is_not_yaml_keeps_its_findings() {
    assert_eq!(
        remaining("# vigie: ignore yaml\na: b: c"),
        (vec!["yaml"], 0)
    );
}

#[test]
fn the_number_of_ignored_names_is_bounded() {
    let file = "# vigie: ignore threshold\n".repeat(2 * MAX_IGNORES);
    let (names, _) = remaining(&file);
    assert_eq!(names.len(), MAX_IGNORES + 1);
    assert_eq!(names.last(), Some(&"invalid-ignore"));
}
