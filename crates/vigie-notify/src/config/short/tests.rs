#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use vigie_promql::Labels;

use super::*;
use crate::dispatch::{Dispatcher, Limits, Plan};
use crate::{Alert, config};

fn file(path: &str) -> Secret {
    Secret::File(PathBuf::from(path))
}

fn receiver(kind: ShortKind, severity: Severity) -> ShortReceiver {
    ShortReceiver {
        kind,
        severity,
        send_resolved: true,
    }
}

fn all() -> Short {
    let email = |smtp: &str| ShortKind::Email {
        to: vec!["ops@example.org".into(), "Ops <more@example.org>".into()],
        from: "vigie@example.org".into(),
        smtp: SmtpUrl::parse(smtp).unwrap(),
        password: Some(file("/secrets/mail")),
        require_tls: true,
    };
    let value = |text: &str| Secret::Value(text.to_owned().into());
    Short {
        receivers: vec![
            receiver(
                ShortKind::Slack {
                    url: file("/secrets/slack \"1\""),
                },
                Severity::All,
            ),
            receiver(email("smtps://me@mail.example.org"), Severity::All),
            receiver(
                ShortKind::Webhook {
                    url: value("http://hook.example.org/hidden"),
                },
                Severity::All,
            ),
            receiver(
                ShortKind::Discord {
                    url: value("https://discord.example.org/hidden"),
                },
                Severity::All,
            ),
            receiver(
                ShortKind::Teams {
                    url: file("/secrets/teams"),
                },
                Severity::All,
            ),
            receiver(
                ShortKind::Telegram {
                    token: file("/secrets/telegram"),
                    chat: -5,
                },
                Severity::All,
            ),
            receiver(
                ShortKind::PagerDuty {
                    key: value("hidden"),
                },
                Severity::Critical,
            ),
            receiver(
                ShortKind::Pushover {
                    user: value("hidden"),
                    token: value("hidden"),
                },
                Severity::All,
            ),
            receiver(
                ShortKind::Ntfy {
                    url: value("https://ntfy.sh/hidden"),
                    token: None,
                },
                Severity::All,
            ),
        ],
    }
}

fn ids(config: &Config, name: &str) -> Vec<String> {
    let receiver = config.receivers.iter().find(|known| known.name == name);
    let integrations = receiver.unwrap().integrations.iter();
    integrations.map(|known| known.id.clone()).collect()
}

#[test]
fn critical_alerts_go_to_all_and_the_others_to_those_that_take_them() {
    let config = super::config(&all()).unwrap();
    let most = [
        "webhook/0",
        "email/0",
        "pagerduty/0",
        "slack/0",
        "pushover/0",
        "telegram/0",
        "discord/0",
        "msteamsv2/0",
        "ntfy/0",
    ];
    assert_eq!(ids(&config, "critical"), most);
    let others: Vec<_> = most.into_iter().filter(|id| *id != "pagerduty/0").collect();
    assert_eq!(ids(&config, "warning"), others);
    assert_eq!(ids(&config, "none"), Vec::<String>::new());
}

#[test]
fn the_yaml_shows_no_secret_and_is_read_again() {
    let text = yaml(&all());
    assert!(!text.contains("hidden"), "{text}");
    let config = config::load(&text).unwrap();
    assert_eq!(ids(&config, "critical").len(), 8);
    let secrets = super::config(&all()).unwrap();
    let Kind::Webhook(webhook) = &secrets.receivers[1].integrations[0].kind else {
        panic!("{secrets:?}");
    };
    let Secret::Value(url) = &webhook.url else {
        panic!("{webhook:?}");
    };
    assert_eq!(url.expose_secret(), "http://hook.example.org/hidden");
    assert!(!format!("{secrets:?}").contains("hidden"));
}

#[test]
fn without_receivers_there_is_a_configuration() {
    let config = super::config(&Short::default()).unwrap();
    assert_eq!(ids(&config, "critical"), Vec::<String>::new());
}

/// The names of the alerts about which messages are sent.
fn notified(alerts: &[&[(&str, &str)]]) -> Vec<String> {
    let config = super::config(&all()).unwrap();
    let mut dispatcher = Dispatcher::new(Plan::new(&config), Limits::default());
    for labels in alerts {
        let alert = Alert::firing(Labels::new(labels.to_vec()), 0);
        dispatcher.observe(0, alert).unwrap();
    }
    let mut names: Vec<String> = Vec::new();
    let sent = dispatcher.advance(3_600_000).notifications;
    for notification in sent.iter().filter(|sent| &*sent.integration == "slack/0") {
        for alert in &notification.firing {
            let labels = &alert.labels;
            names.push(format!(
                "{} {}",
                labels.get("alertname"),
                labels.get("severity")
            ));
        }
    }
    names.sort();
    names
}

#[test]
fn a_cause_inhibits_its_symptoms() {
    let check = [
        ("alertname", "CheckDown"),
        ("severity", "critical"),
        ("check", "redis"),
    ];
    let queue = [
        ("alertname", "QueueNoWorkers"),
        ("severity", "critical"),
        ("queue", "a"),
    ];
    let http = [("alertname", "HttpErrors"), ("severity", "warning")];
    assert_eq!(
        notified(&[&check, &queue, &http]),
        ["CheckDown critical", "HttpErrors warning"]
    );
    assert_eq!(
        notified(&[&queue, &http]),
        ["HttpErrors warning", "QueueNoWorkers critical"]
    );
}

#[test]
fn a_critical_alert_inhibits_the_warning_about_the_same_queue() {
    let alert = |severity, queue| {
        [
            ("alertname", "QueueWaiting"),
            ("severity", severity),
            ("queue", queue),
        ]
    };
    assert_eq!(
        notified(&[
            &alert("critical", "a"),
            &alert("warning", "a"),
            &alert("warning", "b")
        ]),
        ["QueueWaiting critical", "QueueWaiting warning"]
    );
}

#[test]
fn the_watchdog_notifies_nobody() {
    let watchdog = [("alertname", "Watchdog"), ("severity", "none")];
    assert_eq!(notified(&[&watchdog]), Vec::<String>::new());
}
