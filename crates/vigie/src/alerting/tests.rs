//! The scheduler over a real history, on a virtual clock.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use vigie_metrics::{Desc, Family, Format, Gauge};
use vigie_notify::deliver::Failure;
use vigie_notify::dispatch::{Dispatcher, Limits as NotifyLimits, Plan};
use vigie_notify::forward::{self, Forwarder, Post};
use vigie_notify::service::Handle;
use vigie_notify::{State as AlertState, config};
use vigie_probes::Moment;
use vigie_store::Pattern;

use super::*;
use crate::history::Scraper;

static LOAD: Desc<Gauge, 1> = Desc::gauge("test_load", "A load.", &["host"]);
/// The wall clock at the start, a multiple of the scrape interval.
const START: i64 = 1_790_000_010_000;
const ROUTE: &str = "
route: {receiver: ops, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: ops, webhook_configs: [{url: 'https://example.org'}]}]
";
const RULES: &str = "
groups:
  - name: load
    rules:
      - record: load:double
        expr: test_load * 2
      - alert: Load
        expr: load:double > 10
        for: 30s
        annotations: {summary: 'load {{ $value }}'}
";

/// A process of Vigie: scraper, rules, and a notifier whose messages are not delivered.
struct Process {
    registry: Registry,
    load: Family<Gauge, 1>,
    history: Current,
    published: Published,
    reloader: Reloader,
    late_from: watch::Receiver<Option<Time>>,
    notifier: Handle,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

struct Stage {
    directory: TempDir,
    started: Instant,
    settings: Settings,
    tenure: Option<Tenure>,
    /// The most alerts of the notifier.
    notified: usize,
    /// Takes the place of the notifier.
    forwarder: Option<Forwarder>,
}

impl Stage {
    fn new(rules: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("rules.yml"), rules).unwrap();
        let mut settings = Settings::from_toml("[redis]\nurl = 'redis://127.0.0.1:1'").unwrap();
        settings.alerts.builtin.clear();
        settings.alerts.rules = vec![Pattern::new(directory.path(), "*.yml")];
        settings.alerts.path = Some(directory.path().join("state"));
        Self {
            directory,
            started: Instant::now(),
            settings,
            tenure: None,
            notified: NotifyLimits::default().alerts,
            forwarder: None,
        }
    }

    fn rewrite(&self, rules: &str) {
        std::fs::write(self.path("rules.yml"), rules).unwrap();
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn clock(&self) -> Clock {
        let started = self.started;
        Clock::new(move || Moment {
            elapsed: started.elapsed(),
            wall: Timestamp::from_millisecond(START).unwrap() + started.elapsed(),
        })
    }

    /// Starts a process; `history` is that of the process before.
    async fn start(&self, history: Option<Current>) -> Process {
        let registry = Registry::new();
        let history = history.unwrap_or(Current::in_memory(&self.settings.history).unwrap());
        let clock = self.clock();
        let address: SocketAddr = "127.0.0.1:9850".parse().unwrap();
        let scraper = Scraper::new(&registry, &history, address.to_string(), clock.clone());
        let plan = Plan::new(&config::load(ROUTE).unwrap());
        let dispatcher = Dispatcher::new(
            plan,
            NotifyLimits {
                alerts: self.notified,
                ..NotifyLimits::default()
            },
        );
        let now = clock.clone();
        let now = move || now.millis();
        let notifier = Handle::new(dispatcher, now);
        let edges = Edges {
            registry: &registry,
            history: &history,
            address,
            clock: &clock,
            notifier: Some(match &self.forwarder {
                Some(forwarder) => Notifier::Forwarder(forwarder.clone()),
                None => Notifier::Service(notifier.clone()),
            }),
            tenure: self.tenure.clone(),
        };
        let alerting = Alerting::build(&self.settings, edges).unwrap();
        let (published, reloader) = (alerting.published(), alerting.reloader());
        let late_from = alerting.parts.needs.late_from.clone();
        let stop = CancellationToken::new();
        let until = stop.clone();
        let scrapes = scraper.scrapes();
        let scraper = scraper.scrape_once().await;
        let tasks = vec![
            tokio::spawn(async move {
                let run = alerting.run(scrapes, TaskTracker::new(), until);
                run.await.unwrap();
            }),
            tokio::spawn(scraper.run(None, stop.clone())),
        ];
        let load = registry.family(&LOAD);
        let up = registry.family(&vigie_metrics::own::SOURCE_UP);
        up.set(["redis"], 1.0);
        up.set(["events"], 1.0);
        // Between two scrapes.
        tokio::time::sleep(Duration::from_millis(500)).await;
        Process {
            registry,
            load,
            history,
            published,
            reloader,
            late_from,
            notifier,
            stop,
            tasks,
        }
    }
}

/// Lets so many scrapes pass.
async fn scrapes(count: u32) {
    tokio::time::sleep(Duration::from_secs(15) * count).await;
}

impl Process {
    async fn end(self) -> Current {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
        self.history
    }

    /// The state of the alerts with this name in the API.
    fn shown(&self, name: &str) -> Vec<&'static str> {
        let groups = self.published.groups();
        let rules = groups.iter().flat_map(|group| &group.rules);
        let rules = rules.filter(|rule| rule.name == name);
        let alerts = rules.filter_map(|rule| rule.alerting.as_ref());
        let state = |alert: &vigie_api::rules::Alert| match (alert.unknown_since, alert.is_firing) {
            (Some(_), _) => "unknown",
            (None, true) => "firing",
            (None, false) => "pending",
        };
        alerts
            .flat_map(|alerting| alerting.alerts.iter().map(state))
            .collect()
    }

    /// The states of all alerts of the notifier.
    fn told(&self) -> Vec<AlertState> {
        self.notifier.read(|dispatcher, now| {
            let alerts = dispatcher.alerts();
            alerts.map(|(alert, _)| alert.state(now)).collect()
        })
    }

    fn metric(&self, line: &str) -> Option<f64> {
        let page = self.registry.expose(Format::Text);
        let mut lines = page.lines();
        lines.find_map(|found| found.strip_prefix(line)?.trim().parse().ok())
    }

    /// The values of a series in the history, with the time in scrapes since the start.
    fn samples(&self, selector: &str) -> Vec<(i64, f64)> {
        use vigie_promql::Storage as _;
        let Ok(vigie_promql::Expr::Selector(selector)) = vigie_promql::parse(selector) else {
            panic!("{selector}");
        };
        let matchers: Vec<_> = selector.all_matchers().collect();
        let selection = vigie_promql::storage::Selection {
            matchers: &matchers,
            start: i64::MIN,
            end: i64::MAX,
        };
        let mut found = Vec::new();
        let read = self
            .history
            .history()
            .select(&selection, &mut |_, samples| {
                found.extend(
                    samples
                        .iter()
                        .map(|one| ((one.time - START) / 15_000, one.value)),
                );
                std::ops::ControlFlow::Continue(())
            });
        read.unwrap();
        found
    }
}

#[tokio::test(start_paused = true)]
async fn an_alert_follows_the_scrapes() {
    let stage = Stage::new(RULES);
    let process = stage.start(None).await;
    process.load.set(["a"], 7.0);
    scrapes(1).await;
    assert_eq!(
        process.shown("Load"),
        ["pending"],
        "within half a second of the scrape"
    );
    assert_eq!(process.told(), []);
    scrapes(2).await;
    assert_eq!(process.shown("Load"), ["firing"]);
    assert_eq!(process.told(), [AlertState::Firing]);
    process.load.set(["a"], 1.0);
    scrapes(1).await;
    assert_eq!(process.shown("Load"), [""; 0]);
    assert_eq!(process.told(), [AlertState::Resolved]);

    let doubles = process.samples("load:double{host='a'}");
    assert_eq!(doubles, [(1, 14.0), (2, 14.0), (3, 14.0), (4, 2.0)]);
    let alerts = process.samples("ALERTS{alertname='Load',alertstate='firing',host='a'}");
    assert_eq!(alerts[0], (3, 1.0));
    assert!(alerts.len() == 2 && vigie_promql::value::is_stale(alerts[1].1));

    let group = format!("{};load", stage.path("rules.yml").display());
    let of_group = |name: &str| process.metric(&format!("{name}{{rule_group=\"{group}\"}}"));
    assert_eq!(of_group("vigie_rule_evaluations_total"), Some(8.0));
    assert_eq!(of_group("vigie_rule_evaluation_failures_total"), Some(0.0));
    assert_eq!(
        of_group("vigie_rule_group_iterations_missed_total"),
        Some(0.0)
    );
    assert_eq!(of_group("vigie_rule_group_interval_seconds"), Some(15.0));
    assert_eq!(
        process.metric("vigie_rule_alerts{state=\"firing\"}"),
        Some(0.0)
    );
    assert_eq!(process.metric("vigie_rule_state_disk_up"), Some(1.0));
    process.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_firing_alert_survives_a_restart() {
    let stage = Stage::new(RULES);
    let process = stage.start(None).await;
    process.load.set(["a"], 7.0);
    process.load.set(["b"], 7.0);
    scrapes(4).await;
    assert_eq!(process.shown("Load"), ["firing"; 2]);
    let history = process.end().await;

    let process = stage.start(Some(history)).await;
    // The new notifier knows them before the first evaluation.
    process.load.set(["a"], 8.0);
    process.load.set(["b"], 1.0);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(process.told(), [AlertState::Firing; 2]);
    scrapes(1).await;
    assert_eq!(process.shown("Load"), ["firing"], "whatever its `for`");
    let mut told = process.told();
    told.sort_by_key(|state| *state == AlertState::Firing);
    assert_eq!(told, [AlertState::Resolved, AlertState::Firing]);
    process.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_damaged_state_is_kept_aside() {
    let stage = Stage::new(RULES);
    let process = stage.start(None).await;
    process.load.set(["a"], 7.0);
    scrapes(4).await;
    let history = process.end().await;
    let file = stage.path("state/rules.state");
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&file, &bytes).unwrap();

    let process = stage.start(Some(history)).await;
    process.load.set(["a"], 7.0);
    scrapes(1).await;
    assert_eq!(process.shown("Load"), ["pending"]);
    process.end().await;
    let damaged = names(&stage.path("state"));
    assert!(
        damaged.iter().any(|name| name.contains("damaged")),
        "{damaged:?}"
    );
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_reload_keeps_the_state_of_unchanged_rules() {
    let stage = Stage::new(RULES);
    let process = stage.start(None).await;
    process.load.set(["a"], 7.0);
    scrapes(4).await;
    assert_eq!(process.shown("Load"), ["firing"]);

    stage.rewrite(&RULES.replace("> 10", "> > 10"));
    let mistakes = process.reloader.reload().await.unwrap_err();
    assert!(mistakes.contains("rules.yml:8:"), "{mistakes}");
    assert_eq!(
        process.metric("vigie_config_last_reload_successful"),
        Some(0.0)
    );
    scrapes(1).await;
    assert_eq!(
        process.shown("Load"),
        ["firing"],
        "the previous rules stay active"
    );

    let more = "      - {alert: More, expr: 'load:double > 12'}\n";
    stage.rewrite(&(RULES.to_owned() + more));
    process.reloader.reload().await.unwrap();
    assert_eq!(
        process.metric("vigie_config_last_reload_successful"),
        Some(1.0)
    );
    assert_eq!(process.shown("Load"), ["firing"]);
    scrapes(1).await;
    assert_eq!(process.shown("More"), ["firing"]);
    let alerts = process.samples("ALERTS{alertname='Load',alertstate='firing'}");
    assert!(alerts.iter().all(|(_, value)| *value == 1.0), "{alerts:?}");

    stage.rewrite("groups: []");
    process.reloader.reload().await.unwrap();
    assert_eq!(process.published.groups().len(), 0);
    assert_eq!(process.told(), [AlertState::Resolved; 2]);
    process.end().await;
}

/// The CPU time of this thread.
fn cpu() -> Duration {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanos = schedstat.split(' ').next().unwrap();
    Duration::from_nanos(nanos.parse().unwrap())
}

/// The thread of the runtime also serves the admin port.
#[tokio::test(start_paused = true)]
async fn a_reload_of_many_rules_does_not_occupy_the_runtime() {
    let stage = Stage::new("groups: []");
    let process = stage.start(None).await;
    let groups = (0..100).map(|group| {
        let rules = (0..50).map(|rule| {
            format!("  - {{alert: A{rule}, expr: test_load > {rule}, for: 1m, labels: {{a: b}}}}\n")
        });
        format!("- name: g{group}\n  rules:\n{}", rules.collect::<String>())
    });
    stage.rewrite(&format!("groups:\n{}", groups.collect::<String>()));
    process.reloader.reload().await.unwrap();

    // The least that a reload does, on this thread.
    let loaded = load::load(&stage.settings.alerts, Features::default()).unwrap();
    let fresh = || -> Vec<Group> {
        let files = loaded.files.iter();
        let defaults = engine::defaults(&stage.settings, "127.0.0.1:9850".parse().unwrap());
        files
            .flat_map(|file| {
                let groups = file.rules.groups.iter();
                groups.map(|group| Group::new(&file.name, group, &defaults))
            })
            .collect()
    };
    let (old, new) = (fresh(), fresh());
    let before = cpu();
    for (old, mut new) in old.into_iter().zip(new) {
        new.adopt(old, START);
        drop((Shown::of(&new, None, Duration::ZERO), new.save()));
    }
    let least = cpu() - before;

    let before = cpu();
    process.reloader.reload().await.unwrap();
    let taken = cpu() - before;
    assert!(
        taken < least / 2,
        "{taken:?} of the runtime, and {least:?} for the groups alone"
    );
    assert_eq!(process.published.groups().len(), 100);
    process.end().await;
}

/// Keeps the ends of the alerts that it gets, in seconds after [`START`].
#[derive(Clone, Default)]
struct Ends(Arc<parking_lot::Mutex<Vec<i64>>>);

impl Post for Ends {
    fn name(&self) -> &str {
        "am:9093"
    }

    async fn post(&self, body: Vec<u8>) -> Result<(), Failure> {
        let alerts: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
        let ends = alerts.iter().map(|alert| {
            let end: Timestamp = alert["endsAt"].as_str().unwrap().parse().unwrap();
            (end.as_millisecond() - START) / 1_000
        });
        self.0.lock().extend(ends);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn forwarded_alerts_are_valid_for_the_interval_of_the_reloaded_rules() {
    let mut stage = Stage::new(RULES);
    let clock = stage.clock();
    let settings = forward::Settings::default();
    let forwarder = Forwarder::new(settings, &Registry::new(), move || clock.millis());
    stage.forwarder = Some(forwarder.clone());
    let (ends, stop) = (Ends::default(), CancellationToken::new());
    let (to, until) = (ends.clone(), stop.clone());
    let forwarding = tokio::spawn(async move { forwarder.run(to, until).await });
    let process = stage.start(None).await;
    process.load.set(["a"], 7.0);
    scrapes(4).await;
    let last = || ends.0.lock().last().copied();
    let at_first = last().unwrap();
    assert!(at_first < 60 + 4 * 60, "{at_first}");
    stage.rewrite(&RULES.replace("name: load", "name: load\n    interval: 5m"));
    process.reloader.reload().await.unwrap();
    scrapes(5).await;
    assert!(last() > Some(4 * 300), "{:?}", ends.0);
    stage.rewrite(RULES);
    process.reloader.reload().await.unwrap();
    scrapes(5).await;
    assert!(last() < Some(240 + 4 * 60), "{:?}", ends.0);
    stop.cancel();
    forwarding.await.unwrap();
    process.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_alert_whose_source_cannot_be_read_does_not_resolve() {
    let stage = Stage::new(
        "groups: [{name: g, rules: [{record: 'w:w', expr: bullmq_workers}, {alert: NoWorkers, expr: 'w:w < 1'}]}]",
    );
    let process = stage.start(None).await;
    let workers = process
        .registry
        .family(&vigie_bullmq::metrics::BULLMQ_WORKERS);
    let up = process.registry.family(&vigie_metrics::own::SOURCE_UP);
    workers.set(["bull", "mail"], 0.0);
    scrapes(2).await;
    assert_eq!(process.shown("NoWorkers"), ["firing"]);
    up.set(["redis"], 0.0);
    workers.forget(["bull", "mail"]);
    scrapes(2).await;
    assert_eq!(process.shown("NoWorkers"), ["unknown"]);
    assert_eq!(process.told(), [AlertState::Unknown]);
    assert_eq!(
        process.metric("vigie_rule_alerts{state=\"unknown\"}"),
        Some(1.0)
    );
    let alerts = process.samples("ALERTS{alertname='NoWorkers',alertstate='firing'}");
    let last = alerts.last().unwrap().1;
    assert!(
        vigie_promql::value::is_stale(last),
        "the verdict is that of Prometheus"
    );
    up.set(["redis"], 1.0);
    scrapes(1).await;
    // The workers are counted later than the jobs.
    assert_eq!(process.shown("NoWorkers"), ["unknown"]);
    workers.set(["bull", "mail"], 3.0);
    scrapes(3).await;
    assert_eq!(process.shown("NoWorkers"), [""; 0]);
    assert_eq!(process.told(), [AlertState::Resolved]);
    process.end().await;
}

#[tokio::test(start_paused = true)]
async fn only_the_elected_replica_notifies() {
    let mut stage = Stage::new(RULES);
    let tenure = Tenure::default();
    stage.tenure = Some(tenure.clone());
    let process = stage.start(None).await;
    process.load.set(["a"], 7.0);
    scrapes(4).await;
    assert_eq!(process.shown("Load"), ["firing"], "every replica evaluates");
    assert_eq!(process.told(), []);
    tenure.set(Some(Instant::now() + Duration::from_secs(3_600)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(process.told(), [AlertState::Firing], "at the takeover");
    tenure.set(None);
    process.load.set(["a"], 1.0);
    scrapes(1).await;
    assert_eq!(process.shown("Load"), [""; 0]);
    assert_eq!(
        process.told(),
        [AlertState::Firing],
        "another replica tells"
    );
    process.end().await;
}

#[tokio::test(start_paused = true)]
async fn groups_with_other_intervals_follow_the_clock() {
    let stage = Stage::new(
        "groups: [{name: g, interval: 4s, rules: [{record: 'n:n', expr: 'vector(time())'}]}]",
    );
    let process = stage.start(None).await;
    tokio::time::sleep(Duration::from_secs(41)).await;
    let group = &process.published.groups()[0];
    let first = group.last_evaluation.unwrap();
    assert!((10..=11).contains(&process.samples("n:n").len()));
    tokio::time::sleep(Duration::from_secs(4)).await;
    let next = process.published.groups()[0].last_evaluation.unwrap();
    assert_eq!(next - first, 4_000);
    process.end().await;
}

#[tokio::test(start_paused = true)]
async fn all_groups_share_the_bound_of_alerts() {
    let mut stage = Stage::new(
        "groups: [{name: a, rules: [{alert: A, expr: test_load > 0}, {alert: B, expr: test_load > 0}]}, {name: b, rules: [{alert: C, expr: test_load > 0}]}]",
    );
    stage.settings.alerts.max_alerts = 4;
    let process = stage.start(None).await;
    let shown = |process: &Process| ["A", "B", "C"].map(|name| process.shown(name).len());
    let sum = |process: &Process| shown(process).iter().sum::<usize>();
    for host in ["a", "b", "c"] {
        process.load.set([host], 1.0);
    }
    scrapes(2).await;
    assert_eq!(sum(&process), 4, "{:?}", shown(&process));
    assert!(process.metric("vigie_rule_alerts_refused_total").unwrap() >= 5.0);
    // Places that become free are taken by others.
    process.load.set(["a"], 0.0);
    process.load.set(["b"], 0.0);
    scrapes(3).await;
    assert_eq!(shown(&process), [1, 1, 1]);
    let reloaded = process.reloader.reload().await;
    reloaded.unwrap();
    process.load.set(["a"], 1.0);
    scrapes(2).await;
    assert_eq!(sum(&process), 4, "after a reload");
    let history = process.end().await;

    stage.settings.alerts.max_alerts = 3;
    let process = stage.start(Some(history)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(sum(&process), 3, "of the saved ones");
    assert_eq!(process.metric("vigie_rule_alerts_refused_total"), Some(1.0));
    process.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_state_that_is_no_json_is_kept_aside() {
    let stage = Stage::new(RULES);
    let path = stage.path("state");
    let directory = vigie_store::Directory::open(&path).unwrap();
    let kind = vigie_store::Kind::new(*b"RULE", 1);
    directory.save("rules.state", kind, b"{").unwrap();
    drop(directory);
    let written = std::fs::read(path.join("rules.state")).unwrap();
    let process = stage.start(None).await;
    process.load.set(["a"], 7.0);
    scrapes(2).await;
    assert_eq!(process.shown("Load"), ["pending"]);
    assert_eq!(process.metric("vigie_rule_state_disk_up"), Some(1.0));
    process.end().await;
    assert_eq!(
        std::fs::read(path.join("rules.state.damaged")).unwrap(),
        written
    );
}

#[tokio::test(start_paused = true)]
async fn a_group_is_late_after_three_of_its_own_intervals() {
    let file = |interval: &str| {
        format!(
            "groups: [{{name: slow, interval: {interval}, rules: [{{record: a, expr: '1'}}]}}, {{name: fast, interval: 15s, rules: [{{record: b, expr: '1'}}]}}]"
        )
    };
    let stage = Stage::new(&file("10m"));
    let process = stage.start(None).await;
    assert_eq!(*process.late_from.borrow(), None, "before an evaluation");
    scrapes(4).await;
    assert_eq!(*process.late_from.borrow(), Some(START + 7 * 15_000));
    // Longer intervals count from the reload.
    stage.rewrite(&file("10m").replace("15s", "30s"));
    process.reloader.reload().await.unwrap();
    scrapes(4).await;
    let last = process
        .published
        .groups()
        .iter()
        .find(|group| group.name == "fast")
        .and_then(|group| group.last_evaluation);
    assert_eq!(*process.late_from.borrow(), Some(last.unwrap() + 90_000));
    process.end().await;
}

#[tokio::test(start_paused = true)]
async fn refused_alerts_of_a_takeover_are_counted() {
    let mut stage = Stage::new("groups: [{name: g, rules: [{alert: Load, expr: test_load > 0}]}]");
    stage.notified = 1;
    let tenure = Tenure::default();
    stage.tenure = Some(tenure.clone());
    let process = stage.start(None).await;
    for host in ["a", "b", "c"] {
        process.load.set([host], 1.0);
    }
    scrapes(2).await;
    assert_eq!(process.metric("vigie_rule_alerts_refused_total"), Some(0.0));
    tenure.set(Some(Instant::now() + Duration::from_secs(3_600)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(process.told(), [AlertState::Firing]);
    assert_eq!(process.metric("vigie_rule_alerts_refused_total"), Some(2.0));
    process.end().await;
}

#[tokio::test(start_paused = true)]
async fn alerts_have_a_bound() {
    let mut stage = Stage::new("groups: [{name: g, rules: [{alert: Load, expr: test_load > 0}]}]");
    stage.settings.alerts.max_alerts = 3;
    let process = stage.start(None).await;
    for host in ["a", "b", "c", "d", "e"] {
        process.load.set([host], 1.0);
    }
    scrapes(2).await;
    assert_eq!(process.shown("Load"), ["firing"; 3]);
    assert!(process.metric("vigie_rule_alerts_refused_total").unwrap() >= 2.0);
    process.end().await;
}
