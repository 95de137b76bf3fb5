//! The process that is killed: a rule engine, the service, and a receiver that writes into a file.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use vigie_metrics::Registry;
use vigie_notify::deliver::{Cause, Failure};
use vigie_notify::dispatch::Plan;
use vigie_notify::service::{Deliver, Service, Settings};
use vigie_notify::{Alert, Message, Time, config};
use vigie_promql::Labels;
use vigie_store::Directory;

pub(crate) const PROGRESS: &str = "progress";
pub(crate) const LOG: &str = "receivers";
const ALERTS: u64 = 12;
/// The steps after which there are other alerts.
const EPOCH: u64 = 24;
const START: Time = 1_700_000_000_000;

const CONFIG: &str = "
route:
  receiver: ops
  group_by: [team]
  group_wait: 2s
  group_interval: 10s
  repeat_interval: 240h
  routes: [{matchers: [team=t1], receiver: dev, group_by: ['...'], continue: true}, {}]
receivers:
  - {name: ops, webhook_configs: [{url: 'http://x'}]}
  - {name: dev, webhook_configs: [{url: 'http://x'}]}
";

/// Where and what to run.
pub(crate) struct Place {
    pub(crate) directory: PathBuf,
    /// The number of the process.
    pub(crate) run: u64,
    /// The first step of the script.
    pub(crate) begin: u64,
    /// The step before which to end; then everything is delivered.
    pub(crate) end: u64,
}

/// Numbers that look random: SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// The alerts of the script after so many steps. They are replaced by others now and then, so that no later message about
/// the same alert hides a lost one.
fn alerts(steps: u64) -> impl Iterator<Item = u64> {
    let first = steps / EPOCH * ALERTS;
    first..first + ALERTS
}

/// The alert that a step of the script turns on or off.
fn changed(step: u64) -> u64 {
    step / EPOCH * ALERTS + Random(step).next() % ALERTS
}

/// The names of all alerts so far.
pub(crate) fn names(steps: u64) -> Vec<String> {
    let numbers = 0..(steps / EPOCH + 1) * ALERTS;
    numbers.map(name).collect()
}

fn name(number: u64) -> String {
    format!("a{number}")
}

/// Whether an alert fires after so many steps: each of its steps turns it on or off, and it ends with its time.
pub(crate) fn is_firing(alert: &str, steps: u64) -> bool {
    let changes = (steps / EPOCH * EPOCH..steps).filter(|step| name(changed(*step)) == alert);
    changes.count() % 2 == 1
}

fn alert(number: u64, now: Time, ended: bool) -> Alert {
    let team = format!("t{}", number % 3);
    let labels = Labels::new([("alertname", name(number)), ("team", team)]);
    Alert {
        ends_at: ended.then_some(now),
        ..Alert::firing(labels, now)
    }
}

/// A receiver that writes what it gets into a file.
struct Receiver {
    log: File,
    run: u64,
    attempts: AtomicU64,
    is_reliable: bool,
}

impl Receiver {
    fn write(&self, what: &str, message: &Message) {
        let list = |alerts: &[Alert]| {
            // Alerts about a receiver differ by their reason, and one may begin in the message in which another ends.
            let names = alerts.iter().map(|alert| {
                let [name, reason] = ["alertname", "reason"].map(|label| alert.labels.get(label));
                match reason {
                    "" => name.to_owned(),
                    reason => format!("{name}/{reason}"),
                }
            });
            let names: Vec<_> = names.collect();
            match names.is_empty() {
                true => "-".to_owned(),
                false => names.join(","),
            }
        };
        let line = format!(
            "{} {what} {} {} {} {} .\n",
            self.run,
            message.receiver,
            message.group_key.replace(' ', "_"),
            list(&message.firing),
            list(&message.resolved),
        );
        // One call, so that lines are not mixed.
        (&self.log).write_all(line.as_bytes()).unwrap();
    }
}

impl Deliver for Receiver {
    async fn send(&self, message: &Message) -> Result<(), Failure> {
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        let chance = Random(self.run * 1_000_003 + attempt).next() % 100;
        let fail = |cause| Failure {
            cause,
            retry_after: None,
            text: "a failure of the test".to_owned(),
        };
        self.write("begin", message);
        let delay = sleep(Duration::from_millis(chance * 80));
        if self.is_reliable || chance >= 60 {
            // It has the message, and answers later.
            self.write("accept", message);
            delay.await;
            return Ok(());
        }
        delay.await;
        match chance {
            0..10 => return Err(fail(Cause::Server)),
            10..14 => return Err(fail(Cause::NoAnswer)),
            14..20 => {
                self.write("unsure", message);
                return Err(fail(Cause::NoAnswer));
            }
            _ => {}
        }
        self.write("accept", message);
        Ok(())
    }
}

pub(crate) fn run(place: Place) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(play(place));
}

fn append(path: &Path) -> File {
    let mut options = OpenOptions::new();
    let opened = options.create(true).append(true).open(path);
    opened.unwrap()
}

/// The time goes on from where it was when the last step was written.
fn resumed(directory: &Path) -> Time {
    let steps = fs::read_to_string(directory.join(PROGRESS)).unwrap_or_default();
    let times = steps
        .lines()
        .filter_map(|line| line.split(' ').nth(1)?.parse().ok());
    times.max().unwrap_or(START)
}

async fn play(place: Place) {
    let (base, begin) = (resumed(&place.directory), Instant::now());
    let clock = move || base + Time::try_from(begin.elapsed().as_millis()).unwrap();
    let is_last = place.end != u64::MAX;
    let receiver = Arc::new(Receiver {
        log: append(&place.directory.join(LOG)),
        run: place.run,
        attempts: AtomicU64::new(0),
        is_reliable: is_last,
    });
    let settings = Settings {
        directory: Some(Arc::new(
            Directory::open(&place.directory.join("state")).unwrap(),
        )),
        max_messages_per_minute: 1_000,
        ..Settings::default()
    };
    let plan = Plan::new(&config::load(CONFIG).unwrap());
    let service = Service::open(plan, settings, &Registry::new(), clock).unwrap();
    let (handle, stop) = (service.handle(), CancellationToken::new());
    let running = tokio::spawn(service.run(receiver, stop.clone()));

    // As the rule engine does: its state is that of the last step which it wrote.
    let active = |steps: u64| {
        let active = alerts(steps).filter(move |number| is_firing(&name(*number), steps));
        let active = active.map(|number| alert(number, clock(), false));
        active.collect::<Vec<_>>()
    };
    handle.replace(active(place.begin));
    let mut progress = append(&place.directory.join(PROGRESS));
    // The last line may be cut.
    progress.write_all(b"\n").unwrap();
    for step in place.begin..place.end {
        if (step + 1) % EPOCH == 0 {
            // The others end.
            handle.replace(active(step + 1));
        }
        let number = changed(step);
        let ended = !is_firing(&name(number), step + 1);
        handle.observe(vec![alert(number, clock(), ended)]);
        handle.saved().await;
        progress
            .write_all(format!("{step} {} .\n", clock()).as_bytes())
            .unwrap();
        sleep(Duration::from_millis(Random(!step).next() % 4_000)).await;
    }
    sleep(Duration::from_secs(3_600)).await;
    let (open, alerts) =
        handle.read(|dispatcher, _| (dispatcher.in_flight().count(), dispatcher.alerts().count()));
    let firing = active(place.end).len();
    assert_eq!(
        (open, alerts),
        (0, firing),
        "messages in flight, and alerts"
    );
    stop.cancel();
    running.await.unwrap();
}
