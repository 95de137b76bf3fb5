//! How much memory alerts take.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;

use vigie_notify::dispatch::{Dispatcher, Limits, Outcome, Plan};
use vigie_notify::outbox::{Outbox, Target};
use vigie_notify::{Alert, config};
use vigie_promql::Labels;
use vigie_testkit::allocator::{Counting, process};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ALERTS: usize = 10_000;
const MOST: usize = 2 * 1024;

fn alert(number: usize) -> Alert {
    let number = number.to_string();
    let labels = [
        ("alertname", "QueueIsNotProcessed"),
        ("instance", "backend-1.example.org:9000"),
        ("job", "backend"),
        ("queue", &number),
        ("severity", "critical"),
        ("team", "platform"),
    ];
    let mut alert = Alert::firing(Labels::new(labels), 0);
    let text = format!("The queue {number} has had waiting jobs and no active ones for 10 minutes");
    let annotations = [
        ("summary", &*text),
        (
            "runbook_url",
            "https://example.org/runbooks/QueueIsNotProcessed",
        ),
    ];
    let annotations = annotations.iter();
    alert.annotations = annotations
        .map(|(name, text)| (Arc::from(*name), Arc::from(*text)))
        .collect();
    alert
}

/// The memory that an alert takes when its messages were delivered, and while they are sent.
fn measure(group_by: &str) -> (usize, usize) {
    let text = format!(
        "route: {{receiver: ops, group_by: {group_by}}}\n\
         receivers: [{{name: ops, webhook_configs: [{{url: 'http://x'}}], slack_configs: [{{api_url: 'http://x'}}]}}]\n\
         inhibit_rules: [{{source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [queue]}}]\n"
    );
    let plan = Plan::new(&config::load(&text).unwrap());
    let limits = Limits {
        alerts: ALERTS,
        ..Limits::default()
    };
    let before = process::held();
    let mut dispatcher = Dispatcher::new(plan, limits);
    for number in 0..ALERTS {
        dispatcher.observe(0, alert(number)).unwrap();
    }
    assert!(dispatcher.observe(0, alert(ALERTS)).is_err());
    let mut outbox = Outbox::new(20);
    let decided = dispatcher.advance(30_000).notifications;
    let groups = decided.len();
    decided.into_iter().for_each(|one| outbox.push(one));
    let (sending, later) = outbox.next(30_000, || dispatcher.inhibitors(30_000));
    assert_eq!(
        (sending.len(), later.len()),
        (2, 0),
        "one message for each integration"
    );
    for id in sending.iter().flat_map(|sending| &sending.ids) {
        dispatcher.attempt(*id);
    }
    let sent: usize = sending.iter().map(|sending| sending.ids.len()).sum();
    assert_eq!(sent, groups);
    // The changes are written and dropped.
    drop(dispatcher.take_changes());
    let in_flight = process::held() - before;
    let targets: Vec<Target> = sending
        .iter()
        .map(|sending| sending.target.clone())
        .collect();
    drop(sending);
    for target in targets {
        let settled = outbox.finish(30_000, &target, Ok(()), 0.0).unwrap();
        for id in settled.ids {
            dispatcher.outcome(id, Outcome::Delivered);
        }
    }
    drop(dispatcher.take_changes());
    assert_eq!(dispatcher.alerts().count(), ALERTS);
    let taken = process::held() - before;
    drop(dispatcher);
    (taken / ALERTS, in_flight / ALERTS)
}

#[test]
fn ten_thousand_alerts_take_at_most_2_kib_each() {
    for group_by in ["[severity]", "['...']"] {
        let (bytes, in_flight) = measure(group_by);
        println!("{group_by}: {bytes} bytes each, {in_flight} while their messages are sent");
        assert!(bytes <= MOST, "{bytes} bytes each, grouped by {group_by}");
        assert!(
            in_flight <= MOST * 5 / 4,
            "{in_flight} bytes each in flight, grouped by {group_by}"
        );
    }
}
