//! Alerts are forwarded to two real Alertmanagers, one of which is killed meanwhile.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use vigie_testkit::webhook::Status;
use vigie_testkit::{Alertmanager, Webhook, eventually};

use super::ARRIVES;
use super::setup::{APP_DOWN, Setup, logged};
use crate::common::Vigie;

/// With the others more than one batch.
const MANY: usize = 70;

/// The alerts of `APP_DOWN`, those that always fire, and one that Alertmanager 0.25 refuses because of its label.
fn rules() -> String {
    let mut rules = APP_DOWN.to_owned();
    for number in 0..MANY {
        writeln!(rules, "      - {{alert: A{number}, expr: 'vector(1)'}}").unwrap();
    }
    let refused = "label_replace(vector(1), \"not-valid\", \"x\", \"\", \"\")";
    writeln!(rules, "      - {{alert: A33, expr: '{refused}'}}").unwrap();
    rules
}

/// The names of the alerts that always fire and are accepted.
fn lasting() -> BTreeSet<String> {
    (0..MANY).map(|number| format!("A{number}")).collect()
}

/// Starts an Alertmanager that notifies this webhook of each alert once.
async fn alertmanager(webhook: &Webhook) -> Alertmanager {
    let config = format!(
        "route: {{receiver: all, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}}\n\
         receivers: [{{name: all, webhook_configs: [{{url: '{}'}}]}}]\n",
        webhook.url()
    );
    Alertmanager::start(&config).await.unwrap()
}

/// Waits until exactly these alerts are active.
async fn active(alertmanager: &Alertmanager, expected: &BTreeSet<String>) {
    eventually(ARRIVES, async || {
        let active = alertmanager.active().await.map_err(|e| e.to_string())?;
        let names = active.iter().map(|labels| labels["alertname"].clone());
        match names.collect::<BTreeSet<_>>() {
            names if names == *expected => Ok(()),
            names => Err(format!("{names:?}")),
        }
    })
    .await;
}

/// The number of notifications with this status for each name; each must be 1.
fn once(webhook: &Webhook, status: Status, expected: &BTreeSet<String>) {
    let alerts = webhook.alerts().unwrap();
    let found = alerts.iter().filter(|alert| alert.status == status);
    let mut names: Vec<_> = found.map(|alert| &alert.labels["alertname"]).collect();
    names.sort_unstable();
    assert!(names.into_iter().eq(expected), "{status:?}: {alerts:#?}");
}

#[tokio::test]
async fn two_alertmanagers_get_all_alerts_but_a_refused_one() {
    let webhooks = [
        Webhook::start().await.unwrap(),
        Webhook::start().await.unwrap(),
    ];
    let first = alertmanager(&webhooks[0]).await;
    let mut second = alertmanager(&webhooks[1]).await;
    let setup = Setup::new(&rules());
    let mut sections = setup.sections();
    for alertmanager in [&first, &second] {
        let url = format!("http://{}", alertmanager.addr());
        writeln!(sections, "[[notify.alertmanagers]]\nurl = {url:?}").unwrap();
    }
    let vigie = Vigie::start(&sections).await;

    let down = ["AppDown", "AppGone"].map(str::to_owned);
    let all: BTreeSet<_> = lasting().into_iter().chain(down.clone()).collect();
    for (alertmanager, webhook) in [(&first, &webhooks[0]), (&second, &webhooks[1])] {
        active(alertmanager, &all).await;
        for name in down.each_ref() {
            let labels = [("alertname", name.as_str())];
            let firing = webhook.wait_for(Status::Firing, &labels, 0, ARRIVES);
            firing.await.unwrap();
        }
    }
    let refused = "an Alertmanager refuses an alert";
    logged(&vigie, refused).await;

    second.kill9();
    let app = setup.app().await;
    active(&first, &lasting()).await;
    for name in &down {
        let labels = [("alertname", name.as_str())];
        let resolved = webhooks[0].wait_for(Status::Resolved, &labels, 0, ARRIVES);
        resolved.await.unwrap();
    }
    logged(&vigie, "alerts cannot be forwarded").await;
    second.restart().await.unwrap();
    active(&second, &lasting()).await;
    logged(&vigie, "alerts are forwarded again").await;

    // The first one notified of each once, though it got the accepted alerts of a refused batch again.
    once(&webhooks[0], Status::Firing, &all);
    once(&webhooks[0], Status::Resolved, &down.into_iter().collect());
    let log = vigie.program.log();
    let lines = log.lines().filter(|line| line.contains(refused));
    assert!(
        lines.clone().all(|line| line.contains("not-valid")),
        "{log}"
    );
    assert_eq!(lines.count(), 2, "once for each Alertmanager: {log}");
    drop(app);
    vigie.stop().await;
}
