//! The two notifiers of a stage, each with a webhook: Vigie itself, and Prometheus with Alertmanager.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use vigie_testkit::periods::Identity;
use vigie_testkit::prometheus::Release;
use vigie_testkit::webhook::{Notified, Status};
use vigie_testkit::{Alertmanager, Periods, Prometheus, SOON, Webhook, eventually, sid};

use crate::common::Stage;

/// The time until all rules are evaluated and all resolved alerts have disappeared.
const SETTLES: Duration = SOON;

/// An alert's name and severity, and its queue if it is about one.
pub(super) type Called = (&'static str, &'static str, Option<&'static str>);

/// How much later one of the two may see a transition: Vigie's scrape interval, and Prometheus' until it has scraped and
/// evaluated.
const INTERVAL: Duration = Duration::from_secs(15 + 5 + 1);

/// The webhook of Vigie, and the `alertmanager.yml` that names it.
pub(super) struct Own {
    webhook: Webhook,
    files: TempDir,
}

impl Own {
    pub(super) async fn start() -> Self {
        let own = Self {
            webhook: Webhook::start().await.unwrap(),
            files: TempDir::new().unwrap(),
        };
        std::fs::write(own.file(), receivers(&own.webhook)).unwrap();
        own
    }

    /// The sections with which Vigie evaluates `rules/essential.yml` and notifies the webhook.
    pub(super) fn sections(&self) -> String {
        format!(
            "[alerts]\nrules = [{:?}]\nbuiltin = []\n[notify]\nconfig = {:?}\n",
            workspace("rules/essential.yml"),
            self.file()
        )
    }

    fn file(&self) -> PathBuf {
        self.files.path().join("alertmanager.yml")
    }
}

/// The `alertmanager.yml` of both: the alerts of a name are a group, whose changes are sent immediately, and only once.
fn receivers(webhook: &Webhook) -> String {
    format!(
        "route: {{receiver: webhook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}}\n\
         receivers: [{{name: webhook, webhook_configs: [{{url: '{}'}}]}}]\n",
        webhook.url()
    )
}

pub(super) struct Watch {
    prometheus: Prometheus,
    alertmanager: Alertmanager,
    webhook: Webhook,
    own: Own,
}

impl Watch {
    /// Starts a Prometheus that scrapes the stage's Vigie and evaluates `rules/essential.yml`. It is the newer one where that is
    /// unpacked.
    pub(super) async fn start(stage: &Stage, own: Own) -> Self {
        let webhook = Webhook::start().await.unwrap();
        let config = receivers(&webhook);
        let alertmanager = match sid::ALERTMANAGER.find() {
            Ok(program) => Alertmanager::start_program(&program, &config).await,
            Err(_) => Alertmanager::start(&config).await,
        };
        let alertmanager = alertmanager.unwrap();
        let alerting = format!(
            "alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{}']}}]}}]}}\n",
            alertmanager.addr()
        );
        // On a busy machine a scrape may take longer than a second; one that fails ends the series, and so a `for`.
        let config = scraping(stage, "5s", &[workspace("rules/essential.yml")]) + &alerting;
        let release = Release::sid().or_else(|_| Release::installed()).unwrap();
        Self {
            prometheus: release.start(&config).await.unwrap(),
            alertmanager,
            webhook,
            own,
        }
    }

    /// Waits until Vigie is scraped, all rules are healthy without a result, and no alert is active in either.
    pub(super) async fn until_quiet(&self, stage: &Stage) {
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
            let own = stage.vigie.get("/api/v1/alerts").await;
            let own = own.json().map_err(|error| error.to_string())?;
            let own_is_quiet = own["data"]["alerts"].as_array().is_some_and(Vec::is_empty);
            let up = targets.iter().all(|target| target.up == Some(true));
            let inactive = rules.iter().all(|rule| {
                let state = rule.alert.as_ref().map(|alert| &*alert.state);
                rule.health == "ok" && state == Some("inactive")
            });
            let there = !targets.is_empty() && !rules.is_empty();
            (there && up && inactive && active.is_empty() && own_is_quiet)
                .then_some(())
                .ok_or_else(|| format!("{targets:?}\n{rules:#?}\n{active:?}\n{own}"))
        })
        .await;
    }

    /// Waits for a firing notification of the alert from each notifier.
    pub(super) async fn fires(&self, called: Called, within: Duration) {
        for webhook in self.webhooks() {
            let (alert, _) = notification(webhook, Status::Firing, called, 0, within).await;
            eprintln!("{called:?} fires: {}", alert.annotations["summary"]);
        }
    }

    /// Waits for a resolved notification of the alert from each notifier. It must have fired before.
    pub(super) async fn resolves(&self, called: Called, within: Duration) {
        for webhook in self.webhooks() {
            let (_, past) = notification(webhook, Status::Firing, called, 0, Duration::ZERO).await;
            notification(webhook, Status::Resolved, called, past, within).await;
        }
        eprintln!("{called:?} is over");
    }

    /// That of Alertmanager, and Vigie's.
    fn webhooks(&self) -> [&Webhook; 2] {
        [&self.webhook, &self.own.webhook]
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

    /// Asserts that each of these alerts, and no other, was notified as firing and resolved, in readable text, by each
    /// notifier.
    pub(super) fn has_notified_of_all(&self, expected: &[Called]) {
        for webhook in self.webhooks() {
            let alerts = webhook.alerts().unwrap();
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

    /// Asserts that both notified of the same alerts in the same groups, with the same labels and annotations, which fired
    /// and resolved within an interval of each other.
    pub(super) async fn both_agree(&self) {
        let [theirs, ours] = self.webhooks().map(|webhook| webhook.alerts().unwrap());
        let [periods, own] = [&theirs, &ours].map(|alerts| Periods::of(alerts));
        assert!(periods.alerts().eq(own.alerts()), "{periods:#?}\n{own:#?}");
        let differences = periods.differences(&own, INTERVAL, Timestamp::now());
        let failed = self
            .prometheus
            .query("sum_over_time((1 - up)[30m:5s])")
            .await;
        assert!(
            differences.is_empty(),
            "{differences:#?}\nfailed scrapes of Prometheus: {failed:?}"
        );
        let (theirs, ours) = (texts(&theirs), texts(&ours));
        for (alert, texts) in &theirs {
            // A list of the worst routes may have one more at another time.
            let own = &ours[alert];
            assert!(!texts.is_disjoint(own), "{alert:?}: {texts:#?}\n{own:#?}");
        }
    }
}

/// The annotations with which each alert fired.
fn texts(alerts: &[Notified]) -> BTreeMap<Identity, BTreeSet<BTreeMap<String, String>>> {
    let mut texts = BTreeMap::<_, BTreeSet<_>>::new();
    for alert in alerts.iter().filter(|alert| alert.status == Status::Firing) {
        let annotations = alert.annotations.iter();
        let masked = annotations.map(|(name, text)| (name.clone(), mask(text)));
        let identity = (alert.group_key.clone(), alert.labels.clone());
        texts.entry(identity).or_default().insert(masked.collect());
    }
    texts
}

/// A text with `#` instead of numbers, with their units: the two scrape at different times, so values differ.
fn mask(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let core = word.trim_matches(['(', ')', ',', '.', ';', ':']);
        match core.starts_with(|first: char| first.is_ascii_digit()) {
            true => word.replace(core, "#"),
            false => word.to_owned(),
        }
    });
    let mut words: Vec<_> = words.collect();
    // A duration has one number or more.
    words.dedup_by(|later, word| later.starts_with('#') && word == "#");
    words.join(" ")
}

#[test]
fn numbers_are_masked() {
    let texts = [
        ("One takes longer than 1.5s", "One takes longer than #"),
        ("takes 1m 2s over 5 minutes;", "takes # over # minutes;"),
        ("500 on /a/b1 (6.13k/s), 501", "# on /a/b1 (#), #"),
        ("no number.", "no number."),
    ];
    for (text, masked) in texts {
        assert_eq!(mask(text), masked);
    }
}

/// Waits for a matching notification after the first `past` ones; returns it and the count so far.
async fn notification(
    webhook: &Webhook,
    status: Status,
    (name, severity, queue): Called,
    past: usize,
    within: Duration,
) -> (Notified, usize) {
    let mut labels = vec![("alertname", name), ("severity", severity)];
    labels.extend(queue.map(|queue| ("queue", queue)));
    let notified = webhook.wait_for(status, &labels, past, within).await;
    notified.unwrap()
}

fn called(alert: &Notified) -> (&str, &str, Option<&str>) {
    let label = |name| alert.labels.get(name).map(String::as_str);
    let certain = |name| label(name).unwrap_or_default();
    (certain("alertname"), certain("severity"), label("queue"))
}

/// A configuration that scrapes the stage's Vigie at this interval, and evaluates these rule files every second.
pub(super) fn scraping(stage: &Stage, every: &str, rules: &[PathBuf]) -> String {
    format!(
        "global: {{scrape_interval: {every}, scrape_timeout: {every}, evaluation_interval: 1s}}\n\
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
