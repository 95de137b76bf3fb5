//! The bodies of webhooks, compared with those of a real Alertmanager for the same alerts.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};
use vigie_notify::deliver::{Sender, Settings};
use vigie_notify::template::Links;
use vigie_notify::{Alert, Message, Time, config};
use vigie_promql::Labels;
use vigie_testkit::receivers::{Receiver, Service};
use vigie_testkit::{Alertmanager, SOON, eventually, http};

/// Alerts, and whether each fires.
fn alerts(start: Time) -> Vec<(Alert, bool)> {
    let alert = |labels: &[(&str, &str)], annotations: &[(&str, &str)], start| {
        let mut alert = Alert::firing(Labels::new(labels.to_vec()), start);
        let annotations = annotations.iter();
        alert.annotations = annotations
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        alert.generator_url = "http://p.example.org/graph?g0.expr=a+%3E+1&g0.tab=1".into();
        (alert, true)
    };
    let odd = "<&>\"'\\ é \u{2028} \u{1} \u{7f} \t 😀";
    vec![
        alert(
            &[("alertname", "B"), ("team", "x"), ("job", "j")],
            &[],
            start,
        ),
        alert(
            &[("alertname", "A"), ("team", "x"), ("z", odd)],
            &[("summary", odd)],
            start,
        ),
        alert(
            &[("alertname", "C"), ("team", "x")],
            &[("summary", "s"), ("a", "")],
            start / 1000 * 1000,
        ),
        alert(
            &[("alertname", "A"), ("team", "x"), ("instance", "i")],
            &[("summary", "s")],
            start,
        ),
        alert(
            &[("alertname", "D"), ("team", "x"), ("job", "i"), ("zz", "1")],
            &[],
            start,
        ),
    ]
}

struct External(String);

impl Links for External {
    fn external_url(&self) -> &str {
        &self.0
    }

    fn dashboard(&self, _: &Alert) -> Option<String> {
        None
    }

    fn acknowledge(&self, _: &Alert) -> Option<String> {
        None
    }
}

fn configuration(url: &str, max_alerts: u64) -> String {
    format!(
        "route: {{receiver: all, group_by: [team], group_wait: 3s, group_interval: 1s, repeat_interval: 1h}}\n\
         receivers: [{{name: all, webhook_configs: [{{url: '{url}', max_alerts: {max_alerts}}}]}}]\n"
    )
}

fn rfc3339(time: Time) -> String {
    Timestamp::from_millisecond(time).unwrap().to_string()
}

async fn post(alertmanager: &Alertmanager, alerts: &[(Alert, bool)]) {
    let alerts: Vec<Value> = alerts
        .iter()
        .map(|(alert, fires)| {
            let annotations = alert.annotations.iter();
            let annotations =
                annotations.map(|(name, value)| (name.to_string(), Value::from(&**value)));
            json!({
                "labels": alert.labels.iter().collect::<std::collections::BTreeMap<_, _>>(),
                "annotations": Value::Object(annotations.collect()),
                "startsAt": rfc3339(alert.starts_at),
                "endsAt": if *fires { "2100-01-01T00:00:00Z".to_owned() } else { rfc3339(alert.ends_at.unwrap()) },
                "generatorURL": &*alert.generator_url,
            })
        })
        .collect();
    let headers = [("content-type", "application/json")];
    let body = Value::from(alerts).to_string();
    let path = "/api/v2/alerts";
    let answer = http::request(alertmanager.addr(), "POST", path, &headers, body.as_bytes());
    let answer = answer.await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Compares the messages of a group: the first one, and those after two alerts resolved, another began, and all resolved.
/// Version 0.25 has no `notification_reason`.
pub(crate) fn compare(program: &Path, has_reason: bool) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    for max_alerts in [0, 3] {
        runtime.block_on(one(program, has_reason, max_alerts));
    }
}

async fn one(program: &Path, has_reason: bool, max_alerts: u64) {
    let theirs = Receiver::start(Service::Webhook).await.unwrap();
    let config = configuration(&theirs.url("/"), max_alerts);
    let alertmanager = Alertmanager::start_program(program, &config).await.unwrap();
    let ours = Receiver::start(Service::Webhook).await.unwrap();
    let config = config::load(&configuration(&ours.url("/"), max_alerts)).unwrap();
    // The group waits only for alerts that just began.
    let start = Timestamp::now().as_millisecond();
    let mut alerts = alerts(start);
    let late = alerts.split_off(4);
    for (at, reason) in [
        "first notification",
        "some alerts resolved",
        "new alerts added",
        "all alerts resolved",
    ]
    .into_iter()
    .enumerate()
    {
        let now = Timestamp::now().as_millisecond();
        let ending: Vec<usize> = match at {
            1 => vec![0, 2],
            3 => (0..alerts.len()).collect(),
            _ => Vec::new(),
        };
        for at in ending {
            alerts[at].1 = false;
            alerts[at].0.ends_at = Some(now);
        }
        if at == 2 {
            alerts.extend(late.clone());
        }
        post(&alertmanager, &alerts).await;
        let expected = body(&theirs, at).await;
        // The name of this machine is in it.
        let parsed: Value = serde_json::from_str(&expected).unwrap();
        let external = parsed["externalURL"].as_str().unwrap().to_owned();
        let settings = Settings {
            links: std::sync::Arc::new(External(external)),
            ..Settings::default()
        };
        let of = |wanted: bool| {
            let chosen = alerts.iter().filter(|(_, fires)| *fires == wanted);
            chosen.map(|(alert, _)| alert.clone()).collect::<Vec<_>>()
        };
        let message = Message {
            id: 1,
            receiver: "all".into(),
            integration: "webhook/0".into(),
            group_key: "{}:{team=\"x\"}".to_owned(),
            group_labels: Labels::new([("team", "x")]),
            reason: reason.to_owned(),
            at: now,
            firing: of(true),
            resolved: of(false),
            summary: None,
        };
        Sender::new(&config, settings).send(&message).await.unwrap();
        let mut sent = ours.last().unwrap().body;
        if !has_reason {
            let reason = format!("\"notification_reason\":\"{reason}\",");
            assert!(sent.contains(&reason), "{sent}");
            sent = sent.replace(&reason, "");
        }
        assert_eq!(sent, expected, "{reason}, at most {max_alerts}");
        // A group forgets the alerts that it was told have resolved.
        alerts.retain(|(_, fires)| *fires);
    }
}

async fn body(receiver: &Receiver, at: usize) -> String {
    eventually(SOON, async || {
        let posted = receiver.posted();
        posted
            .get(at)
            .map(|posted| posted.body.clone())
            .ok_or("no message")
    })
    .await
}
