use std::time::Duration;

use super::*;
use crate::alert::Alert;
use crate::dispatch::Reason;

const SECOND: Time = 1_000;
const MINUTE: Time = 60 * SECOND;

fn labels(text: &str) -> Labels {
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.split(' ').filter(|pair| !pair.is_empty());
    let rest = rest.map(|pair| pair.split_once('=').unwrap());
    Labels::new([("alertname", name)].into_iter().chain(rest))
}

fn notification(id: u64, receiver: &str, group: &str, alerts: &[&str]) -> Notification {
    let firing = alerts.iter().enumerate();
    let firing = firing.map(|(at, text)| Arc::new(Alert::firing(labels(text), at as Time)));
    Notification {
        id,
        receiver: receiver.into(),
        integration: "slack/0".into(),
        group_key: group.to_owned(),
        group_labels: labels(group),
        reason: Reason::First,
        at: 0,
        firing: firing.collect(),
        resolved: Vec::new(),
    }
}

fn failure(cause: Cause) -> Failure {
    Failure {
        cause,
        retry_after: None,
        text: format!("{cause:?}"),
    }
}

/// The identifiers of messages, and the time at which they are decided upon again.
type Later = (Vec<u64>, Time);

struct World {
    outbox: Outbox,
    now: Time,
    id: u64,
}

impl World {
    fn new(per_minute: usize) -> Self {
        Self {
            outbox: Outbox::new(per_minute),
            now: 0,
            id: 0,
        }
    }

    fn push(&mut self, receiver: &str, group: &str) -> u64 {
        self.id += 1;
        self.outbox
            .push(notification(self.id, receiver, group, &[group]));
        self.id
    }

    /// The identifiers in each message to send, and those of the messages handed back, with their times.
    fn next(&mut self) -> (Vec<Vec<u64>>, Vec<Later>) {
        let (sending, settled) = self.outbox.next(self.now, BTreeMap::new);
        let later = settled.into_iter().map(|settled| {
            assert_eq!(settled.outcome, Outcome::Failed);
            (settled.ids, settled.retry.unwrap())
        });
        let sending = sending.into_iter().map(|sending| sending.ids);
        (sending.collect(), later.collect())
    }

    fn finish(&mut self, receiver: &str, result: Result<(), Cause>) -> Settled {
        let result = result.map_err(failure);
        let finished =
            self.outbox
                .finish(self.now, &target(receiver), result.as_ref().copied(), 0.0);
        finished.unwrap()
    }

    fn failing(&mut self) -> Vec<(String, Cause, Time)> {
        let failing = self.outbox.failing(self.now).into_iter();
        failing
            .map(|(target, failing)| (target.to_string(), failing.cause, failing.since))
            .collect()
    }
}

fn target(receiver: &str) -> Target {
    Target {
        receiver: receiver.into(),
        integration: "slack/0".into(),
    }
}

#[test]
fn one_message_at_a_time_in_order_and_receivers_apart() {
    let mut world = World::new(20);
    for group in ["A", "B", "C"] {
        world.push("ops", group);
    }
    world.push("web", "A");
    assert_eq!(world.next(), (vec![vec![1], vec![4]], vec![]));
    assert_eq!(world.next(), (vec![], vec![]));
    let settled = world.finish("ops", Ok(()));
    assert_eq!((settled.outcome, settled.retry), (Outcome::Delivered, None));
    assert_eq!(world.next(), (vec![vec![2]], vec![]));
    assert!(world.failing().is_empty());
}

#[test]
fn a_failure_of_a_receiver_delays_all_of_its_messages() {
    let mut world = World::new(20);
    world.push("ops", "A");
    world.next();
    world.push("ops", "B");
    let settled = world.finish("ops", Err(Cause::Server));
    assert_eq!(
        (settled.outcome, settled.retry),
        (Outcome::Failed, Some(5 * SECOND))
    );
    assert_eq!(world.next(), (vec![], vec![(vec![2], 5 * SECOND)]));
    world.now = 5 * SECOND;
    world.push("ops", "B");
    assert_eq!(world.next().0, [[3]]);
    let settled = world.finish("ops", Err(Cause::NoAnswer));
    assert_eq!(
        (settled.outcome, settled.retry),
        (Outcome::Unsure, Some(15 * SECOND))
    );
}

#[test]
fn a_refused_message_delays_only_its_group() {
    for cause in [Cause::Refused, Cause::Template] {
        let mut world = World::new(20);
        world.push("ops", "A");
        world.push("ops", "B");
        world.next();
        assert_eq!(world.finish("ops", Err(cause)).retry, Some(MINUTE));
        assert_eq!(world.next().0, [[2]]);
        world.finish("ops", Ok(()));
        assert_eq!(world.failing(), [("ops/slack/0".to_owned(), cause, 0)]);
        world.now = MINUTE;
        world.push("ops", "A");
        world.next();
        assert_eq!(world.finish("ops", Err(cause)).retry, Some(3 * MINUTE));
        world.now = 3 * MINUTE;
        world.push("ops", "A");
        world.next();
        world.finish("ops", Ok(()));
        assert!(world.failing().is_empty());
    }
}

#[test]
fn a_refused_message_that_is_not_needed_any_more_is_forgotten() {
    let mut world = World::new(20);
    world.push("ops", "A");
    world.next();
    world.finish("ops", Err(Cause::Refused));
    world.now = MINUTE;
    assert_eq!(world.failing().len(), 1);
    world.now = 2 * MINUTE;
    assert!(world.failing().is_empty());
}

#[test]
fn causes_that_need_a_person_are_reported_at_once() {
    for (cause, at_once) in [
        (Cause::Credentials, true),
        (Cause::NotFound, true),
        (Cause::Tls, true),
        (Cause::Settings, true),
        (Cause::Template, true),
        (Cause::Refused, true),
        (Cause::RateLimited, false),
        (Cause::Server, false),
        (Cause::Unreachable, false),
        (Cause::NoAnswer, false),
        (Cause::Answer, false),
    ] {
        let mut world = World::new(20);
        world.push("ops", "A");
        world.next();
        world.finish("ops", Err(cause));
        assert_eq!(!world.failing().is_empty(), at_once, "{cause:?}");
    }
}

#[test]
fn temporary_failures_are_reported_after_a_minute_and_forgotten_after_an_hour() {
    let mut world = World::new(20);
    let mut times = Vec::new();
    for _ in 0..5 {
        world.push("ops", "A");
        world.next();
        let retry = world.finish("ops", Err(Cause::Server)).retry.unwrap();
        times.push((retry / SECOND, world.failing().len()));
        world.now = retry;
    }
    // At 35 s it is known that it fails until 75 s.
    assert_eq!(times, [(5, 0), (15, 0), (35, 0), (75, 1), (155, 1)]);
    world.now += 59 * MINUTE;
    assert_eq!(world.failing().len(), 1);
    world.now += MINUTE;
    assert!(world.failing().is_empty());
}

#[test]
fn the_wait_that_a_receiver_asks_for() {
    let mut world = World::new(20);
    world.push("ops", "A");
    world.next();
    let failure = Failure {
        retry_after: Some(Duration::from_secs(40)),
        ..failure(Cause::RateLimited)
    };
    let settled = world.outbox.finish(0, &target("ops"), Err(&failure), 0.0);
    assert_eq!(settled.unwrap().retry, Some(40 * SECOND));
}

#[test]
fn a_flood_becomes_one_message_a_minute() {
    let mut world = World::new(3);
    for group in ["A", "B", "C"] {
        world.push("ops", group);
        assert_eq!(world.next().0.len(), 1);
        world.finish("ops", Ok(()));
        world.now += SECOND;
    }
    world.push("ops", "D");
    assert_eq!(world.next(), (vec![], vec![(vec![4], MINUTE)]));
    world.now = MINUTE;
    for group in ["D", "E"] {
        world.push("ops", group);
    }
    // One place is free.
    assert_eq!(world.next().0, [[5, 6]]);
    world.finish("ops", Ok(()));
    world.now += 2 * SECOND;
    for group in ["F", "G", "H"] {
        world.push("ops", group);
    }
    // Now two are, and the summary takes both.
    assert_eq!(world.next().0, [[7, 8, 9]]);
    world.finish("ops", Ok(()));
    world.push("ops", "I");
    assert_eq!(world.next(), (vec![], vec![(vec![10], 2 * MINUTE)]));
}

#[test]
fn a_summary_names_the_likely_cause_first() {
    let many = [
        notification(
            1,
            "ops",
            "slow",
            &[
                "Slow severity=warning host=a",
                "Slow severity=warning host=b",
            ],
        ),
        notification(
            2,
            "ops",
            "late",
            &["Late severity=warning", "Stalled severity=critical"],
        ),
        notification(3, "ops", "down", &["Other severity=warning", "Down host=x"]),
    ];
    let message = summary::message(&many, &BTreeMap::new());
    assert_eq!(
        message.summary.as_deref(),
        Some(
            "3 messages in one; the likely cause is Stalled{severity=\"critical\"}; 6 firing: 2 × Slow, 1 × Down, 1 × Late, 1 × Other, 1 × Stalled"
        )
    );
    assert_eq!(message.group_key, "late");
    assert_eq!(message.firing[0].labels.get("alertname"), "Stalled");
    let (name, text) = &message.firing[0].annotations[0];
    assert_eq!(
        (&**name, Some(&**text)),
        ("summary", message.summary.as_deref())
    );
    assert_eq!(message.firing.len(), 6);

    let inhibitors = BTreeMap::from([
        (labels("Down host=x"), 7),
        (labels("Late severity=warning"), 2),
    ]);
    let message = summary::message(&many, &inhibitors);
    assert_eq!(message.group_key, "down");
    let names = message
        .firing
        .iter()
        .map(|alert| alert.labels.get("alertname"));
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["Down", "Late", "Stalled", "Slow", "Other", "Slow"]
    );
    // A cause of which a message was sent before.
    let inhibitors = BTreeMap::from([(labels("Gone"), 7)]);
    let message = summary::message(&many, &inhibitors);
    assert!(
        message
            .summary
            .unwrap()
            .contains("the likely cause is Gone;")
    );
    assert_eq!(message.group_key, "slow");
}

#[test]
fn a_summary_lists_a_bounded_number_of_alerts() {
    let names: Vec<String> = (0..70).map(|number| format!("N{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut one = notification(1, "ops", "a", &names);
    let two = notification(2, "ops", "b", &["N1"]);
    one.resolved = notification(3, "ops", "c", &names).firing;
    let message = summary::message(&[one, two], &BTreeMap::new());
    assert_eq!((message.firing.len(), message.resolved.len()), (50, 50));
    let summary = message.summary.unwrap();
    assert!(
        summary.contains(
            "70 firing: 1 × N0, 1 × N1, 1 × N10, 1 × N11, 1 × N12, 65 others; 70 resolved"
        ),
        "{summary}"
    );
}
