//! Prometheus, Alertmanager and the webhook beside a stage.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use vigie_testkit::webhook::{Notified, Status};
use vigie_testkit::{Alertmanager, Prometheus, Webhook, eventually};

use crate::common::Stage;

/// Until all rules have been evaluated, and until what is over has gone from everywhere.
const SETTLES: Duration = Duration::from_secs(60);

/// An alert's name and severity, and its queue if it is about one.
pub(super) type Called = (&'static str, &'static str, Option<&'static str>);

pub(super) struct Watch {
    prometheus: Prometheus,
    alertmanager: Alertmanager,
    webhook: Webhook,
}

impl Watch {
    /// Has the stage's Vigie scraped and judged by `rules/essential.yml` every second.
    pub(super) async fn start(stage: &Stage) -> Self {
        let webhook = Webhook::start().await.unwrap();
        // Every alert on its own and at once, and none twice.
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

    /// Waits until Vigie is scraped, each rule is well and gives nothing, and no alert is known any more.
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

    /// Waits until the alert is told to be there.
    pub(super) async fn fires(&self, called: Called, within: Duration) {
        let (alert, _) = self.told(Status::Firing, called, 0, within).await;
        eprintln!("{called:?} fires: {}", alert.annotations["summary"]);
    }

    /// Waits until the alert, which has been told before, is told to be over.
    pub(super) async fn resolves(&self, called: Called, within: Duration) {
        let (_, past) = self.told(Status::Firing, called, 0, Duration::ZERO).await;
        self.told(Status::Resolved, called, past, within).await;
        eprintln!("{called:?} is over");
    }

    /// Repeats the cause until the alert is told to be there.
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

    /// The first such alert after so many others, and how many there are until then.
    async fn told(
        &self,
        status: Status,
        (name, severity, queue): Called,
        past: usize,
        within: Duration,
    ) -> (Notified, usize) {
        let mut labels = vec![("alertname", name), ("severity", severity)];
        labels.extend(queue.map(|queue| ("queue", queue)));
        let told = self.webhook.wait_for(status, &labels, past, within).await;
        told.unwrap()
    }

    /// Each of these alerts has been told to be there and to be over, in words that people can read, and no other has.
    pub(super) fn has_told_all_of(&self, expected: &[Called]) {
        let alerts = self.webhook.alerts().unwrap();
        for status in [Status::Firing, Status::Resolved] {
            let told = alerts.iter().filter(|alert| alert.status == status);
            let told: BTreeSet<_> = told.map(called).collect();
            let expected: BTreeSet<_> = expected.iter().copied().collect();
            assert_eq!(told, expected, "{status:?}");
        }
        for alert in alerts {
            for (name, text) in &alert.annotations {
                // What a template leaves behind that does not work, or gets no value.
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

/// A configuration that scrapes the stage's Vigie and evaluates these rule files, every second.
pub(super) fn scraping(stage: &Stage, rules: &[PathBuf]) -> String {
    format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
         rule_files: {rules:?}\n\
         scrape_configs: [{{job_name: vigie, static_configs: [{{targets: ['{}']}}]}}]\n",
        stage.vigie.admin
    )
}

/// A file or folder of the workspace.
pub(super) fn workspace(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join(path)
        .canonicalize()
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}
