//! Side by side with a real Alertmanager: the same messages and group keys, the same silences accepted.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use vigie_notify::dispatch::{Dispatcher, Limits, Outcome, Plan};
use vigie_notify::matcher::{MatchOp, Matcher};
use vigie_notify::silence::{Draft, Silences};
use vigie_notify::{Alert, Time, config};
use vigie_promql::Labels;
use vigie_testkit::webhook::Status;
use vigie_testkit::{Alertmanager, SOON, Webhook, http};

fn rfc3339(time: Time) -> String {
    Timestamp::from_millisecond(time).unwrap().to_string()
}

async fn post(alertmanager: &Alertmanager, path: &str, body: &Value) -> u16 {
    let headers = [("content-type", "application/json")];
    let body = body.to_string();
    let answer = http::request(alertmanager.addr(), "POST", path, &headers, body.as_bytes());
    answer.await.unwrap().status
}

/// A group key, and the alerts of a message with their status.
type Message = (String, BTreeSet<(bool, Labels)>);

/// Alertmanager and the dispatcher, which get the same alerts. The dispatcher's clock is a virtual one.
struct Both {
    alertmanager: Alertmanager,
    webhook: Webhook,
    past: usize,
    dispatcher: Dispatcher,
    now: Time,
}

impl Both {
    async fn start(routes: &str) -> Self {
        let webhook = Webhook::start().await.unwrap();
        let config = format!(
            "route:\n  receiver: all\n  group_wait: 0s\n  group_interval: 100ms\n  repeat_interval: 1h\n{routes}\n\
             receivers: [{{name: all, webhook_configs: [{{url: '{}'}}]}}]\n",
            webhook.url()
        );
        let plan = Plan::new(&config::load(&config).unwrap());
        Self {
            alertmanager: Alertmanager::start(&config).await.unwrap(),
            webhook,
            past: 0,
            dispatcher: Dispatcher::new(plan, Limits::default()),
            now: 0,
        }
    }

    /// Both get an alert, and must send the same messages, one for each of so many groups.
    async fn step(&mut self, labels: &Labels, fires: bool, groups: usize) {
        let mut alert = Alert::firing(labels.clone(), self.now);
        alert.ends_at = (!fires).then_some(self.now);
        self.dispatcher.observe(self.now, alert).unwrap();
        let mut ours: BTreeSet<Message> = BTreeSet::new();
        self.now += 100;
        for sent in self.dispatcher.advance(self.now).notifications {
            self.dispatcher.outcome(sent.id, Outcome::Delivered);
            let firing = sent.firing.iter().map(|alert| (true, alert.labels.clone()));
            let resolved = sent.resolved.iter();
            let resolved = resolved.map(|alert| (false, alert.labels.clone()));
            ours.insert((sent.group_key, firing.chain(resolved).collect()));
        }
        assert_eq!(ours.len(), groups, "{ours:?}");

        let ends_at = if fires {
            "2100-01-01T00:00:00Z"
        } else {
            "2020-01-01T00:00:01Z"
        };
        let pairs = labels.iter();
        let pairs = pairs.map(|(name, value)| (name.to_owned(), Value::from(value)));
        let alert = json!([{
            "labels": Value::Object(pairs.collect()),
            "startsAt": "2020-01-01T00:00:00Z",
            "endsAt": ends_at,
        }]);
        assert_eq!(
            post(&self.alertmanager, "/api/v2/alerts", &alert).await,
            200
        );
        let expected = ours.iter().map(|(_, alerts)| alerts.len()).sum::<usize>();
        let deadline = tokio::time::Instant::now() + SOON;
        let theirs = loop {
            let alerts = self.webhook.alerts().unwrap();
            if alerts.len() >= self.past + expected {
                break alerts[self.past..].to_vec();
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{ours:?} {alerts:?}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        self.past += theirs.len();
        let mut messages: BTreeMap<String, BTreeSet<(bool, Labels)>> = BTreeMap::new();
        for alert in theirs {
            let firing = alert.status == Status::Firing;
            let message = messages.entry(alert.group_key).or_default();
            message.insert((firing, Labels::new(alert.labels)));
        }
        assert_eq!(ours, messages.into_iter().collect());
    }
}

fn labels(text: &str) -> Labels {
    let pairs = text.split(' ');
    Labels::new(pairs.map(|pair| pair.split_once('=').unwrap()))
}

#[tokio::test]
async fn the_same_messages_in_the_same_order() {
    let mut both = Both::start("  group_by: [team]").await;
    let alert = |text| labels(text);
    let (a, b, c) = (
        alert("alertname=A team=x"),
        alert("alertname=B team=x"),
        alert("alertname=C team=y"),
    );
    for (alert, fires) in [
        (&a, true),
        (&b, true),
        (&c, true),
        (&a, false),
        (&a, true),
        (&b, false),
        (&a, false),
        (&c, false),
        (&c, true),
    ] {
        both.step(alert, fires, 1).await;
    }
}

#[tokio::test]
async fn the_same_keys_of_groups() {
    let routes = "
  group_by: [alertname, other]
  routes:
    - matchers: ['team=~\"a|b\"', 'x != \"q\\\"\\\\\"', alertname!='']
      continue: true
      routes: [{match: {y: z}, group_by: ['...']}]
    - match_re: {team: 'a.*'}
      group_by: [team]
";
    let mut both = Both::start(routes).await;
    for (text, groups) in [
        ("alertname=A", 1),
        ("alertname=A team=a", 2),
        ("alertname=A team=b y=z", 1),
        ("alertname=B team=a y=z text=é\t\"\\\u{1}\u{200b}", 2),
    ] {
        both.step(&labels(text), true, groups).await;
    }
}

#[tokio::test]
async fn the_same_silences_are_accepted() {
    let alertmanager = Alertmanager::start("route: {receiver: a}\nreceivers: [{name: a}]").await;
    let alertmanager = alertmanager.unwrap();
    let now = Timestamp::now().as_millisecond();
    let hour: Time = 3_600_000;
    for (matchers, start, end) in [
        (&[][..], 0, hour),
        (&[("a", MatchOp::Equal, "b")], 0, hour),
        (&[("a", MatchOp::Equal, "b")], -hour, hour),
        (&[("a", MatchOp::Equal, "b")], hour, 2 * hour),
        (&[("a", MatchOp::Equal, "b")], -2 * hour, -hour),
        (&[("a", MatchOp::Equal, "b")], hour, hour),
        (&[("a", MatchOp::Equal, "b")], hour, 0),
        (&[("a", MatchOp::Equal, "")], 0, hour),
        (&[("a", MatchOp::Match, ".*")], 0, hour),
        (&[("a", MatchOp::Match, ".+")], 0, hour),
        (&[("a", MatchOp::NotEqual, "b")], 0, hour),
        (&[("a", MatchOp::NotMatch, "b")], 0, hour),
        (&[("a", MatchOp::NotEqual, "")], 0, hour),
        (
            &[("a", MatchOp::Equal, ""), ("c", MatchOp::Equal, "d")],
            0,
            hour,
        ),
        (&[("", MatchOp::Equal, "b")], 0, hour),
    ] {
        let matchers = matchers.iter();
        let matchers: Vec<_> = matchers
            .map(|(name, op, value)| Matcher::new(*name, *op, *value).unwrap())
            .collect();
        let body = json!({
            "matchers": matchers,
            "startsAt": rfc3339(now + start),
            "endsAt": rfc3339(now + end),
            "createdBy": "ops",
            "comment": "a test",
        });
        let theirs = post(&alertmanager, "/api/v2/silences", &body).await == 200;
        let draft = Draft {
            id: None,
            matchers,
            starts_at: now + start,
            ends_at: now + end,
            created_by: "ops".into(),
            comment: "a test".into(),
        };
        let ours = Silences::default().set(now, draft, || "x".into());
        assert_eq!(ours.is_ok(), theirs, "{body} {ours:?}");
    }
}
