use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tokio::time::{Instant, sleep};
use vigie_promql::Labels;

use super::*;
use crate::deliver::Cause;
use crate::millis;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

type Answers = Box<dyn Fn(&[Value]) -> Result<(), Cause> + Send + Sync>;

/// An Alertmanager that answers as a test says.
struct Scripted {
    begin: Instant,
    answers: Mutex<Answers>,
    /// The time that it takes for a request.
    takes: Mutex<Duration>,
    /// The names of the alerts it took, with the second and `+` or `-`.
    taken: Mutex<Vec<String>>,
    requests: AtomicUsize,
}

impl Post for Arc<Scripted> {
    fn name(&self) -> &str {
        "am:9093"
    }

    async fn post(&self, body: Vec<u8>) -> Result<(), Failure> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let alerts: Vec<Value> = serde_json::from_slice(&body).unwrap();
        assert!(alerts.len() <= 64);
        let takes = *self.takes.lock();
        sleep(takes).await;
        (self.answers.lock())(&alerts).map_err(|cause| Failure::new(cause, "no"))?;
        let now = self.begin.elapsed();
        let at = jiff::Timestamp::UNIX_EPOCH + now;
        let taken = alerts.iter().map(|alert| {
            let ends: jiff::Timestamp = alert["endsAt"].as_str().unwrap().parse().unwrap();
            let sign = if ends > at { '+' } else { '-' };
            let name = alert["labels"]["alertname"].as_str().unwrap();
            format!("{} {sign}{name}", now.as_secs())
        });
        self.taken.lock().extend(taken);
        Ok(())
    }
}

struct World {
    forwarder: Forwarder,
    scripted: Arc<Scripted>,
    stop: CancellationToken,
}

impl World {
    fn start(
        alerts: usize,
        answers: impl Fn(&[Value]) -> Result<(), Cause> + Send + Sync + 'static,
    ) -> Self {
        let begin = Instant::now();
        let scripted = Arc::new(Scripted {
            begin,
            answers: Mutex::new(Box::new(answers)),
            takes: Mutex::default(),
            taken: Mutex::default(),
            requests: AtomicUsize::new(0),
        });
        let settings = Settings {
            alerts,
            ..Settings::default()
        };
        let registry = vigie_metrics::Registry::new();
        let forwarder = Forwarder::new(settings, &registry, move || millis(begin.elapsed()));
        let stop = CancellationToken::new();
        let (running, target, until) = (forwarder.clone(), Arc::clone(&scripted), stop.clone());
        tokio::spawn(async move { running.run(target, until).await });
        Self {
            forwarder,
            scripted,
            stop,
        }
    }

    fn alert(&self, name: &str, ended: bool) -> Alert {
        let now = millis(self.scripted.begin.elapsed());
        let labels = Labels::new([("alertname", name)]);
        Alert {
            ends_at: ended.then_some(now),
            ..Alert::firing(labels, now)
        }
    }

    fn fire(&self, name: &str) {
        assert_eq!(self.forwarder.observe(vec![self.alert(name, false)]), 0);
    }

    fn resolve(&self, name: &str) {
        assert_eq!(self.forwarder.observe(vec![self.alert(name, true)]), 0);
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.scripted.taken.lock())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn name(alert: &Value) -> &str {
    alert["labels"]["alertname"].as_str().unwrap()
}

#[tokio::test(start_paused = true)]
async fn firing_alerts_are_sent_every_minute_and_resolved_ones_for_fifteen() {
    let world = World::start(100, |_| Ok(()));
    world.fire("A");
    sleep(150 * SECOND).await;
    world.fire("A");
    world.resolve("A");
    sleep(60 * MINUTE).await;
    let taken = world.taken();
    assert_eq!(taken[..3], ["0 +A", "60 +A", "120 +A"]);
    assert_eq!(taken[3..].len(), 15);
    assert_eq!((&*taken[3], &*taken[17]), ("150 -A", "990 -A"));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_resolved_alert_is_sent_unless_it_is_old() {
    let world = World::start(100, |_| Ok(()));
    sleep(20 * MINUTE).await;
    world.resolve("A");
    let old = Alert {
        ends_at: Some(0),
        ..world.alert("B", true)
    };
    world.forwarder.observe(vec![old]);
    sleep(SECOND).await;
    assert_eq!(world.taken(), ["1200 -A"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_alert_neither_loses_nor_repeats_the_others() {
    let is_bad = |alert: &Value| name(alert).contains('7');
    let world = World::start(1_000, move |alerts| match alerts.iter().any(is_bad) {
        true => Err(Cause::Refused),
        false => Ok(()),
    });
    let names: Vec<String> = (0..100).map(|number| format!("A{number}")).collect();
    let alerts = names.iter().map(|name| world.alert(name, false));
    world.forwarder.observe(alerts.collect());
    sleep(SECOND).await;
    let good = names.iter().filter(|name| !name.contains('7'));
    let good: BTreeSet<String> = good.map(|name| format!("0 +{name}")).collect();
    let taken = world.taken();
    assert_eq!(taken.len(), good.len(), "some are repeated");
    assert_eq!(BTreeSet::from_iter(taken), good);
    // The refused ones are not sent again.
    world.scripted.requests.store(0, Ordering::Relaxed);
    sleep(MINUTE).await;
    assert_eq!(world.taken().len(), good.len());
    assert_eq!(world.scripted.requests.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn an_alertmanager_that_is_down_gets_the_alerts_later() {
    let begin = Instant::now();
    let world = World::start(100, move |_| match begin.elapsed() < 10 * MINUTE {
        true => Err(Cause::Unreachable),
        false => Ok(()),
    });
    world.fire("A");
    world.fire("B");
    sleep(5 * MINUTE).await;
    world.resolve("A");
    sleep(7 * MINUTE).await;
    let taken = world.taken();
    let first = |name: &str| taken.iter().find(|line| line.ends_with(name));
    assert!(first("-A").is_some() && first("+B").is_some(), "{taken:?}");
    assert!(first("+A").is_none(), "{taken:?}");
    assert!(world.scripted.requests.load(Ordering::Relaxed) < 30);
}

#[tokio::test(start_paused = true)]
async fn a_request_has_no_deadline_but_its_own() {
    let world = World::start(100, |_| Ok(()));
    *world.scripted.takes.lock() = 20 * SECOND;
    world.fire("A");
    sleep(MINUTE).await;
    assert_eq!(world.taken(), ["20 +A"]);
    assert_eq!(world.scripted.requests.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn bounded() {
    let world = World::start(2, |_| Ok(()));
    let alerts = ["A", "B", "C"].map(|name| world.alert(name, false));
    assert_eq!(world.forwarder.observe(alerts.to_vec()), 1);
    world.resolve("A");
    sleep(16 * MINUTE).await;
    world.fire("C");
    sleep(SECOND).await;
    assert!(world.taken().last().unwrap().ends_with("+C"));
}

#[tokio::test(start_paused = true)]
async fn alerts_are_valid_for_the_interval_of_the_rules_as_last_set() {
    let ends = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ends);
    let world = World::start(10, move |alerts| {
        let ends = alerts.iter().map(|alert| {
            let end: jiff::Timestamp = alert["endsAt"].as_str().unwrap().parse().unwrap();
            end.as_second()
        });
        seen.lock().extend(ends);
        Ok(())
    });
    world.fire("A");
    sleep(SECOND).await;
    world.forwarder.set_evaluation(10 * MINUTE);
    sleep(MINUTE).await;
    world.forwarder.set_evaluation(15 * SECOND);
    sleep(MINUTE).await;
    // Sent at 0, 60 and 120 s, for four times the interval of evaluations or of sending.
    assert_eq!(*ends.lock(), [240, 60 + 2_400, 120 + 240]);
}
