//! Prometheus, Alertmanager and the webhook of a stage.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use vigie_testkit::webhook::{Notified, Status};
use vigie_testkit::{Alertmanager, Prometheus, Webhook, eventually};

use crate::common::Stage;

/// The time until all rules are evaluated and all resolved alerts have disappeared.
const SETTLES: Duration = Duration::from_secs(60);

/// An alert's name and severity, and its queue if it is about one.
pub(super) type Called = (&'static str, &'static str, Option<&'static str>);

pub(super) struct Watch {
    prometheus: Prometheus,
    alertmanager: Alertmanager,
    webhook: Webhook,
}

impl Watch {
    /// Starts a Prometheus that scrapes the stage's Vigie and evaluates `rules/essential.yml` every second.
    pub(super) async fn start(stage: &Stage) -> Self {
        let webhook = Webhook::start().await.unwrap();
        // Every alert is sent separately, immediately, and only once.
        let config = format!(
            "route: {{receiver: webhook, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}}\n\
             receivers: [{{name: webhook, webhook_configs: [{{url: '{}'}}]}}]\n",
            webhook.url()
        );
        let alertmanager = Alertmanager::start(&config).await.unwrap();
        let alerting = format!(
            "alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{}']}}]}}]}}\n",
            alertmanager.addr()
        );
        let config = scraping(stage, &[workspace("rules/essential.yml")]) + &alerting;
        Self {
            prometheus: Prometheus::start(&config).await.unwrap(),
            alertmanager,
            webhook,
        }
    }

    /// Waits until Vigie is scraped, all rules are healthy without a result, and no alert is active.
    pub(super) async fn until_quiet(&self) {
        eventually(SETTLES, async || {
            let targets = self
                .prometheus
                .targets()
                .await
                .map_err(|error| error.to_string())?;
            let rules = self
                .prometheus
                .rules()
                .await
                .map_err(|error| error.to_string())?;
            let active = self
                .alertmanager
                .active()
                .await
                .map_err(|error| error.to_string())?;
            let up = targets.iter().all(|target| target.up == Some(true));
            let inactive = rules.iter().all(|rule| {
                let state = rule.alert.as_ref().map(|alert| &*alert.state);
                rule.health == "ok" && state == Some("inactive")
            });
            let there = !targets.is_empty() && !rules.is_empty();
            (there && up && inactive && active.is_empty())
                .then_some(())
                .ok_or_else(|| format!("{targets:?}\n{rules:#?}\n{active:?}"))
        })
        .await;
    }

    /// Waits for a firing notification of the alert.
    pub(super) async fn fires(&self, called: Called, within: Duration) {
        let (alert, _) = self.notification(Status::Firing, called, 0, within).await;
        eprintln!("{called:?} fires: {}", alert.annotations["summary"]);
    }

    /// Waits for a resolved notification of the alert, which must have fired before.
    pub(super) async fn resolves(&self, called: Called, within: Duration) {
        let (_, past) = self
            .notification(Status::Firing, called, 0, Duration::ZERO)
            .await;
        self.notification(Status::Resolved, called, past, within)
            .await;
        eprintln!("{called:?} is over");
    }

    /// Repeats the cause until a firing notification arrives.
    pub(super) async fn fires_while(
        &self,
        called: Called,
        within: Duration,
        cause: impl AsyncFn(),
    ) {
        let fired = AtomicBool::new(false);
        let firing = async {
            self.fires(called, within).await;
            fired.store(true, Ordering::Relaxed);
        };
        let causing = async {
            while !fired.load(Ordering::Relaxed) {
                cause().await;
            }
        };
        tokio::join!(firing, causing);
    }

    /// Waits for a matching notification after the first `past` ones; returns it and the count so far.
    async fn notification(
        &self,
        status: Status,
        (name, severity, queue): Called,
        past: usize,
        within: Duration,
    ) -> (Notified, usize) {
        let mut labels = vec![("alertname", name), ("severity", severity)];
        labels.extend(queue.map(|queue| ("queue", queue)));
        let notified = self.webhook.wait_for(status, &labels, past, within).await;
        notified.unwrap()
    }

    /// Asserts that each of these alerts, and no other, was notified as firing and resolved, in readable text.
    pub(super) fn has_notified_of_all(&self, expected: &[Called]) {
        let alerts = self.webhook.alerts().unwrap();
        for status in [Status::Firing, Status::Resolved] {
            let notified = alerts.iter().filter(|alert| alert.status == status);
            let notified: BTreeSet<_> = notified.map(called).collect();
            let expected: BTreeSet<_> = expected.iter().copied().collect();
            assert_eq!(notified, expected, "{status:?}");
        }
        for alert in alerts {
            for (name, text) in &alert.annotations {
                // The remains of a template that fails or lacks a value.
                let broken = ["<error", "<no value>", "{{", "%!"];
                let whole = !text.is_empty() && !broken.iter().any(|mark| text.contains(mark));
                assert!(whole, "{name} of {:?}: {text}", called(&alert));
            }
        }
    }
}

fn called(alert: &Notified) -> (&str, &str, Option<&str>) {
    let label = |name| alert.labels.get(name).map(String::as_str);
    let certain = |name| label(name).unwrap_or_default();
    (certain("alertname"), certain("severity"), label("queue"))
}

/// A configuration that scrapes the stage's Vigie and evaluates these rule files every second.
pub(super) fn scraping(stage: &Stage, rules: &[PathBuf]) -> String {
    format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
         rule_files: {rules:?}\n\
         scrape_configs: [{{job_name: vigie, static_configs: [{{targets: ['{}']}}]}}]\n",
        stage.vigie.admin
    )
}

/// The path of a file or folder in the workspace.
pub(super) fn workspace(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join(path)
        .canonicalize()
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}
