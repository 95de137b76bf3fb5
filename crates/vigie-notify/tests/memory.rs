//! How much memory alerts take.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use vigie_notify::dispatch::{Dispatcher, Limits, Outcome, Plan};
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

/// The memory that alerts take, and the number of messages for them.
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
    let sent = dispatcher.advance(30_000).notifications;
    let messages = sent.len();
    for sent in sent {
        dispatcher.outcome(sent.id, Outcome::Delivered);
    }
    assert_eq!(dispatcher.alerts().count(), ALERTS);
    let taken = process::held() - before;
    drop(dispatcher);
    (taken / ALERTS, messages)
}

#[test]
fn ten_thousand_alerts_take_at_most_2_kib_each() {
    for (group_by, expected) in [("[severity]", 2), ("['...']", 2 * ALERTS)] {
        let (bytes, messages) = measure(group_by);
        assert!(bytes <= MOST, "{bytes} bytes each, grouped by {group_by}");
        assert_eq!(messages, expected, "grouped by {group_by}");
    }
}
