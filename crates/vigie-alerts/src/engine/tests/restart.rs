//! Restarts and reloads.

use super::super::*;
use super::world::{World, group, group_with, labels, rules, shorts};

const MINUTE: i64 = 60_000;

/// A new group of the same rules with the saved state, through the saved form.
fn restarted(group: &Group, rule: &str, at: Time) -> Group {
    let saved = serde_json::to_string(&group.save()).unwrap();
    let mut group = rules(&[rule]);
    let closed = group.restore(serde_json::from_str(&saved).unwrap(), at);
    assert!(
        closed.samples.is_empty() && closed.updates.is_empty(),
        "{closed:?}"
    );
    group
}

/// Evaluates at the minutes, and restarts before those with `true`.
fn run(rule: &str, series: &[&str], evaluations: &[(i64, bool)]) -> Vec<String> {
    let mut world = World::default();
    world.load(MINUTE, series);
    let mut group = rules(&[rule]);
    let told = evaluations.iter().map(|(minute, restart)| {
        if *restart {
            group = restarted(&group, rule, minute * MINUTE);
        }
        shorts(&group.evaluate(minute * MINUTE, &mut world)).join("; ")
    });
    told.collect()
}

#[test]
fn a_firing_alert_with_a_short_for_keeps_firing() {
    let rule = "alert: A, expr: a > 5, for: 1m";
    let mut world = World::default();
    world.load(MINUTE, &["a 6x70"]);
    let mut group = rules(&[rule]);
    group.evaluate(0, &mut world);
    assert_eq!(shorts(&group.evaluate(MINUTE, &mut world)), ["firing 60"]);
    let mut group = restarted(&group, rule, 60 * MINUTE);
    assert_eq!(
        shorts(&group.evaluate(60 * MINUTE, &mut world)),
        Vec::<String>::new()
    );
    let alert = group.rules().next().unwrap().alerts().next().unwrap().state;
    assert_eq!(alert, Some(AlertState::Firing));
    let updates: Vec<_> = group.updates().map(|update| update.starts_at).collect();
    assert_eq!(updates, [MINUTE]);
}

#[test]
fn a_pending_alert_keeps_its_start_and_the_time_down_does_not_count() {
    let rule = "alert: A, expr: a > 5, for: 4m";
    let minutes = [
        (0, false),
        (1, false),
        (30, true),
        (31, false),
        (32, false),
        (33, false),
    ];
    let told = run(rule, &["a 6x70"], &minutes);
    // An interval of the time down counts: pending for one minute before, and three after.
    assert_eq!(told, ["", "", "", "", "firing 1920", ""]);
    let mut world = World::default();
    world.load(MINUTE, &["a 6x70"]);
    let mut group = rules(&[rule]);
    group.evaluate(0, &mut world);
    let mut group = restarted(&group, rule, 30 * MINUTE);
    group.evaluate(30 * MINUTE, &mut world);
    assert_eq!(
        group
            .rules()
            .next()
            .unwrap()
            .alerts()
            .next()
            .unwrap()
            .active_at,
        0
    );
}

#[test]
fn keep_firing_for_continues() {
    let rule = "alert: A, expr: a > 5, keep_firing_for: 3m";
    let minutes = [(0, false), (1, false), (30, true), (31, false), (32, false)];
    let told = run(rule, &["a 6 1x70"], &minutes);
    // An interval of the time down counts: missing for one minute before, and two after.
    assert_eq!(told, ["firing 0", "", "", "", "resolved 0"]);
}

#[test]
fn an_alert_that_cleared_in_the_meantime_is_resolved_with_an_update() {
    let rule = "alert: A, expr: a > 5, for: 1m";
    let told = run(
        rule,
        &["a 6 6 6 1x70"],
        &[(0, false), (1, false), (30, true)],
    );
    assert_eq!(told, ["", "firing 60", "resolved 60"]);
}

#[test]
fn its_series_end_after_the_restart() {
    let rule = "alert: A, expr: a > 5";
    let mut world = World::default();
    world.load(MINUTE, &["a 6 1x70"]);
    let mut group = rules(&[rule]);
    group.evaluate(0, &mut world);
    let mut group = restarted(&group, rule, MINUTE);
    group.evaluate(MINUTE, &mut world);
    assert_eq!(
        world.query("ALERTS or ALERTS_FOR_STATE", MINUTE),
        Vec::<String>::new()
    );
}

#[test]
fn a_resolution_that_may_have_been_lost_is_repeated() {
    let rule = "alert: A, expr: a > 5";
    let mut world = World::default();
    world.load(MINUTE, &["a 6 1x70"]);
    let mut group = rules(&[rule]);
    group.evaluate(0, &mut world);
    group.evaluate(MINUTE, &mut world);
    let mut group = restarted(&group, rule, 2 * MINUTE);
    let ends: Vec<_> = group.updates().map(|update| update.ends_at).collect();
    assert_eq!(ends, [Some(MINUTE)]);
    group.evaluate(16 * MINUTE, &mut world);
    assert_eq!(group.updates().count(), 1);
    group.evaluate(17 * MINUTE, &mut world);
    assert_eq!(group.updates().count(), 0);
}

#[test]
fn numbers_that_json_does_not_have_are_saved() {
    let rule = "alert: A, expr: a != 5";
    let mut world = World::default();
    world.load(MINUTE, &["a{x='1'} NaN", "a{x='2'} Inf"]);
    let mut group = rules(&[rule]);
    group.evaluate(0, &mut world);
    let group = restarted(&group, rule, MINUTE);
    let values: Vec<_> = group
        .updates()
        .map(|update| update.value.unwrap().to_string())
        .collect();
    assert_eq!(values, ["NaN", "inf"]);
}

#[test]
fn saved_rules_and_groups_that_no_longer_exist_are_resolved() {
    let mut world = World::default();
    world.load(MINUTE, &["a 6x9"]);
    let mut group = rules(&["alert: A, expr: a > 5", "record: b, expr: a"]);
    group.evaluate(0, &mut world);
    let saved = group.save();
    let mut other = rules(&["alert: B, expr: a > 5"]);
    let by_rule = other.restore(saved.clone(), MINUTE);
    let by_group = saved.close(&Defaults::default(), MINUTE);
    for closed in [by_rule, by_group] {
        assert_eq!(closed.updates.len(), 1);
        assert_eq!(
            (closed.updates[0].starts_at, closed.updates[0].ends_at),
            (0, Some(MINUTE))
        );
        let series: Vec<_> = closed
            .samples
            .iter()
            .map(|sample| sample.labels.metric().to_owned())
            .collect();
        assert_eq!(series, ["ALERTS", "ALERTS_FOR_STATE", "b"]);
        assert!(
            closed
                .samples
                .iter()
                .all(|sample| vigie_promql::value::is_stale(sample.value))
        );
    }
}

#[test]
fn a_reload_keeps_the_state_of_unchanged_rules() {
    let mut world = World::default();
    world.load(MINUTE, &["a{x='1'} 6x9"]);
    let first = "alert: A, expr: a > 5, for: 1m, labels: {team: core}";
    let mut old = rules(&[first, "alert: B, expr: a > 5", "record: c, expr: a"]);
    old.evaluate(0, &mut world);
    old.evaluate(MINUTE, &mut world);
    // Another order, expression and annotation of A; B has another label; c is gone.
    let mut new = rules(&[
        "alert: B, expr: a > 5, labels: {team: web}",
        "alert: A, expr: a > 4, for: 1m, labels: {team: core}, annotations: {text: new}",
    ]);
    let closed = new.adopt(old, 2 * MINUTE);
    let ended: Vec<_> = closed.updates.iter().map(super::world::short).collect();
    assert_eq!(ended, ["resolved x=1 0"]);
    world.samples.write(&closed.samples).unwrap();
    assert_eq!(world.query("c", 2 * MINUTE), Vec::<String>::new());
    let evaluation = new.evaluate(2 * MINUTE + 1, &mut world);
    assert_eq!(
        shorts(&evaluation),
        ["firing team=web,x=1 120", "firing team=core,x=1 60"]
    );
    assert_eq!(world.query("count(ALERTS)", 2 * MINUTE + 1), ["{} 2"]);
}

#[test]
fn a_longer_for_after_a_reload_makes_the_alert_pending() {
    let mut world = World::default();
    world.load(MINUTE, &["a 6x9"]);
    let mut old = rules(&["alert: A, expr: a > 5"]);
    old.evaluate(0, &mut world);
    let mut new = rules(&["alert: A, expr: a > 5, for: 3m"]);
    new.adopt(old, MINUTE);
    assert_eq!(shorts(&new.evaluate(MINUTE, &mut world)), ["resolved 0"]);
    assert_eq!(
        world.query("ALERTS", MINUTE),
        ["ALERTS{alertname=\"A\", alertstate=\"pending\"} 1"]
    );
    assert_eq!(
        shorts(&new.evaluate(3 * MINUTE, &mut world)),
        ["firing 180"]
    );
}

#[test]
fn changed_external_labels_make_other_alerts() {
    // The label of the second alert takes precedence, so it stays the same alert.
    let file = "groups: [{name: g, rules: [{alert: A, expr: a > 5}, {alert: B, expr: a > 5, labels: {site: z}}]}]";
    let with = |site: &str| Defaults {
        external_labels: labels(&[("site", site)]),
        ..Defaults::default()
    };
    for restarts in [false, true] {
        let mut world = World::default();
        world.load(MINUTE, &["a 6x3 1x9"]);
        let mut old = group_with(file, &with("x"));
        old.evaluate(0, &mut world);
        let mut new = group_with(file, &with("y"));
        let closed = match restarts {
            false => new.adopt(old, MINUTE),
            true => new.restore(old.save(), MINUTE),
        };
        let told: Vec<_> = closed.updates.iter().map(super::world::short).collect();
        assert_eq!(told, ["resolved site=x 0", "firing site=y 0"]);
        let all: Vec<_> = new
            .updates()
            .map(|update| super::world::short(&update))
            .collect();
        assert_eq!(all, ["firing site=y 0", "firing site=z 0"]);
        assert_eq!(
            shorts(&new.evaluate(MINUTE, &mut world)),
            Vec::<String>::new()
        );
        assert_eq!(
            shorts(&new.evaluate(6 * MINUTE, &mut world)),
            ["resolved site=y 0", "resolved site=z 0"]
        );
    }
}

#[test]
fn the_rules_of_other_external_labels_resolve_with_them() {
    let mut world = World::default();
    world.load(MINUTE, &["a 6x9"]);
    let file = "groups: [{name: g, rules: [{alert: A, expr: a > 5}]}]";
    let with = |site: &str| Defaults {
        external_labels: labels(&[("site", site)]),
        ..Defaults::default()
    };
    let mut old = group_with(file, &with("x"));
    old.evaluate(0, &mut world);
    let told =
        |closed: Closed| -> Vec<_> { closed.updates.iter().map(super::world::short).collect() };
    // The group is gone after the restart, or only its rule.
    let gone = old.save().close(&with("y"), MINUTE);
    assert_eq!(told(gone), ["resolved site=x 0"]);
    let mut other = group_with(
        "groups: [{name: g, rules: [{alert: B, expr: a > 5}]}]",
        &with("y"),
    );
    assert_eq!(
        told(other.restore(old.save(), MINUTE)),
        ["resolved site=x 0"]
    );
}

#[test]
fn an_unknown_alert_stays_unknown_with_other_external_labels() {
    let mut world = World::default();
    world.load(MINUTE, &["a 6x1"]);
    let file = "groups: [{name: g, rules: [{alert: A, expr: a > 5}]}]";
    let mut old = group(file);
    old.evaluate(0, &mut world);
    world.unreadable = vec![("a".to_owned(), MINUTE)];
    assert_eq!(
        shorts(&old.evaluate(10 * MINUTE, &mut world)),
        ["unknown 0"]
    );
    let defaults = Defaults {
        external_labels: labels(&[("site", "y")]),
        ..Defaults::default()
    };
    let mut new = group_with(file, &defaults);
    let closed = new.restore(old.save(), 11 * MINUTE);
    let told: Vec<_> = closed.updates.iter().map(super::world::short).collect();
    assert_eq!(told, ["resolved 0", "unknown site=y 0"]);
    assert_eq!(
        shorts(&new.evaluate(11 * MINUTE, &mut world)),
        Vec::<String>::new()
    );
}

#[test]
fn a_removed_group_is_resolved() {
    let mut world = World::default();
    world.load(MINUTE, &["a 6x9"]);
    let mut group =
        group("groups: [{name: g, rules: [{record: b, expr: a}, {alert: A, expr: a > 5}]}]");
    group.evaluate(0, &mut world);
    let closed = group.close(MINUTE);
    assert_eq!((closed.updates.len(), closed.samples.len()), (1, 3));
}

#[test]
fn two_rules_with_one_name_keep_their_own_state() {
    let mut world = World::default();
    world.load(MINUTE, &["a{x='1'} 6x9", "a{x='2'} 9x9"]);
    let file = [
        "alert: A, expr: 'a{x=\"1\"} > 5'",
        "alert: A, expr: 'a{x=\"2\"} > 5', for: 5m",
    ];
    let mut old = rules(&file);
    old.evaluate(0, &mut world);
    let saved = old.save();
    let mut adopted = rules(&file);
    adopted.adopt(old, MINUTE);
    let mut restored = rules(&file);
    restored.restore(saved, MINUTE);
    for mut group in [adopted, restored] {
        assert_eq!(
            shorts(&group.evaluate(MINUTE, &mut world)),
            Vec::<String>::new()
        );
        let counts: Vec<_> = group.rules().map(|rule| rule.alerts().count()).collect();
        assert_eq!(counts, [1, 1]);
    }
}

#[test]
fn a_restored_state_is_bounded() {
    let mut world = World::default();
    world.load(MINUTE, &["a{x='1'} 6x9", "a{x='2'} 9x9", "a{x='3'} 9x9"]);
    let file = "groups: [{name: g, rules: [{alert: A, expr: a > 5}]}]";
    let mut group = group(file);
    group.evaluate(0, &mut world);
    let mut defaults = Defaults::default();
    defaults.limits.alerts = 2;
    let mut small = group_with(file, &defaults);
    small.restore(group.save(), MINUTE);
    assert_eq!(small.alert_count(), 2);
    defaults.limits.label_bytes = 5;
    let mut small = group_with(file, &defaults);
    small.restore(group.save(), MINUTE);
    assert_eq!(small.alert_count(), 0);

    let mut saved = group.save();
    assert_eq!((saved.truncate(3), saved.truncate(1)), (0, 2));
    let mut restored = group_with(file, &Defaults::default());
    restored.restore(saved, MINUTE);
    assert_eq!(restored.alert_count(), 1);
}
