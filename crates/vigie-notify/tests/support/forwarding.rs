//! Forwards alerts to a real Alertmanager, which notifies a webhook.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use url::Url;
use vigie_metrics::{Format, Registry};
use vigie_notify::Alert;
use vigie_notify::config::HttpConfig;
use vigie_notify::forward::{self, Forwarder, Settings};
use vigie_promql::Labels;
use vigie_testkit::webhook::Status;
use vigie_testkit::{Alertmanager, Error, SOON, Webhook};

/// More than one batch.
const ALERTS: usize = 150;

fn alert(name: &str, extra: &[(&str, &str)], ended: bool) -> Alert {
    let now = Timestamp::now().as_millisecond();
    let labels = [("alertname", name)].into_iter();
    let labels = Labels::new(labels.chain(extra.iter().copied()));
    Alert {
        ends_at: ended.then_some(now),
        ..Alert::firing(labels, now - 60_000)
    }
}

/// `takes_utf8` is whether Alertmanager accepts any label name. Then an annotation with an empty name is the invalid one.
pub(crate) async fn check<F: Future<Output = Result<Alertmanager, Error>>>(
    start: impl FnOnce(String) -> F,
    takes_utf8: bool,
) {
    let webhook = Webhook::start().await.unwrap();
    let config = format!(
        "route: {{receiver: all, group_by: ['...'], group_wait: 0s, group_interval: 1s}}\n\
         receivers: [{{name: all, webhook_configs: [{{url: '{}'}}]}}]\n",
        webhook.url()
    );
    let alertmanager = start(config).await.unwrap();
    let registry = Registry::new();
    let settings = Settings {
        resend: Duration::from_secs(1),
        ..Settings::default()
    };
    let clock = || Timestamp::now().as_millisecond();
    let forwarder = Forwarder::new(settings, &registry, clock);
    let stop = CancellationToken::new();
    let url: Url = format!("http://{}/", alertmanager.addr()).parse().unwrap();
    let target = forward::Alertmanager::new(&url, HttpConfig::default()).unwrap();
    // The second one is down, which does not matter to the first.
    let down: Url = "http://127.0.0.1:1".parse().unwrap();
    let down = forward::Alertmanager::new(&down, HttpConfig::default()).unwrap();
    for target in [target, down] {
        let (forwarder, stop) = (forwarder.clone(), stop.clone());
        tokio::spawn(async move { forwarder.run(target, stop).await });
    }

    let names: Vec<String> = (0..ALERTS).map(|number| format!("A{number}")).collect();
    let mut alerts: Vec<Alert> = names.iter().map(|name| alert(name, &[], false)).collect();
    let mut bad = alert("A77bad", &[], false);
    if takes_utf8 {
        bad.annotations = [("".into(), "x".into())].into();
    } else {
        bad = alert("A77bad", &[("a-b", "x")], false);
    }
    alerts.push(bad);
    assert_eq!(forwarder.observe(alerts), 0);
    let all: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    wait(&webhook, Status::Firing, &all).await;
    let failed = "vigie_notifications_failed_total{receiver=\"alertmanagers\",integration=";
    let page = registry.expose(Format::Text);
    assert!(
        page.lines()
            .any(|line| line.starts_with(failed) && line.contains("reason=\"refused\"")),
        "{page}"
    );

    // They keep firing while they are sent again, and each is notified once.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(webhook.alerts().unwrap().len(), ALERTS);
    let over = names.iter().map(|name| alert(name, &[], true));
    forwarder.observe(over.collect());
    wait(&webhook, Status::Resolved, &all).await;
    assert_eq!(webhook.alerts().unwrap().len(), 2 * ALERTS);
    stop.cancel();
}

/// Waits until the webhook has this status of all alerts.
async fn wait(webhook: &Webhook, status: Status, names: &BTreeSet<&str>) {
    let deadline = tokio::time::Instant::now() + SOON;
    loop {
        let alerts = webhook.alerts().unwrap();
        let found = alerts.iter().filter(|alert| alert.status == status);
        let found: BTreeSet<&str> = found.map(|alert| &*alert.labels["alertname"]).collect();
        if found == *names {
            return;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "{status:?}: only {found:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
