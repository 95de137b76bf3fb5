//! An alert whose source cannot be read is unknown, and not resolved.

use super::world::{World, rules, shorts};

const MINUTE: i64 = 60_000;

/// The updates of evaluations a minute apart. `sources` has a character for each: `.` if `a` can be read, `u` if not.
fn run(rule: &str, series: &[&str], sources: &str) -> Vec<String> {
    let mut world = World::default();
    world.load(MINUTE, series);
    let mut group = rules(&[rule]);
    let mut since = None;
    let evaluations = sources.chars().enumerate().map(|(minute, source)| {
        let at = minute as i64 * MINUTE;
        since = (source == 'u').then(|| since.unwrap_or(at));
        world.unreadable = since
            .map(|since| ("a".to_owned(), since))
            .into_iter()
            .collect();
        shorts(&group.evaluate(at, &mut world)).join("; ")
    });
    evaluations.collect()
}

#[test]
fn a_lost_series_is_unknown_until_the_condition_is_observed_to_be_false() {
    let told = run("alert: A, expr: a > 5", &["a 6 stale _ 1 1"], ".uu..");
    assert_eq!(told, ["firing 0", "unknown 0", "", "resolved 0", ""]);
}

#[test]
fn the_same_alert_continues_if_the_condition_still_holds() {
    let rule = "alert: A, expr: a > 5, for: 2m";
    let told = run(rule, &["a 6 6 6 stale _ 6 6 6 1"], "...uu....");
    // By verdict it is pending again in minutes 5 and 6.
    assert_eq!(
        told,
        [
            "",
            "",
            "firing 120",
            "unknown 120",
            "",
            "firing 120",
            "",
            "",
            "resolved 120"
        ]
    );
}

#[test]
fn one_series_of_several() {
    let told = run(
        "alert: A, expr: a > 5",
        &["a{x='1'} 6 6 6 6", "a{x='2'} 6 stale"],
        ".uu.",
    );
    assert_eq!(
        told,
        [
            "firing x=1 0; firing x=2 0",
            "unknown x=2 0",
            "",
            "resolved x=2 0"
        ]
    );
}

#[test]
fn a_pending_alert_is_dropped() {
    let told = run(
        "alert: A, expr: a > 5, for: 5m",
        &["a 6 stale _ _ 1"],
        ".uu..",
    );
    assert_eq!(told, ["", "", "", "", ""]);
}

#[test]
fn absent_fires_as_in_prometheus_and_honours_for() {
    let told = run(
        "alert: A, expr: absent(a), for: 1m",
        &["a 6 stale _ _ 6"],
        ".uuu.",
    );
    assert_eq!(told, ["", "", "firing 120", "", "resolved 120"]);
}

#[test]
fn a_default_value_says_nothing_about_an_unreadable_metric() {
    let told = run(
        "alert: A, expr: '(sum(a) or vector(0)) > 5'",
        &["a 6 stale _ 1"],
        ".uu.",
    );
    assert_eq!(told, ["firing 0", "unknown 0", "", "resolved 0"]);
    // The verdict is that of Prometheus.
    let told = run(
        "alert: A, expr: '(sum(a) or vector(0)) < 5'",
        &["a 6 stale _ 6"],
        ".uu.",
    );
    assert_eq!(told, ["", "firing 60", "", "resolved 60"]);
}

#[test]
fn a_range_must_be_filled_after_a_long_outage() {
    let series = ["a 0+600x6 stale _x7 9000+600x9"];
    let told = run(
        "alert: A, expr: 'rate(a[3m]) > 5'",
        &series,
        "......uuuuuuuuu..........",
    );
    assert_eq!(told[2], "firing 120");
    assert_eq!(told[8], "unknown 120");
    // In minutes 15 and 16 the range holds one and two samples, too few for a rate above the threshold.
    assert!(told[9..17].iter().all(String::is_empty), "{told:?}");
    assert_eq!(told[17], "firing 120");
    let series = ["a 0+600x6 stale _x7 9000x9"];
    let told = run(
        "alert: A, expr: 'rate(a[3m]) > 5'",
        &series,
        "......uuuuuuuuu..........",
    );
    let resolved: Vec<_> = told
        .iter()
        .enumerate()
        .filter(|(_, told)| *told == "resolved 120")
        .map(|(at, _)| at)
        .collect();
    assert_eq!(resolved, [18]);
}

#[test]
fn an_alert_that_is_kept_firing_is_unknown_too() {
    let rule = "alert: A, expr: a > 5, keep_firing_for: 3m";
    let told = run(rule, &["a 6 stale _ _ _ 1 1"], ".uuuuu..");
    assert_eq!(
        told,
        ["firing 0", "unknown 0", "", "", "", "", "resolved 0", ""]
    );
    let told = run(rule, &["a 6 stale 1 1 1 1"], ".u....");
    assert_eq!(
        told,
        ["firing 0", "unknown 0", "firing 0", "", "resolved 0", ""]
    );
}

#[test]
fn unknown_survives_a_restart() {
    let mut world = World::default();
    world.load(MINUTE, &["a 6 stale _ _ 1"]);
    let rule = "alert: A, expr: a > 5";
    let mut group = rules(&[rule]);
    group.evaluate(0, &mut world);
    world.unreadable = vec![("a".to_owned(), 30_000)];
    let evaluation = group.evaluate(MINUTE, &mut world);
    assert_eq!(evaluation.updates[0].unknown_since, Some(30_000));
    let saved = group.save();
    let mut group = rules(&[rule]);
    group.restore(saved, 2 * MINUTE);
    assert_eq!(
        group
            .updates()
            .next()
            .and_then(|update| update.unknown_since),
        Some(30_000)
    );
    assert_eq!(
        shorts(&group.evaluate(3 * MINUTE, &mut world)),
        Vec::<String>::new()
    );
    world.unreadable.clear();
    assert_eq!(
        shorts(&group.evaluate(4 * MINUTE, &mut world)),
        ["resolved 0"]
    );
}

#[test]
fn an_unknown_alert_is_shown() {
    let mut world = World::default();
    world.load(MINUTE, &["a 6 stale"]);
    let mut group = rules(&["alert: A, expr: a > 5"]);
    group.evaluate(0, &mut world);
    world.unreadable = vec![("a".to_owned(), MINUTE)];
    group.evaluate(MINUTE, &mut world);
    let rule = group.rules().next().unwrap();
    let alerts: Vec<_> = rule
        .alerts()
        .map(|alert| (alert.state, alert.active_at, alert.unknown_since))
        .collect();
    assert_eq!(alerts, [(None, 0, Some(MINUTE))]);
    assert_eq!(group.alert_count(), 1);
    // Its series has ended, as in Prometheus.
    assert_eq!(world.query("ALERTS", MINUTE), Vec::<String>::new());
}
