//! The program notifies: a real cause fires an alert, which a webhook receives, also when Vigie is killed meanwhile.

use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use vigie_testkit::webhook::{Notified, Status, Webhook};
use vigie_testkit::{eventually, ports};

use crate::common::Vigie;

/// Several scrapes, on a busy machine.
const SOON: Duration = Duration::from_secs(180);
const RULES: &str = "
groups:
  - name: own
    rules:
      - alert: AppDown
        expr: vigie_check_up{check='app'} == 0
        labels: {severity: critical}
        annotations: {summary: 'the check {{ $labels.check }} is {{ $value }}'}
";
const NAME: [(&str, &str); 2] = [("alertname", "AppDown"), ("check", "app")];

#[tokio::test]
async fn an_alert_is_delivered_and_resolved_across_kills() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let webhook = Webhook::start().await.unwrap();
    let receivers = format!(
        "route: {{receiver: ops, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}\n\
         receivers: [{{name: ops, webhook_configs: [{{url: {:?}}}]}}]\n",
        webhook.url()
    );
    std::fs::write(path("alertmanager.yml"), receivers).unwrap();
    std::fs::write(path("own.yml"), RULES).unwrap();
    let app = ports::free();
    let sections = format!(
        "[gateway]\napp = \"http://127.0.0.1:{app}\"\n[checks.app]\nrequired = false\n\
         [history]\npath = {:?}\n[alerts]\nrules = [{:?}]\nbuiltin = []\n[notify]\nconfig = {:?}\n",
        path("history"),
        path("own.yml"),
        path("alertmanager.yml"),
    );
    let mut vigie = Vigie::start(&sections).await;
    let firing = webhook.wait_for(Status::Firing, &NAME, 0, SOON).await;
    let (firing, past) = firing.unwrap();
    assert_eq!(firing.annotations["summary"], "the check app is 0");
    assert_eq!(firing.labels["severity"], "critical");
    let started = active_at(&vigie).await;

    vigie.kill9_and_restart().await;
    eventually(SOON, async || {
        let now = active_at(&vigie).await;
        (now.is_some() && now == started)
            .then_some(())
            .ok_or(format!("{now:?}, and before {started:?}"))
    })
    .await;

    // The condition ends while Vigie is down.
    vigie.program.process.kill9();
    let _app = TcpListener::bind(("127.0.0.1", app)).await.unwrap();
    vigie.kill9_and_restart().await;
    let resolved = webhook.wait_for(Status::Resolved, &NAME, past, SOON).await;
    resolved.unwrap();
    let told = webhook.alerts().unwrap();
    let firing = told.iter().filter(|alert| alert.status == Status::Firing);
    assert!(
        firing.count() <= 3,
        "a kill may repeat a message once: {told:#?}"
    );
    assert_eq!(active_at(&vigie).await, None);
    vigie.stop().await;
}

/// An alert that was sent with other external labels resolves with those, once.
#[tokio::test]
async fn external_labels_that_change_across_a_kill_make_another_alert() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let webhook = Webhook::start().await.unwrap();
    let receivers = format!(
        "route: {{receiver: ops, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}\n\
         receivers: [{{name: ops, webhook_configs: [{{url: {:?}}}]}}]\n",
        webhook.url()
    );
    std::fs::write(path("alertmanager.yml"), receivers).unwrap();
    std::fs::write(path("own.yml"), RULES).unwrap();
    let sections = format!(
        "[gateway]\napp = \"http://127.0.0.1:{}\"\n[checks.app]\nrequired = false\n[history]\npath = {:?}\n\
         [alerts]\nrules = [{:?}]\nbuiltin = []\nexternal_labels = [\"site=old\"]\n[notify]\nconfig = {:?}\n",
        ports::free(),
        path("history"),
        path("own.yml"),
        path("alertmanager.yml"),
    );
    let mut vigie = Vigie::start(&sections).await;
    let [old, new] = ["old", "new"].map(|site| [NAME[0], NAME[1], ("site", site)]);
    let firing = webhook.wait_for(Status::Firing, &old, 0, SOON).await;
    firing.unwrap();

    let config = std::fs::read_to_string(vigie.config()).unwrap();
    std::fs::write(vigie.config(), config.replace("site=old", "site=new")).unwrap();
    vigie.kill9_and_restart().await;
    for (status, labels) in [(Status::Resolved, &old), (Status::Firing, &new)] {
        let told = webhook.wait_for(status, labels, 0, SOON).await;
        told.unwrap();
    }
    // Nothing more follows at the next evaluations.
    let evaluated = "vigie_rule_evaluations_total";
    eventually(SOON, async || {
        let evaluations = vigie.scrape().await.sum(evaluated, &[]);
        (evaluations >= 3.0)
            .then_some(())
            .ok_or(format!("{evaluations} evaluations"))
    })
    .await;
    let told = webhook.alerts().unwrap();
    let count = |status: Status, site: &str| {
        let is_it = |alert: &&Notified| alert.status == status && alert.labels["site"] == site;
        told.iter().filter(is_it).count()
    };
    assert_eq!(count(Status::Resolved, "old"), 1, "{told:#?}");
    assert_eq!(count(Status::Resolved, "new"), 0, "{told:#?}");
    assert_eq!(count(Status::Firing, "new"), 1, "{told:#?}");
    let firing = count(Status::Firing, "old");
    assert!(
        (1..=2).contains(&firing),
        "a kill may repeat a message once: {told:#?}"
    );
    vigie.stop().await;
}

/// Since when the alert is active.
async fn active_at(vigie: &Vigie) -> Option<Value> {
    let answer = vigie.get("/api/v1/alerts").await.json().unwrap_or_default();
    let alerts = answer["data"]["alerts"].as_array()?.clone();
    alerts.first().map(|alert| alert["activeAt"].clone())
}

#[tokio::test]
async fn a_mistake_in_alertmanager_yml_is_an_error_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("alertmanager.yml");
    std::fs::write(
        &file,
        "route: {receiver: ops, group_weit: 1s}\nreceivers: [{name: ops}]\n",
    )
    .unwrap();
    let mut vigie = Vigie::launch(&format!("[notify]\nconfig = {file:?}\n"), &[]);
    let (code, _) = vigie.program.end().await;
    let log = vigie.program.log();
    assert_eq!(code, Some(2), "{log}");
    assert!(
        log.contains("alertmanager.yml") && log.contains("group_weit"),
        "{log}"
    );
}
