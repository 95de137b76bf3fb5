//! Any message is within the limits of every service.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use vigie_notify::{Alert, Message};
use vigie_testkit::receivers::{Service, is_mrkdwn};

use super::services::{ALL, Pair, alert, message};

/// Texts with markup, control characters, characters outside of the basic plane, and long ones.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,20}",
        "[ -~\\n\\t]{0,40}",
        Just("<b>&amp;\"'`*_[x](y)</b>\\".to_owned()),
        Just("\u{0}\u{1}\u{7f}\u{2028}\u{202e}".to_owned()),
        Just("👨‍👩‍👧‍👦e\u{301}".repeat(40)),
        Just("<@&123> @everyone <!here> &lt;".to_owned()),
    ];
    (
        proptest::collection::vec(piece, 0..6),
        prop_oneof![9 => Just(1_usize), 1 => 1..100_usize],
    )
        .prop_map(|(pieces, times)| pieces.concat().repeat(times))
}

fn alerts(most: usize) -> impl Strategy<Value = Vec<Alert>> {
    let one = (
        text(),
        text(),
        text(),
        prop_oneof![Just(None), any::<f64>().prop_map(Some)],
    );
    proptest::collection::vec(one, 0..most).prop_map(|all| {
        let each = all.into_iter().enumerate();
        each.map(|(at, (label, summary, description, value))| {
            let number = at.to_string();
            let mut alert = alert(
                &[
                    ("alertname", "Slow"),
                    ("number", &number),
                    ("label", &label),
                ],
                &[
                    ("summary", &summary),
                    ("description", &description),
                    ("runbook_url", &label),
                ],
            );
            alert.value = value;
            alert
        })
        .collect()
    })
}

fn messages() -> impl Strategy<Value = Message> {
    (alerts(12), alerts(6)).prop_map(|(firing, mut resolved)| {
        for alert in &mut resolved {
            alert.ends_at = Some(1_700_000_100_000);
        }
        message(firing, resolved)
    })
}

#[test]
fn any_message_is_accepted() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut pairs = Vec::new();
    for (service, _) in ALL {
        pairs.push((service, runtime.block_on(Pair::new(service))));
    }
    let config = Config {
        cases: 24,
        max_shrink_iters: 50,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&messages(), |message| {
        for (service, pair) in &pairs {
            let sent = runtime.block_on(pair.send(&message));
            let posted = pair.server.last().unwrap();
            prop_assert!(posted.refused.is_none(), "{service:?} {:?}", posted.refused);
            prop_assert!(sent.is_ok(), "{service:?} {sent:?}");
            if *service == Service::Slack {
                let attachment = &posted.json()["attachments"][0];
                for name in ["title", "text", "fallback"] {
                    let text = attachment[name].as_str().unwrap_or_default();
                    prop_assert!(is_mrkdwn(text), "{name}: {text}");
                }
            }
        }
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn ten_thousand_alerts_fit() {
    let all = (0..10_000).map(|at| {
        let number = at.to_string();
        alert(
            &[("alertname", "Slow"), ("number", &number)],
            &[("summary", "a summary with & and <b>")],
        )
    });
    let message = message(all.collect(), vec![]);
    for (service, _) in ALL {
        let pair = Pair::new(service).await;
        pair.deliver(&message).await;
    }
}
