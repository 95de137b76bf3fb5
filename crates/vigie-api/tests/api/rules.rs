//! `/rules` and `/alerts`, side by side with Prometheus 3.5: the same rules, evaluated there and built here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use vigie_api::rules::{Alert, Alerting, Health, Rule, RuleGroup};
use vigie_api::{Settings, Source};
use vigie_promql::storage::{MemoryStorage, Selection, StorageError};
use vigie_promql::{Labels, Sample, Storage};
use vigie_testkit::prometheus::Release;
use vigie_testkit::{SOON, eventually};

use crate::common::{get, serve};

const FILE: &str = "
groups:
  - name: second
    interval: 1s
    limit: 10
    rules:
      - record: some:answer
        expr: vector(42)
      - record: other:answer
        expr: some:answer*2
        labels: {team: <a&b>, tier: '1'}
      - alert: Always
        expr: some:answer>41
        labels: {severity: warning, team: '{{ $value }}'}
        annotations: {summary: 'it is {{ $value }}', plain: text}
      - alert: Later
        expr: (some:answer == 42) * 0.00000012345
        for: 1h30m
        keep_firing_for: 500ms
      - alert: Never
        expr: some:answer<1
        labels: {severity: critical}
      - alert: Broken
        expr: (label_replace(vector(1), 'a', 'x', '', '') or vector(1)) * on () (label_replace(vector(1), 'a', 'x', '', '') or vector(1))
  - name: first
    interval: 500ms
    rules:
      - alert: Huge
        expr: vector(2500000)
        labels: {severity: critical}
  - name: empty
    interval: 1h
    rules: []
";

struct Rules(Vec<Arc<RuleGroup>>);

impl Storage for Rules {
    fn select(
        &self,
        selection: &Selection<'_>,
        each: &mut dyn FnMut(&Labels, &[Sample]) -> std::ops::ControlFlow<()>,
    ) -> Result<(), StorageError> {
        MemoryStorage::new().select(selection, each)
    }
}

impl Source for Rules {
    fn rules(&self) -> Vec<Arc<RuleGroup>> {
        self.0.clone()
    }
}

fn rule(name: &str, query: &str, labels: &[(&str, &str)]) -> Rule {
    Rule {
        name: name.into(),
        query: vigie_promql::parse(query).unwrap().to_string(),
        labels: Labels::new(labels.iter().copied()),
        health: Health::Good,
        last_error: None,
        evaluation_time: Duration::from_micros(1_234),
        last_evaluation: Some(1_790_000_000_123),
        selects_nothing: Vec::new(),
        alerting: None,
    }
}

fn alert(
    labels: &[(&str, &str)],
    annotations: &[(&str, &str)],
    is_firing: bool,
    value: f64,
) -> Alert {
    let annotations = annotations.iter();
    Alert {
        labels: Labels::new(labels.iter().copied()),
        annotations: annotations
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
        is_firing,
        active_at: 1_790_000_000_000,
        keep_firing_since: None,
        unknown_since: None,
        value,
    }
}

/// The groups of the file as they are evaluated.
fn groups(file: &str) -> Vec<Arc<RuleGroup>> {
    let alerting = |alerts: Vec<Alert>| Alerting {
        alerts,
        ..Alerting::default()
    };
    let always = [("plain", "text"), ("summary", "it is {{ $value }}")];
    let expanded = [("plain", "text"), ("summary", "it is 42")];
    let second = vec![
        rule("some:answer", "vector(42)", &[]),
        rule(
            "other:answer",
            "some:answer * 2",
            &[("team", "<a&b>"), ("tier", "1")],
        ),
        Rule {
            alerting: Some(Alerting {
                annotations: Labels::new(always),
                ..alerting(vec![alert(
                    &[
                        ("alertname", "Always"),
                        ("severity", "warning"),
                        ("team", "42"),
                    ],
                    &expanded,
                    true,
                    42.0,
                )])
            }),
            ..rule(
                "Always",
                "some:answer > 41",
                &[("severity", "warning"), ("team", "{{ $value }}")],
            )
        },
        Rule {
            alerting: Some(Alerting {
                hold: Duration::from_secs(5_400),
                keep_firing: Duration::from_millis(500),
                ..alerting(vec![alert(
                    &[("alertname", "Later")],
                    &[],
                    false,
                    42.0 * 0.000_000_123_45,
                )])
            }),
            ..rule("Later", "(some:answer == 42) * 1.2345e-07", &[])
        },
        Rule {
            alerting: Some(Alerting::default()),
            ..rule("Never", "some:answer < 1", &[("severity", "critical")])
        },
        Rule {
            alerting: Some(Alerting::default()),
            health: Health::Bad,
            last_error: Some("set below".into()),
            ..rule("Broken", "up", &[])
        },
    ];
    let first = vec![Rule {
        alerting: Some(alerting(vec![alert(
            &[("alertname", "Huge"), ("severity", "critical")],
            &[],
            true,
            2_500_000.0,
        )])),
        ..rule("Huge", "vector(2500000)", &[("severity", "critical")])
    }];
    let group = |name: &str, interval, limit, rules| {
        Arc::new(RuleGroup {
            file: file.into(),
            name: name.into(),
            interval: Duration::from_millis(interval),
            limit,
            evaluation_time: Duration::from_millis(1),
            last_evaluation: Some(1_790_000_000_123),
            rules,
        })
    };
    vec![
        group("second", 1_000, 10, second),
        group("first", 500, 0, first),
        group("empty", 3_600_000, 0, Vec::new()),
    ]
}

/// Replaces times and durations of evaluations, after their format is checked; and the text of the broken rule.
fn normal(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            if fields.get("name").is_some_and(|name| name == "Broken") {
                fields["query"] = "broken".into();
                fields["lastError"] = "broken".into();
            }
            for (key, field) in fields {
                match key.as_str() {
                    "lastEvaluation" | "activeAt" => {
                        let time: jiff::Timestamp = field.as_str().unwrap().parse().unwrap();
                        assert!(time > jiff::Timestamp::UNIX_EPOCH, "{time}");
                        *field = "a time".into();
                    }
                    "evaluationTime" => {
                        assert!(field.as_f64().unwrap() >= 0.0);
                        *field = 0.into();
                    }
                    _ => *field = normal(field.take()),
                }
            }
            value
        }
        Value::Array(items) => {
            let mut items: Vec<_> = items.drain(..).map(normal).collect();
            if items
                .iter()
                .all(|item| item["labels"].is_object() && item["type"].is_null())
            {
                items.sort_by_key(ToString::to_string);
            }
            Value::Array(items)
        }
        _ => value,
    }
}

async fn answer(address: SocketAddr, path: &str) -> (u16, Value) {
    let answer = get(address, path).await;
    let body: Value = answer.json().unwrap();
    (answer.status, body)
}

#[tokio::test]
async fn rules_and_alerts_are_answered_as_by_prometheus() {
    let file = tempfile::NamedTempFile::with_suffix(".yml").unwrap();
    std::fs::write(file.path(), FILE).unwrap();
    let path = file.path().display().to_string();
    let config = format!("global: {{evaluation_interval: 1s}}\nrule_files: [{path:?}]\n");
    let prometheus = Release::sid().unwrap().start(&config).await.unwrap();
    let theirs = prometheus.addr();
    let ours = serve(Rules(groups(&path)), Settings::default()).await;
    eventually(SOON, async || {
        let rules = prometheus
            .rules()
            .await
            .map_err(|error| error.to_string())?;
        let waiting: Vec<_> = rules
            .iter()
            .filter(|rule| rule.health == "unknown")
            .collect();
        let alerts = answer(theirs, "/api/v1/alerts").await.1;
        let alerts = alerts["data"]["alerts"].as_array().map_or(0, Vec::len);
        let is_done = rules.len() == 7 && waiting.is_empty() && alerts == 3;
        is_done
            .then_some(())
            .ok_or(format!("{alerts} alerts, {waiting:?}"))
    })
    .await;
    let file = url::form_urlencoded::byte_serialize(path.as_bytes()).collect::<String>();
    let mut answers = 0;
    for query in [
        "",
        "?type=alert",
        "?type=record",
        "?type=x",
        "?exclude_alerts=true",
        "?rule_name[]=Always&rule_name[]=some:answer",
        "?rule_group[]=first",
        "?rule_group[]=none",
        &format!("?file[]={file}&rule_group[]=second"),
        "?file[]=other.yml",
        "?match[]=%7Bseverity=%22critical%22%7D",
        "?match[]=%7Bseverity=%22critical%22%7D&match[]=%7Bteam=~%22.*value.*%22%7D",
        "?match[]=%7Bseverity=%22",
        "?group_limit=1",
        "?group_limit=2",
        "?group_limit=10",
        "?group_limit=0",
        "?group_limit=-1",
        "?group_limit=x",
        "?group_next_token=abc",
        "?group_limit=1&group_next_token=abc",
    ] {
        let path = format!("/api/v1/rules{query}");
        let (status, found) = answer(ours, &path).await;
        let (expected_status, expected) = answer(theirs, &path).await;
        assert_eq!(status, expected_status, "{path}: {expected} {found}");
        assert_eq!(found["errorType"], expected["errorType"], "{path}");
        let (found, expected) = (
            normal(found["data"].clone()),
            normal(expected["data"].clone()),
        );
        assert_eq!(found, expected, "{path}");
        answers += 1;
        // The pages that follow.
        if let Some(token) = expected["groupNextToken"].as_str() {
            let path = format!("{path}&group_next_token={token}");
            let found = normal(answer(ours, &path).await.1);
            assert_eq!(found, normal(answer(theirs, &path).await.1), "{path}");
        }
    }
    assert_eq!(answers, 21);
    let path = "/api/v1/alerts";
    let found = normal(answer(ours, path).await.1);
    assert_eq!(found, normal(answer(theirs, path).await.1));
}

#[tokio::test]
async fn keys_that_prometheus_lacks_are_added_only_where_they_say_something() {
    let mut group = (*groups("f.yml")[1]).clone();
    let rule = &mut group.rules[0];
    rule.selects_nothing = vec!["missing{job=\"a\"}".into()];
    let alert = &mut rule.alerting.as_mut().unwrap().alerts[0];
    alert.unknown_since = Some(1_790_000_060_000);
    alert.keep_firing_since = Some(1_790_000_030_500);
    let ours = serve(Rules(vec![Arc::new(group)]), Settings::default()).await;
    let rules = get(ours, "/api/v1/rules").await.text();
    for expected in [
        r#""selectsNothing":["missing{job=\"a\"}"]"#,
        r#""keepFiringSince":"2026-09-21T14:13:50.5Z","value":"2.5e+06","unknownSince":"2026-09-21T14:14:20Z"}"#,
    ] {
        assert!(rules.contains(expected), "{expected} in {rules}");
    }
}

/// With thousands of alerts they take long to write, so few requests do so at a time.
#[tokio::test]
async fn lists_need_a_permit() {
    let settings = Settings {
        timeout: Duration::ZERO,
        ..Settings::default()
    };
    let ours = serve(Rules(groups("f.yml")), settings).await;
    for path in ["/api/v1/rules", "/api/v1/alerts"] {
        let answer = get(ours, path).await;
        assert_eq!(answer.status, 503, "{path}");
        assert!(answer.text().contains("query queue"), "{path}");
    }
}
