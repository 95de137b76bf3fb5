//! A sender and a server for each service.

use std::sync::Arc;

use serde_json::Value;
use vigie_notify::config::short::{self, Severity, Short, ShortKind, ShortReceiver};
use vigie_notify::config::{self, Config, Kind, Secret};
use vigie_notify::deliver::{Failure, Sender, Settings};
use vigie_notify::template::Links;
use vigie_notify::{Alert, Message};
use vigie_promql::Labels;
use vigie_testkit::receivers::{Posted, Receiver, Service};

/// Every service, with the name of its integration.
pub(crate) const ALL: [(Service, &str); 8] = [
    (Service::Webhook, "webhook/0"),
    (Service::Slack, "slack/0"),
    (Service::Discord, "discord/0"),
    (Service::Teams, "msteamsv2/0"),
    (Service::Telegram, "telegram/0"),
    (Service::PagerDuty, "pagerduty/0"),
    (Service::Pushover, "pushover/0"),
    (Service::Ntfy, "ntfy/0"),
];

pub(crate) const SECRET: &str = "T0PSECRET/B1SECRET2/xyzzyplugh";
const KEY: &str = "azGDORePK8gMaC0QOYAMyEEuzJnyUi";

/// A sender with one integration, and the server that it sends to.
pub(crate) struct Pair {
    pub(crate) server: Receiver,
    pub(crate) sender: Sender,
    pub(crate) integration: &'static str,
}

struct Fixed;

impl Links for Fixed {
    fn external_url(&self) -> &'static str {
        "https://vigie.example.org"
    }

    fn dashboard(&self, alert: &Alert) -> Option<String> {
        Some(format!(
            "https://vigie.example.org/d?a={}&b=1",
            alert.labels.get("alertname")
        ))
    }

    fn acknowledge(&self, _: &Alert) -> Option<String> {
        Some("https://vigie.example.org/ack/abc?x=1&y=2".to_owned())
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        links: Arc::new(Fixed),
        ..Settings::default()
    }
}

impl Pair {
    pub(crate) async fn new(service: Service) -> Self {
        Self::with(service, settings()).await
    }

    pub(crate) async fn with(service: Service, mut settings: Settings) -> Self {
        let server = Receiver::start(service).await.unwrap();
        settings.pushover = Some(server.url("/1/messages.json").parse().unwrap());
        let config = configuration(service, &server);
        let (_, integration) = ALL.iter().find(|(known, _)| *known == service).unwrap();
        Self {
            sender: Sender::new(&config, settings),
            server,
            integration,
        }
    }

    pub(crate) async fn send(&self, message: &Message) -> Result<(), Failure> {
        let mut message = message.clone();
        message.receiver = "critical".into();
        message.integration = self.integration.into();
        self.sender.send(&message).await
    }

    /// Sends a message that must be accepted, and returns it as it arrived.
    pub(crate) async fn deliver(&self, message: &Message) -> Posted {
        let sent = self.send(message).await;
        let posted = self.server.last().unwrap();
        assert_eq!(sent, Ok(()), "{posted:?}");
        assert_eq!(posted.refused, None, "{}", posted.body);
        posted
    }
}

fn configuration(service: Service, server: &Receiver) -> Config {
    let value = |text: String| Secret::Value(text.into());
    let url = |path: &str| value(server.url(path));
    let kind = match service {
        Service::Webhook => ShortKind::Webhook {
            url: url(&format!("/hook/{SECRET}")),
        },
        Service::Slack => ShortKind::Slack {
            url: url(&format!("/services/{SECRET}")),
        },
        Service::Discord => ShortKind::Discord {
            url: url(&format!("/api/webhooks/{SECRET}")),
        },
        Service::Teams => ShortKind::Teams {
            url: url(&format!("/workflows/{SECRET}?sig=0123456789abcdef")),
        },
        Service::Telegram => ShortKind::Telegram {
            token: value("TOKEN:right".into()),
            chat: -5,
        },
        Service::PagerDuty => ShortKind::PagerDuty {
            key: value(KEY.into()),
        },
        Service::Pushover => ShortKind::Pushover {
            user: value(KEY.into()),
            token: value(KEY.into()),
        },
        Service::Ntfy => ShortKind::Ntfy {
            url: url("/secret-topic"),
            token: Some(value("tk_secret99".into())),
        },
        Service::Heartbeat => unreachable!("it receives no notifications"),
    };
    let receivers = vec![ShortReceiver {
        kind,
        severity: Severity::All,
        send_resolved: true,
    }];
    let mut config = short::config(&Short { receivers }).unwrap();
    // The short settings know only the public servers.
    for receiver in &mut config.receivers {
        for integration in &mut receiver.integrations {
            match &mut integration.kind {
                Kind::Telegram(telegram) => telegram.api_url = server.url("/").parse().unwrap(),
                Kind::PagerDuty(pagerduty) => {
                    pagerduty.url = server.url("/v2/enqueue").parse().unwrap()
                }
                _ => {}
            }
        }
    }
    config
}

pub(crate) fn alert(labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Alert {
    let mut alert = Alert::firing(Labels::new(labels.to_vec()), 1_700_000_000_000);
    let annotations = annotations.iter();
    alert.annotations = annotations
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    alert.value = Some(12.5);
    alert
}

pub(crate) fn message(firing: Vec<Alert>, resolved: Vec<Alert>) -> Message {
    Message {
        id: 7,
        receiver: "critical".into(),
        integration: "slack/0".into(),
        group_key: "{}:{alertname=\"Slow\"}".to_owned(),
        group_labels: Labels::new([("alertname", "Slow")]),
        reason: "first notification".to_owned(),
        at: 1_700_000_600_000,
        firing,
        resolved,
        summary: None,
    }
}

pub(crate) fn slow() -> Alert {
    alert(
        &[
            ("alertname", "Slow"),
            ("severity", "critical"),
            ("route", "/a&b<c>"),
        ],
        &[
            ("summary", "Requests are *slow* & <b>late</b>"),
            ("description", "The 95th percentile is 12.5 s."),
            ("runbook_url", "https://example.org/runbooks/Slow?a=1&b=2"),
        ],
    )
}

fn resolved() -> Alert {
    let mut alert = slow();
    alert.ends_at = Some(1_700_000_500_000);
    alert
}

/// The texts of a message, joined: all strings of its body.
fn texts(posted: &Posted) -> String {
    fn collect(value: &Value, into: &mut String) {
        match value {
            Value::String(text) => {
                into.push_str(text);
                into.push('\n');
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            Value::Object(items) => items.values().for_each(|item| collect(item, into)),
            _ => {}
        }
    }
    let mut all = String::new();
    match serde_json::from_str(&posted.body) {
        Ok(body) => collect(&body, &mut all),
        Err(_) => {
            let pairs = url::form_urlencoded::parse(posted.body.as_bytes());
            pairs.for_each(|(_, value)| all.push_str(&format!("{value}\n")));
        }
    }
    all
}

#[tokio::test]
async fn firing_and_resolved_messages_are_accepted_and_say_what_matters() {
    for (service, _) in ALL {
        let pair = Pair::new(service).await;
        let fires = texts(&pair.deliver(&message(vec![slow()], vec![])).await);
        // A webhook and PagerDuty get the data; the others a text.
        let is_text = !matches!(service, Service::Webhook | Service::PagerDuty);
        for needed in ["Slow", "critical", "https://example.org/runbooks/Slow"] {
            assert!(fires.contains(needed), "{service:?}: {needed} in {fires}");
        }
        if is_text {
            for needed in ["12.5", "https://vigie.example.org", "/ack/abc"] {
                assert!(fires.contains(needed), "{service:?}: {needed} in {fires}");
            }
        }
        let over = texts(&pair.deliver(&message(vec![], vec![resolved()])).await);
        assert!(
            over.to_lowercase().contains("resolve"),
            "{service:?}: {over}"
        );
    }
}

#[tokio::test]
async fn unknown_alerts_are_marked() {
    let mut unknown = slow();
    unknown.unknown_since = Some(1_700_000_300_000);
    for (service, _) in ALL {
        if matches!(service, Service::Webhook | Service::PagerDuty) {
            continue;
        }
        let pair = Pair::new(service).await;
        let text = texts(&pair.deliver(&message(vec![unknown.clone()], vec![])).await);
        assert!(text.contains("unknown since"), "{service:?}: {text}");
    }
}

#[tokio::test]
async fn slack_gets_escaped_texts_and_discord_no_mentions() {
    let mut loud = slow();
    loud.annotations = Arc::new([("summary".into(), "<!channel> @everyone".into())]);
    let pair = Pair::new(Service::Slack).await;
    let body = pair.deliver(&message(vec![loud.clone()], vec![])).await;
    assert!(!body.body.contains("<!channel>"), "{}", body.body);
    assert!(texts(&body).contains("&lt;!channel&gt;"), "{}", body.body);
    let pair = Pair::new(Service::Discord).await;
    let body = pair.deliver(&message(vec![loud], vec![])).await.json();
    assert_eq!(body["allowed_mentions"]["parse"], serde_json::json!([]));
}

#[tokio::test]
async fn markup_of_the_users_templates_is_kept() {
    let server = Receiver::start(Service::Slack).await.unwrap();
    let yaml = format!(
        "route: {{receiver: critical}}\nreceivers: [{{name: critical, slack_configs: [{{api_url: '{}', \
         channel: '#ops', text: '<https://x.org|more> {{{{ .CommonLabels.route }}}}'}}]}}]",
        server.url("/services/x")
    );
    let config = config::load(&yaml).unwrap();
    let sender = Sender::new(&config, settings());
    sender.send(&message(vec![slow()], vec![])).await.unwrap();
    let body = server.last().unwrap().json();
    assert_eq!(
        body["attachments"][0]["text"],
        "<https://x.org|more> /a&b<c>"
    );
    assert_eq!(body["channel"], "#ops");
}

#[tokio::test]
async fn telegram_reads_every_markup() {
    for mode in ["HTML", "Markdown", "MarkdownV2", ""] {
        let server = Receiver::start(Service::Telegram).await.unwrap();
        let yaml = format!(
            "route: {{receiver: critical}}\nreceivers: [{{name: critical, telegram_configs: [{{api_url: '{}', \
             bot_token: 'TOKEN:right', chat_id: 7, parse_mode: '{mode}', message_thread_id: 3}}]}}]",
            server.url("")
        );
        let config = config::load(&yaml).unwrap();
        let sender = Sender::new(&config, settings());
        let mut message = message(vec![slow()], vec![]);
        message.integration = "telegram/0".into();
        let sent = sender.send(&message).await;
        let posted = server.last().unwrap();
        assert_eq!(sent, Ok(()), "{mode}: {}", posted.body);
        assert_eq!(posted.json()["message_thread_id"], 3);
        assert_eq!(posted.json()["chat_id"], "7");
    }
}

#[tokio::test]
async fn pagerduty_resolves_the_incident_that_it_opened() {
    let pair = Pair::new(Service::PagerDuty).await;
    let opened = pair.deliver(&message(vec![slow()], vec![])).await.json();
    let closed = pair
        .deliver(&message(vec![], vec![resolved()]))
        .await
        .json();
    assert_eq!(opened["event_action"], "trigger");
    assert_eq!(closed["event_action"], "resolve");
    assert_eq!(opened["dedup_key"], closed["dedup_key"]);
    assert_eq!(opened["payload"]["severity"], "critical");
    assert_eq!(opened["payload"]["custom_details"]["num_firing"], 1);
}

#[tokio::test]
async fn credentials_are_sent() {
    let pair = Pair::new(Service::Ntfy).await;
    let posted = pair.deliver(&message(vec![slow()], vec![])).await;
    assert_eq!(posted.header("authorization"), Some("Bearer tk_secret99"));
    assert_eq!(posted.path, "/");
    assert_eq!(posted.json()["topic"], "secret-topic");
    assert_eq!(
        posted.json()["actions"][0]["url"],
        "https://vigie.example.org/ack/abc?x=1&y=2"
    );
    let pair = Pair::new(Service::Telegram).await;
    let posted = pair.deliver(&message(vec![slow()], vec![])).await;
    assert_eq!(posted.path, "/botTOKEN:right/sendMessage");
}

#[tokio::test]
async fn an_integration_that_is_gone_is_a_failure() {
    let pair = Pair::new(Service::Slack).await;
    let mut gone = message(vec![slow()], vec![]);
    gone.integration = "slack/1".into();
    let failure = pair.sender.send(&gone).await.unwrap_err();
    assert_eq!(failure.cause, vigie_notify::deliver::Cause::Settings);
}
