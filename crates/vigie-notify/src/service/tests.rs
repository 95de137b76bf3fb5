use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use vigie_metrics::{Format, Registry};
use vigie_promql::Labels;

use super::*;
use crate::deliver::Cause;
use crate::dispatch::FAILING;
use crate::{Alert, config};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// The time at the start of a test.
const START: Time = 1_700_000_000_000;

const CONFIG: &str = "
route: {receiver: ops, group_wait: 1s, group_interval: 5m, repeat_interval: 4h, group_by: [alertname]}
receivers: [{name: ops, webhook_configs: [{url: 'http://x'}]}]
";
const TWO: &str = "
route: {receiver: ops, group_wait: 1s, group_interval: 5m, repeat_interval: 4h, group_by: [alertname]}
receivers:
  - {name: ops, webhook_configs: [{url: 'http://x'}]}
  - {name: dev, webhook_configs: [{url: 'http://x'}]}
";

/// The answer of a receiver.
#[derive(Clone)]
enum Answer {
    Accept,
    Fail(Cause),
    /// With the header `Retry-After`.
    Limit(u64),
    Hang,
    Panic,
}

type Answers = Box<dyn Fn(&Message) -> Answer + Send + Sync>;

/// A receiver that answers as a test says, and a log of what it got.
struct Receiver {
    begin: Instant,
    answers: Mutex<Answers>,
    /// Messages with their time and whether they were accepted.
    log: Mutex<Vec<String>>,
    attempts: AtomicUsize,
}

impl Deliver for Receiver {
    async fn send(&self, message: &Message) -> Result<(), Failure> {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        let answer = (self.answers.lock())(message);
        let names = |alerts: &[Alert]| {
            let names = alerts
                .iter()
                .map(|alert| alert.labels.get("alertname").to_owned());
            names.collect::<Vec<_>>().join(",")
        };
        let fail = |cause, retry_after| Failure {
            cause,
            retry_after,
            text: "no".to_owned(),
        };
        let (word, result) = match answer {
            Answer::Accept => ("ok", Ok(())),
            Answer::Fail(cause) => (cause.name(), Err(fail(cause, None))),
            Answer::Limit(seconds) => {
                let wait = Duration::from_secs(seconds);
                ("limited", Err(fail(Cause::RateLimited, Some(wait))))
            }
            Answer::Hang => {
                sleep(365 * 24 * 60 * MINUTE).await;
                unreachable!("the deadline of the service is shorter");
            }
            Answer::Panic => panic!("the delivery of a test panics"),
        };
        self.log.lock().push(format!(
            "{} {} [{}] [{}] {word}",
            self.begin.elapsed().as_secs(),
            message.receiver,
            names(&message.firing),
            names(&message.resolved),
        ));
        result
    }
}

/// A service on a virtual clock.
struct World {
    config: &'static str,
    receiver: Arc<Receiver>,
    directory: Option<TempDir>,
    handle: Handle,
    registry: Registry,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl World {
    async fn start(config: &'static str) -> Self {
        Self::with(config, None, Settings::default()).await
    }

    async fn on_disk(config: &'static str) -> Self {
        let directory = Some(TempDir::new().unwrap());
        Self::with(config, directory, Settings::default()).await
    }

    async fn with(config: &'static str, directory: Option<TempDir>, settings: Settings) -> Self {
        let receiver = Arc::new(Receiver {
            begin: Instant::now(),
            answers: Mutex::new(Box::new(|_| Answer::Accept)),
            log: Mutex::default(),
            attempts: AtomicUsize::new(0),
        });
        let (handle, registry, stop, running) =
            begin(config, &receiver, directory.as_ref(), settings);
        Self {
            config,
            receiver,
            directory,
            handle,
            registry,
            stop,
            running,
        }
    }

    fn answer(&self, answers: impl Fn(&Message) -> Answer + Send + Sync + 'static) {
        *self.receiver.answers.lock() = Box::new(answers);
    }

    /// These answers, then acceptance.
    fn answers(&self, answers: impl IntoIterator<Item = Answer>) {
        let answers: Mutex<VecDeque<_>> = Mutex::new(answers.into_iter().collect());
        self.answer(move |_| answers.lock().pop_front().unwrap_or(Answer::Accept));
    }

    fn fire(&self, names: &[&str]) {
        let now = self.handle.now();
        let alerts = names.iter().map(|name| Alert::firing(labels(name), now));
        assert_eq!(self.handle.observe(alerts.collect()), 0);
    }

    fn resolve(&self, names: &[&str]) {
        let now = self.handle.now();
        let alerts = names.iter().map(|name| Alert {
            ends_at: Some(now),
            ..Alert::firing(labels(name), now)
        });
        assert_eq!(self.handle.observe(alerts.collect()), 0);
    }

    #[track_caller]
    fn expect(&self, expected: &[&str]) {
        let log = std::mem::take(&mut *self.receiver.log.lock());
        assert_eq!(log, expected);
    }

    fn metric(&self, series: &str) -> Option<f64> {
        let page = self.registry.expose(Format::Text);
        let mut lines = page.lines();
        let line = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map(|value| value.parse().unwrap())
    }

    async fn stop(&mut self) {
        self.stop.cancel();
        (&mut self.running).await.unwrap();
    }

    /// Ends the service as `kill -9` would, and starts it again from its files.
    async fn crash(&mut self) {
        self.running.abort();
        let _ = (&mut self.running).await;
        self.restart().await;
    }

    async fn restart(&mut self) {
        // A write that has begun keeps the directory locked.
        let directory = self.directory.as_ref();
        while let Some(path) = directory
            && Directory::open(path.path()).is_err()
        {
            tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(1)))
                .await
                .unwrap();
        }
        (self.handle, self.registry, self.stop, self.running) =
            begin(self.config, &self.receiver, directory, Settings::default());
    }
}

type Begun = (Handle, Registry, CancellationToken, JoinHandle<()>);

fn begin(
    config: &str,
    receiver: &Arc<Receiver>,
    directory: Option<&TempDir>,
    settings: Settings,
) -> Begun {
    let plan = Plan::new(&config::load(config).unwrap_or_else(|problems| panic!("{problems}")));
    let directory = directory.map(|directory| Arc::new(Directory::open(directory.path()).unwrap()));
    let registry = Registry::new();
    let begin = receiver.begin;
    let clock = move || START + crate::millis(begin.elapsed());
    let settings = Settings {
        directory,
        ..settings
    };
    let service = Service::open(plan, settings, &registry, clock).unwrap();
    let (handle, stop) = (service.handle(), CancellationToken::new());
    let running = tokio::spawn(service.run(Arc::clone(receiver), stop.clone()));
    (handle, registry, stop, running)
}

fn labels(name: &str) -> Labels {
    Labels::new([("alertname", name)])
}

#[tokio::test(start_paused = true)]
async fn messages_are_delivered_on_time() {
    let world = World::start(CONFIG).await;
    world.fire(&["A"]);
    sleep(10 * SECOND).await;
    world.resolve(&["A"]);
    sleep(10 * MINUTE).await;
    world.expect(&["1 ops [A] [] ok", "301 ops [] [A] ok"]);
    let labels = "{receiver=\"ops\",integration=\"webhook/0\"}";
    assert_eq!(
        world.metric(&format!("vigie_notifications_total{labels}")),
        Some(2.0)
    );
    assert_eq!(
        world.metric(&format!("vigie_notifications_receiver_up{labels}")),
        Some(1.0)
    );
    assert_eq!(world.metric("vigie_notifications_alerts"), Some(0.0));
}

/// A1: "429 without a second attempt".
#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_retried_when_the_receiver_says() {
    let world = World::start(CONFIG).await;
    world.answers([Answer::Limit(30), Answer::Limit(0)]);
    world.fire(&["A"]);
    sleep(MINUTE).await;
    let log = std::mem::take(&mut *world.receiver.log.lock());
    assert_eq!(log[0], "1 ops [A] [] limited");
    let at = |line: &str| line.split(' ').next().unwrap().parse::<u64>().unwrap();
    // Up to a fifth is added at random, and the second wait is the second of the growing ones.
    assert!((31..=37).contains(&at(&log[1])), "{log:?}");
    assert!((10..=12).contains(&(at(&log[2]) - at(&log[1]))), "{log:?}");
    assert!(log[2].ends_with("[A] [] ok") && log.len() == 3, "{log:?}");
}

/// A1: "resolve lost before a flush".
#[tokio::test(start_paused = true)]
async fn a_resolution_just_before_a_restart_is_sent_after_it() {
    let mut world = World::on_disk(CONFIG).await;
    world.fire(&["A"]);
    sleep(10 * SECOND).await;
    world.resolve(&["A"]);
    world.handle.saved().await;
    world.crash().await;
    sleep(10 * MINUTE).await;
    world.expect(&["1 ops [A] [] ok", "301 ops [] [A] ok"]);
}

/// A1: "failed firing then cleared".
#[tokio::test(start_paused = true)]
async fn an_alert_that_cleared_before_it_was_delivered_is_counted_and_not_resolved() {
    let world = World::start(CONFIG).await;
    world.answer(|_| Answer::Fail(Cause::Unreachable));
    world.fire(&["A"]);
    sleep(2 * SECOND).await;
    world.resolve(&["A"]);
    sleep(SECOND).await;
    world.answer(|_| Answer::Accept);
    sleep(60 * MINUTE).await;
    world.expect(&["1 ops [A] [] unreachable"]);
    let series =
        "vigie_notifications_undelivered_total{receiver=\"ops\",integration=\"webhook/0\"}";
    assert_eq!(world.metric(series), Some(1.0));
    assert_eq!(
        world
            .handle
            .read(|dispatcher, _| dispatcher.undelivered().count()),
        1
    );
}

/// A1: "failed firing then cleared", when the message may have arrived.
#[tokio::test(start_paused = true)]
async fn an_alert_that_may_have_been_delivered_is_resolved() {
    let world = World::start(CONFIG).await;
    world.answers([Answer::Hang]);
    world.fire(&["A"]);
    sleep(10 * SECOND).await;
    world.resolve(&["A"]);
    sleep(60 * MINUTE).await;
    let log = world.receiver.log.lock().clone();
    assert_eq!(log.len(), 1);
    assert!(log[0].ends_with("[] [A] ok"), "{log:?}");
}

/// A1: "restart": the state of notifications survives it, so that nothing is repeated.
#[tokio::test(start_paused = true)]
async fn a_restart_repeats_nothing_and_keeps_the_repetition() {
    let mut world = World::on_disk(CONFIG).await;
    world.fire(&["A"]);
    sleep(MINUTE).await;
    for _ in 0..3 {
        world.stop().await;
        world.restart().await;
        world.fire(&["A"]);
        sleep(MINUTE).await;
    }
    sleep(4 * 60 * MINUTE).await;
    world.expect(&["1 ops [A] [] ok", "14401 ops [A] [] ok"]);
}

/// A1: "invisible failure".
#[tokio::test(start_paused = true)]
async fn a_failing_receiver_is_reported_through_another_one() {
    for (cause, reason) in [
        (Cause::Credentials, "credentials"),
        (Cause::NotFound, "not_found"),
    ] {
        let mut world = World::on_disk(TWO).await;
        world.answer(move |message| match &*message.receiver {
            "ops" => Answer::Fail(cause),
            _ => Answer::Accept,
        });
        world.fire(&["A"]);
        sleep(30 * SECOND).await;
        let failed = format!("1 ops [A] [] {reason}");
        world.expect(&[&failed, &format!("1 dev [{FAILING}] [] ok")]);
        let up = "vigie_notifications_receiver_up{receiver=\"ops\",integration=\"webhook/0\"}";
        assert_eq!(world.metric(up), Some(0.0));
        // It is still known after a restart, and slowly tried again.
        world.crash().await;
        world.answer(|_| Answer::Accept);
        sleep(6 * MINUTE).await;
        let log = std::mem::take(&mut *world.receiver.log.lock());
        assert_eq!(log.len(), 2, "{log:?}");
        assert!(log[0].ends_with("ops [A] [] ok"), "{log:?}");
        assert_eq!(log[1], format!("301 dev [] [{FAILING}] ok"));
        assert_eq!(world.metric(up), Some(1.0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_fails_for_ten_minutes_gets_the_alerts_of_then() {
    for failure in [
        Answer::Fail(Cause::Server),
        Answer::Fail(Cause::Answer),
        Answer::Fail(Cause::NoAnswer),
        Answer::Panic,
        Answer::Hang,
    ] {
        let world = World::start(CONFIG).await;
        let begin = world.receiver.begin;
        world.answer(move |_| match begin.elapsed() < 10 * MINUTE {
            true => failure.clone(),
            false => Answer::Accept,
        });
        world.fire(&["A"]);
        sleep(5 * MINUTE).await;
        world.fire(&["B"]);
        sleep(12 * MINUTE).await;
        let log = world.receiver.log.lock().clone();
        let delivered: Vec<_> = log
            .iter()
            .filter_map(|line| line.strip_suffix(" ok"))
            .collect();
        let about = |name: &str| delivered.iter().filter(|line| line.contains(name)).count();
        assert_eq!((about("[A]"), about("[B]")), (1, 1), "{log:?}");
        // The waits grow.
        let attempts = world.receiver.attempts.load(Ordering::Relaxed);
        assert!((6..=14).contains(&attempts), "{attempts} attempts");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_collapsed() {
    let settings = Settings {
        max_messages_per_minute: 5,
        ..Settings::default()
    };
    let world = World::with(CONFIG, None, settings).await;
    let names: Vec<String> = (0..500).map(|number| format!("A{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.fire(&names);
    sleep(MINUTE).await;
    assert_eq!(world.receiver.attempts.load(Ordering::Relaxed), 1);
    sleep(60 * MINUTE).await;
    // All of them count as delivered.
    assert_eq!(world.receiver.attempts.load(Ordering::Relaxed), 1);
    world.resolve(&names);
    sleep(10 * MINUTE).await;
    assert_eq!(world.receiver.attempts.load(Ordering::Relaxed), 2);
    assert_eq!(world.metric("vigie_notifications_alerts"), Some(0.0));
}

/// Another replica notifies while the gate is closed.
#[tokio::test(start_paused = true)]
async fn a_replica_that_takes_over_announces_what_the_other_may_not_have() {
    let is_elected = Arc::new(AtomicBool::new(true));
    let gate = Arc::clone(&is_elected);
    let settings = Settings {
        gate: Gate::new(move || gate.load(Ordering::Relaxed)),
        ..Settings::default()
    };
    let world = World::with(CONFIG, None, settings).await;
    world.fire(&["Announced", "Cleared"]);
    sleep(10 * SECOND).await;
    world.expect(&["1 ops [Announced] [] ok", "1 ops [Cleared] [] ok"]);

    // A message that waits for its receiver when the tenure ends.
    world.answer(|_| Answer::Fail(Cause::Server));
    world.fire(&["Late"]);
    sleep(2 * SECOND).await;
    world.expect(&["11 ops [Late] [] server"]);
    is_elected.store(false, Ordering::Relaxed);
    world.answer(|_| Answer::Accept);
    sleep(300 * MINUTE).await;
    world.expect(&[]);

    is_elected.store(true, Ordering::Relaxed);
    let now = world.handle.now();
    let since = now - crate::millis(10 * MINUTE);
    let firing = ["Announced", "Late", "New"];
    let firing = firing.map(|name| Alert::firing(labels(name), since));
    let resolved = ["Cleared", "Unheard"].map(|name| Alert {
        ends_at: Some(now - 1),
        ..Alert::firing(labels(name), since)
    });
    assert_eq!(
        world
            .handle
            .take_over([firing.as_slice(), &resolved].concat()),
        0
    );
    sleep(MINUTE).await;
    let mut log = std::mem::take(&mut *world.receiver.log.lock());
    log.sort_unstable();
    // The first one is repeated because its interval is over.
    assert_eq!(
        log,
        [
            "18012 ops [Announced] [] ok",
            "18012 ops [Late] [] ok",
            "18012 ops [New] [] ok",
            "18012 ops [] [Cleared] ok",
            "18012 ops [] [Unheard] ok",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn changes_are_on_disk_when_they_return() {
    let mut world = World::on_disk(CONFIG).await;
    world.fire(&["A"]);
    sleep(2 * SECOND).await;
    let acknowledgement = crate::dispatch::Acknowledgement {
        by: "ann".into(),
        at: world.handle.now(),
        comment: String::new(),
    };
    let changed = world
        .handle
        .change(|dispatcher, now| dispatcher.acknowledge(now, &labels("A"), acknowledgement));
    changed.await.unwrap();
    world.crash().await;
    let acknowledged = world.handle.read(|dispatcher, _| {
        let mut alerts = dispatcher.alerts();
        alerts.any(|(_, acknowledgement)| acknowledgement.is_some())
    });
    assert!(acknowledged);
}

#[tokio::test(start_paused = true)]
async fn alerts_of_rules_that_are_gone_are_resolved() {
    let world = World::start(CONFIG).await;
    world.fire(&["A", "B"]);
    let of_a_client = Alert {
        ends_at: Some(START + 3_600_000),
        ..Alert::firing(labels("C"), START)
    };
    world.handle.observe(vec![of_a_client]);
    sleep(10 * SECOND).await;
    world
        .handle
        .replace(vec![Alert::firing(labels("B"), START)]);
    sleep(10 * MINUTE).await;
    let log = world.receiver.log.lock().clone();
    assert_eq!(log.len(), 4, "{log:?}");
    assert_eq!(log[3], "301 ops [] [A] ok");
}

#[tokio::test(start_paused = true)]
async fn another_configuration_keeps_what_remains() {
    let mut world = World::on_disk(CONFIG).await;
    world.fire(&["A"]);
    sleep(10 * SECOND).await;
    let config = CONFIG.replace("route: {", "route: {routes: [{matchers: [x=y]}], ");
    world
        .handle
        .reconfigure(Plan::new(&config::load(&config).unwrap()));
    world.resolve(&["A"]);
    world.handle.saved().await;
    world.config = Box::leak(config.into_boxed_str());
    world.crash().await;
    sleep(10 * MINUTE).await;
    world.expect(&["1 ops [A] [] ok", "301 ops [] [A] ok"]);
}

/// The content of each file is cut or changed at many places; the service starts, and what fires is sent.
#[tokio::test(start_paused = true)]
async fn a_damaged_state_costs_at_most_a_repetition() {
    let mut world = World::on_disk(CONFIG).await;
    world.fire(&["A", "B"]);
    sleep(10 * SECOND).await;
    world.stop().await;
    let path = world
        .directory
        .as_ref()
        .unwrap()
        .path()
        .join("notifications.log");
    let bytes = std::fs::read(&path).unwrap();
    for at in (8..bytes.len()).step_by(37) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        if at % 2 == 0 {
            damaged.truncate(at);
        }
        std::fs::write(&path, &damaged).unwrap();
        world.receiver.log.lock().clear();
        world.restart().await;
        world.fire(&["A", "B", "C"]);
        sleep(20 * SECOND).await;
        let log = world.receiver.log.lock().clone();
        assert!(log.iter().any(|line| line.contains("[C]")), "{at}: {log:?}");
        world.resolve(&["A", "B", "C"]);
        sleep(10 * MINUTE).await;
        assert_eq!(
            world
                .handle
                .read(|dispatcher, _| dispatcher.alerts().count()),
            0
        );
        let log = world.receiver.log.lock().clone();
        for name in ["A", "B", "C"] {
            assert!(
                log.iter()
                    .any(|line| line.contains(&format!("[] [{name}] ok"))),
                "{at}: {log:?}"
            );
        }
        world.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn messages_are_sent_although_the_state_cannot_be_saved() {
    let world = World::on_disk(CONFIG).await;
    sleep(SECOND).await;
    // The whole state is written next, which needs a new file: its names are taken by directories.
    let path = world.directory.as_ref().unwrap().path();
    for name in ["new", "1.new", "2.new", "3.new"] {
        std::fs::create_dir(path.join(format!("notifications.log.{name}"))).unwrap();
    }
    let config = config::load(CONFIG).unwrap();
    world.handle.reconfigure(Plan::new(&config));
    world.fire(&["A"]);
    sleep(10 * SECOND).await;
    world.expect(&["2 ops [A] [] ok"]);
    world.handle.saved().await;
    // It is saved once that is possible, without another change.
    for name in ["new", "1.new", "2.new", "3.new"] {
        std::fs::remove_dir(path.join(format!("notifications.log.{name}"))).unwrap();
    }
    sleep(MINUTE).await;
    let mut world = world;
    world.crash().await;
    sleep(10 * MINUTE).await;
    world.expect(&[]);
}

/// Records as they are written, with changed bytes, are read or skipped, and the dispatcher works with what is read.
#[test]
fn any_record_is_read_or_skipped() {
    let plan = Plan::new(&config::load(TWO).unwrap());
    let mut dispatcher = Dispatcher::new(plan.clone(), Limits::default());
    for name in ["A", "B"] {
        let alert = Alert::firing(labels(name), 0);
        dispatcher.observe(0, alert).unwrap();
    }
    let mut records = vec![serde_json::to_vec(&dispatcher.take_changes()).unwrap()];
    for sent in dispatcher.advance(1_000).notifications {
        dispatcher.attempt(sent.id);
    }
    records.push(serde_json::to_vec(&dispatcher.take_changes()).unwrap());
    let whole = read_state(&[&*records[0], &*records[1]], plan.clone(), 2_000);
    assert_eq!(whole.alerts().count(), 2);
    for at in 0..records[1].len() {
        for byte in [b'0', b'9', b'-', b'"', b'}', b'x', 0xff] {
            let mut changed = records[1].clone();
            changed[at] = byte;
            let mut read = read_state(&[&*records[0], &*changed], plan.clone(), 2_000);
            for now in [2_000, 400_000, Time::MAX / 2] {
                for sent in read.advance(now).notifications {
                    read.attempt(sent.id);
                }
                read.recover(now);
                let _ = read.listing(now, |_| true);
            }
        }
    }
}
