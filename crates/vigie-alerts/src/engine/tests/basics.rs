//! Samples, alerts and errors of single rules.

use super::super::*;
use super::world::{World, group, group_with, labels, rules, shorts};

const MINUTE: i64 = 60_000;

#[test]
fn a_recording_rule_is_seen_by_later_rules() {
    let mut world = World::default();
    world.load(MINUTE, &["a{x='1'} 5x10", "a{x='2'} 7x10"]);
    let mut group = rules(&[
        "record: 'sum:a', expr: sum(a), labels: {team: core}",
        "alert: High, expr: 'sum:a > 10'",
    ]);
    let evaluation = group.evaluate(MINUTE, &mut world);
    assert_eq!(shorts(&evaluation), ["firing team=core 60"]);
    assert_eq!(world.query("sum:a", MINUTE), ["sum:a{team=\"core\"} 12"]);
    let value = evaluation.updates[0].value;
    assert_eq!(
        (value, evaluation.samples, evaluation.failures),
        (Some(12.0), 3, 0)
    );
}

#[test]
fn alerts_are_pending_then_fire_then_resolve() {
    let mut world = World::default();
    world.load(MINUTE, &["a{x='1'} 1 6 6 6 1 1"]);
    let mut group = rules(&["alert: High, expr: a > 5, for: 2m, labels: {severity: page}"]);
    let mut told = Vec::new();
    for minute in 0..6 {
        let evaluation = group.evaluate(minute * MINUTE, &mut world);
        told.push(shorts(&evaluation).join(" "));
    }
    assert_eq!(
        told,
        [
            "",
            "",
            "",
            "firing severity=page,x=1 180",
            "resolved severity=page,x=1 180",
            ""
        ]
    );
    let alerts = |minute| world.query("ALERTS", minute * MINUTE);
    let series = |state| {
        format!(
            "ALERTS{{alertname=\"High\", alertstate=\"{state}\", severity=\"page\", x=\"1\"}} 1"
        )
    };
    assert_eq!(alerts(0), Vec::<String>::new());
    assert_eq!(alerts(2), [series("pending")]);
    assert_eq!(alerts(3), [series("firing")]);
    assert_eq!(alerts(4), Vec::<String>::new());
    let since = world.query("ALERTS_FOR_STATE", 3 * MINUTE);
    assert_eq!(
        since,
        ["ALERTS_FOR_STATE{alertname=\"High\", severity=\"page\", x=\"1\"} 60"]
    );
    assert_eq!(
        world.query("ALERTS_FOR_STATE", 4 * MINUTE),
        Vec::<String>::new()
    );
}

#[test]
fn the_resolution_has_the_value_at_that_time() {
    let mut world = World::default();
    world.load(MINUTE, &["a{x='1'} 6 2", "a{x='2'} 7 _"]);
    let mut group = rules(&["alert: High, expr: a > 5"]);
    let fired = group.evaluate(0, &mut world);
    assert_eq!(fired.updates[0].value, Some(6.0));
    let resolved = group.evaluate(MINUTE, &mut world);
    let values: Vec<_> = resolved.updates.iter().map(|update| update.value).collect();
    // The last sample of the second series is within the lookback.
    assert_eq!(
        (shorts(&resolved), values),
        (vec!["resolved x=1 0".to_owned()], vec![Some(2.0)])
    );
}

#[test]
fn only_changes_are_updates() {
    let mut world = World::default();
    world.load(MINUTE, &["a{x='1'} 6 6 7 7"]);
    let mut group = rules(&["alert: High, expr: a > 5, annotations: {text: 'is {{ $value }}'}"]);
    let counts: Vec<_> = (0..4)
        .map(|minute| group.evaluate(minute * MINUTE, &mut world).updates.len())
        .collect();
    assert_eq!(counts, [1, 0, 1, 0]);
    let updates: Vec<_> = group.updates().collect();
    assert_eq!(updates.len(), 1);
    assert_eq!(&*updates[0].annotations[0].1, "is 7");
}

#[test]
fn duplicate_label_sets_fail_the_rule() {
    let mut world = World::default();
    world.load(MINUTE, &["a{x='1'} 6x5", "a{x='2'} _ 6x5"]);
    let mut group = rules(&[
        "alert: High, expr: a > 5, labels: {x: all}",
        "record: b, expr: a, labels: {x: all}",
    ]);
    assert_eq!(shorts(&group.evaluate(0, &mut world)), ["firing x=all 0"]);
    let evaluation = group.evaluate(MINUTE, &mut world);
    assert_eq!(
        (shorts(&evaluation), evaluation.failures),
        (vec!["unknown x=all 0".to_owned()], 2)
    );
    let errors: Vec<_> = group
        .rules()
        .map(|rule| rule.last_error().unwrap())
        .collect();
    assert_eq!(
        errors,
        [
            "vector contains metrics with the same labelset after applying alert labels",
            "vector contains metrics with the same labelset after applying rule labels"
        ]
    );
    assert!(group.rules().all(|rule| rule.health() == Health::Bad));
}

#[test]
fn an_exceeded_limit_clears_the_alerts() {
    let mut world = World::default();
    world.load(MINUTE, &["a{x='1'} 6x5", "a{x='2'} _ 6 1 1"]);
    let mut group = group(
        "groups: [{name: g, limit: 1, rules: [{alert: High, expr: a > 5}, {record: b, expr: a > 5}]}]",
    );
    group.evaluate(0, &mut world);
    let evaluation = group.evaluate(MINUTE, &mut world);
    assert_eq!(shorts(&evaluation), ["unknown x=1 0"]);
    let errors: Vec<_> = group
        .rules()
        .map(|rule| rule.last_error().unwrap())
        .collect();
    assert_eq!(
        errors,
        [
            "exceeded limit of 1 with 2 alerts",
            "exceeded limit of 1 with 2 series"
        ]
    );
    let states: Vec<_> = group
        .rules()
        .flat_map(|rule| rule.alerts().map(|alert| alert.state))
        .collect();
    assert_eq!(states, [None]);
    assert_eq!(
        shorts(&group.evaluate(2 * MINUTE, &mut world)),
        ["firing x=1 0"]
    );
}

#[test]
fn external_labels_are_added_where_absent() {
    let mut world = World::default();
    world.load(MINUTE, &["a{x='1'} 6x5"]);
    let defaults = Defaults {
        external_labels: labels(&[("x", "0"), ("site", "paris")]),
        external_url: "http://v".into(),
        ..Defaults::default()
    };
    let rule = "{alert: High, expr: a > 5, annotations: {text: '{{ $externalLabels.site }} {{ $externalURL }}'}}";
    let mut group = group_with(
        &format!("groups: [{{name: g, rules: [{rule}]}}]"),
        &defaults,
    );
    let update = group.evaluate(0, &mut world).updates.remove(0);
    assert_eq!(
        update.labels,
        labels(&[("alertname", "High"), ("site", "paris"), ("x", "1")])
    );
    assert_eq!(&*update.annotations[0].1, "paris http://v");
    assert_eq!(
        &*update.generator_url,
        "http://v/graph?g0.expr=a+%3E+5&g0.tab=1"
    );
    assert_eq!(
        world.query("count(ALERTS{site='paris'})", 0),
        Vec::<String>::new()
    );
}

#[test]
fn group_labels_and_query_offset() {
    let mut world = World::default();
    world.load(MINUTE, &["a{x='1'} 1 6 6 6"]);
    let mut group = group(
        "groups: [{name: g, query_offset: 1m, labels: {team: core, tier: one}, rules: [{alert: High, expr: a > 5, labels: {tier: '{{ $labels.x }}'}}, {record: b, expr: a}]}]",
    );
    assert_eq!(
        shorts(&group.evaluate(MINUTE, &mut world)),
        Vec::<String>::new()
    );
    let evaluation = group.evaluate(2 * MINUTE, &mut world);
    assert_eq!(shorts(&evaluation), ["firing team=core,tier=1,x=1 120"]);
    assert_eq!(
        world.query("b", MINUTE),
        ["b{team=\"core\", tier=\"one\", x=\"1\"} 6"]
    );
    assert_eq!(world.query("count(ALERTS)", MINUTE), ["{} 1"]);
}

#[test]
fn a_failed_template_shows_its_error() {
    let mut world = World::default();
    world.load(MINUTE, &["a{x='1'} 6x5"]);
    let mut group = rules(&[
        "alert: High, expr: a > 5, labels: {l: '{{ query \"a(\" }}'}, annotations: {text: '{{ humanize $labels.x }} {{ humanize \"x\" }}'}",
    ]);
    let evaluation = group.evaluate(0, &mut world);
    assert_eq!((evaluation.template_failures, evaluation.failures), (2, 0));
    let text = &evaluation.updates[0].annotations[0].1;
    assert!(
        text.starts_with("<error expanding template: error executing template __alert_High: template: __alert_High:1:"),
        "{text}"
    );
    assert!(
        evaluation.updates[0]
            .labels
            .get("l")
            .starts_with("<error expanding template: ")
    );
}

#[test]
fn templates_query_at_the_time_of_the_evaluation() {
    let mut world = World::default();
    world.load(MINUTE, &["a{x='1'} 6x5", "b{y='2'} 1 3 5"]);
    let mut group = rules(&[
        "alert: High, expr: a > 5, annotations: {text: '{{ with query \"b\" }}{{ . | first | label \"y\" }}={{ . | first | value }}{{ end }}'}",
    ]);
    let evaluation = group.evaluate(MINUTE, &mut world);
    assert_eq!(&*evaluation.updates[0].annotations[0].1, "2=3");
}

#[test]
fn alerts_beyond_the_bounds_are_refused_and_counted() {
    let long = format!("a{{x='{}'}} 6x5", "y".repeat(5_000));
    let mut world = World::default();
    world.load(
        MINUTE,
        &["a{x='1'} 6x5", "a{x='2'} 6x5", "a{x='3'} _ 6x5", &long],
    );
    let mut defaults = Defaults::default();
    defaults.limits.alerts = 2;
    let mut group = group_with(
        "groups: [{name: g, rules: [{alert: High, expr: a > 5}]}]",
        &defaults,
    );
    let evaluation = group.evaluate(0, &mut world);
    assert_eq!((evaluation.updates.len(), evaluation.refused), (2, 1));
    let evaluation = group.evaluate(MINUTE, &mut world);
    assert_eq!((evaluation.updates.len(), evaluation.refused), (0, 2));
    let rule = group.rules().next().unwrap();
    assert_eq!(
        rule.last_error(),
        Some("2 alerts exceed the bounds and are ignored")
    );
    assert_eq!(rule.alerts().count(), 2);

    let mut group = rules(&["alert: High, expr: a > 5", "alert: Higher, expr: a > 4"]);
    world.room.set(Some(5));
    let evaluation = group.evaluate(2 * MINUTE, &mut world);
    assert_eq!((evaluation.updates.len(), evaluation.refused), (5, 3));
}

#[test]
fn selectors_that_match_nothing_are_known() {
    let mut world = World::default();
    world.load(MINUTE, &["a 6x50"]);
    let mut group = rules(&[
        "alert: High, expr: 'a > 50 or rate(none{x=\"1\"}[5m]) > 1'",
        "record: b, expr: a",
    ]);
    for minute in 0..7 {
        group.evaluate(minute * MINUTE, &mut world);
        if minute == 1 {
            world.load(2 * MINUTE, &["none{x='1'} _ 1x20"]);
        }
        let unmatched: Vec<_> = group.rules().flat_map(Rule::unmatched_selectors).collect();
        let expected: &[&str] = if minute < 5 { &["none{x=\"1\"}"] } else { &[] };
        assert_eq!(unmatched, expected, "minute {minute}");
    }
}

#[test]
fn a_failing_query_leaves_the_states() {
    let mut world = World::default();
    world.load(MINUTE, &["a{x='1'} 6x9"]);
    let mut group = rules(&["alert: High, expr: a > 5, for: 1m"]);
    group.evaluate(0, &mut world);
    world.broken = Some("broken".to_owned());
    let evaluation = group.evaluate(MINUTE, &mut world);
    assert_eq!((evaluation.failures, evaluation.samples), (1, 0));
    world.broken = None;
    assert_eq!(
        shorts(&group.evaluate(2 * MINUTE, &mut world)),
        ["firing x=1 120"]
    );
    world.broken = Some("broken".to_owned());
    assert_eq!(
        shorts(&group.evaluate(3 * MINUTE, &mut world)),
        ["unknown x=1 120"]
    );
    assert_eq!(group.rules().next().unwrap().last_error(), Some("broken"));
    world.broken = None;
    assert_eq!(
        shorts(&group.evaluate(4 * MINUTE, &mut world)),
        ["firing x=1 120"]
    );
    assert_eq!(
        shorts(&group.evaluate(5 * MINUTE, &mut world)),
        Vec::<String>::new()
    );
}
