//! Signals besides the levels, compared with operations made with the real BullMQ.

use std::time::Duration;

use serde_json::{Value, json};
use vigie_testkit::{Process, Redis, Script, eventually};

use crate::support::{SCRIPT, SOON, Watched, settings, watch};

const HOUR: f64 = 3_600.0;
const HOUR_MS: u64 = 3_600_000;
/// Longer than any test takes.
const LONG: f64 = 600.0;

/// A queue, driven by one command per line.
pub(crate) struct Driven {
    pub(crate) node: Process,
    queue: &'static str,
}

impl Driven {
    pub(crate) async fn start(redis: &Redis, queue: &'static str) -> Self {
        let url = redis.url();
        let args = ["--redis", &url, "--queue", queue];
        let script = Script::new("testing/queue.js").args(args);
        let mut node = script.spawn().unwrap();
        node.find_json(SCRIPT, |line| line["msg"] == "ready")
            .await
            .unwrap();
        Self { node, queue }
    }

    pub(crate) async fn ask(&mut self, what: Value) -> Value {
        let answer = self.node.ask(&what, SCRIPT).await.unwrap();
        assert_eq!(answer.get("error"), None, "{what}: {answer}");
        answer
    }

    /// Adds jobs with a timestamp `ago` in the past.
    async fn add(&mut self, n: u64, ago: Duration, opts: Value) {
        let ago = ago.as_millis() as u64;
        self.ask(json!({"cmd": "add", "n": n, "agoMs": ago, "opts": opts}))
            .await;
    }
}

pub(crate) fn soon(redis: &Redis) -> vigie_bullmq::Settings {
    let mut settings = settings(&redis.url());
    settings.signals_every = Duration::from_millis(100);
    settings.workers_every = Duration::from_millis(100);
    settings
}

pub(crate) fn signal(watched: &Watched, queue: &str, name: &str) -> Option<f64> {
    watched.value(name, &[("prefix", "bull"), ("queue", queue)])
}

/// Waits until the signal has an expected value.
pub(crate) async fn until(
    watched: &Watched,
    queue: &str,
    name: &str,
    is: impl Fn(Option<f64>) -> bool,
) {
    eventually(SOON, async || match signal(watched, queue, name) {
        found if is(found) => Ok(()),
        found => Err(format!("{name} of {queue} is {found:?}")),
    })
    .await;
}

/// An age near this value, in a test that takes minutes at most.
pub(crate) fn about(age: f64) -> impl Fn(Option<f64>) -> bool {
    move |found| found.is_some_and(|found| (age..age + LONG).contains(&found))
}

pub(crate) fn equals(value: f64) -> impl Fn(Option<f64>) -> bool {
    move |found| found == Some(value)
}

pub(crate) const WAITING_AGE: &str = "bullmq_oldest_waiting_age_seconds";
pub(crate) const ACTIVE_AGE: &str = "bullmq_oldest_active_age_seconds";
pub(crate) const WITHOUT_LOCK: &str = "bullmq_active_without_lock";
const OVERDUE: &str = "bullmq_delayed_overdue";
const LATE: &str = "bullmq_scheduler_late_seconds";
const SCHEDULERS: &str = "bullmq_schedulers";
pub(crate) const WORKERS: &str = "bullmq_workers";
const PAUSED: &str = "bullmq_queue_paused";

pub(crate) fn hours(hours: f64) -> Duration {
    Duration::from_secs_f64(hours * HOUR)
}

#[tokio::test]
async fn a_queue_without_a_worker_ages() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(soon(&redis));
    watched.until_swept().await;
    let mut queue = Driven::start(&redis, "mails").await;
    for (signal, value) in [
        (WAITING_AGE, 0.0),
        (ACTIVE_AGE, 0.0),
        (WITHOUT_LOCK, 0.0),
        (OVERDUE, 0.0),
        (LATE, 0.0),
        (SCHEDULERS, 0.0),
        ("bullmq_oldest_waiting_children_age_seconds", 0.0),
        ("bullmq_rate_limited", 0.0),
        (WORKERS, 0.0),
        (PAUSED, 0.0),
    ] {
        until(&watched, queue.queue, signal, equals(value)).await;
    }
    let start = tokio::time::Instant::now();
    queue.ask(json!({"cmd": "add", "n": 3})).await;
    // The age grows, but does not exceed that of the job.
    until(&watched, "mails", WAITING_AGE, |age| age > Some(0.5)).await;
    let age = signal(&watched, "mails", WAITING_AGE);
    assert!(age <= Some(start.elapsed().as_secs_f64()), "{age:?}");
    until(&watched, "mails", WAITING_AGE, |now| now > age).await;

    queue.ask(json!({"cmd": "pause"})).await;
    until(&watched, "mails", PAUSED, equals(1.0)).await;
    until(&watched, "mails", WAITING_AGE, |now| now > age).await;
    queue.ask(json!({"cmd": "resume"})).await;
    until(&watched, "mails", PAUSED, equals(0.0)).await;

    queue.ask(json!({"cmd": "work"})).await;
    until(&watched, "mails", WAITING_AGE, equals(0.0)).await;
}

#[tokio::test]
async fn the_oldest_is_found_wherever_it_stands() {
    let redis = Redis::start().await.unwrap();
    let mut fifo = Driven::start(&redis, "fifo").await;
    fifo.add(1, hours(3.0), json!({})).await;
    fifo.add(20, hours(1.0), json!({})).await;

    let mut lifo = Driven::start(&redis, "lifo").await;
    lifo.add(1, hours(3.0), json!({"lifo": true})).await;
    lifo.add(20, hours(1.0), json!({"lifo": true})).await;

    // Younger jobs were added in front of it.
    let mut mixed = Driven::start(&redis, "mixed").await;
    mixed.add(1, hours(3.0), json!({})).await;
    mixed.add(20, hours(1.0), json!({})).await;
    mixed.add(5, hours(0.5), json!({"lifo": true})).await;

    let mut prioritized = Driven::start(&redis, "prioritized").await;
    for (priority, hours_ago) in [(1, 1.0), (5, 2.0), (2_000_000, 3.0), (9, 1.0)] {
        prioritized
            .add(3, hours(hours_ago), json!({"priority": priority}))
            .await;
    }
    let mut both = Driven::start(&redis, "both").await;
    both.add(3, hours(1.0), json!({})).await;
    both.add(3, hours(3.0), json!({"priority": 5})).await;
    both.ask(json!({"cmd": "pause"})).await;

    // The delay is over, and not part of the age.
    let mut delayed = Driven::start(&redis, "delayed").await;
    delayed
        .add(1, hours(4.0), json!({"delay": HOUR_MS, "priority": 3}))
        .await;
    delayed.add(1, hours(4.0), json!({"delay": HOUR_MS})).await;
    delayed.ask(json!({"cmd": "work", "as": "hold"})).await;
    eventually(SOON, async || {
        let prioritized = redis.cli(&["ZCARD", "bull:delayed:prioritized"]).await;
        match prioritized.unwrap().trim() {
            "1" => Ok(()),
            other => Err(format!("{other} were promoted")),
        }
    })
    .await;

    let watched = watch(soon(&redis));
    for queue in ["fifo", "lifo", "mixed", "prioritized", "both", "delayed"] {
        until(&watched, queue, WAITING_AGE, about(3.0 * HOUR)).await;
    }
}

#[tokio::test]
async fn the_age_begins_anew_with_every_attempt() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(soon(&redis));
    watched.until_swept().await;
    // Each worker takes one job, and then none for an hour.
    let once = json!({"limiter": {"max": 1, "duration": HOUR_MS}});
    let mut retried = Driven::start(&redis, "retried").await;
    retried.add(1, hours(3.0), json!({"attempts": 2})).await;
    let mut parent = Driven::start(&redis, "parent").await;
    let family = json!({"cmd": "flow", "parent": "p", "child": "c", "agoMs": 3 * HOUR_MS});
    parent.ask(family).await;
    let mut again = Driven::start(&redis, "again").await;
    again.add(1, hours(3.0), json!({})).await;
    for (queue, kind, event) in [
        (&mut retried, "fail", "bullmq_attempts_failed_total"),
        (&mut parent, "finish", "bullmq_jobs_finished_total"),
        (&mut again, "fail", "bullmq_attempts_failed_total"),
    ] {
        let work = json!({"cmd": "work", "as": kind, "opts": once});
        queue.ask(work).await;
        eventually(SOON, async || {
            match watched.sum(event, &[("queue", queue.queue)]) {
                1.0 => Ok(()),
                found => Err(format!("{event} of {} is {found}", queue.queue)),
            }
        })
        .await;
        queue.ask(json!({"cmd": "rest"})).await;
    }
    again.ask(json!({"cmd": "retry"})).await;
    let not_so_long = |age: Option<f64>| age.is_some_and(|age| age > 0.0 && age < LONG);
    for queue in [&mut retried, &mut parent, &mut again] {
        let truth = queue.ask(json!({"cmd": "truth"})).await;
        assert_eq!(truth["counts"]["waiting"], 1, "{truth}");
        until(&watched, queue.queue, WAITING_AGE, not_so_long).await;
    }
    // A later watcher cannot determine the start, but must not report too high an age.
    let later = watch(soon(&redis));
    for queue in ["retried", "parent", "again"] {
        until(&later, queue, WAITING_AGE, not_so_long).await;
    }
}

#[tokio::test]
async fn delayed_jobs_without_a_worker_are_overdue() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(soon(&redis));
    watched.until_swept().await;
    let mut queue = Driven::start(&redis, "later").await;
    queue.add(3, hours(0.0), json!({"delay": 100})).await;
    queue.add(2, hours(0.0), json!({"delay": HOUR_MS})).await;
    until(&watched, "later", OVERDUE, equals(3.0)).await;
    watched.until_jobs("later", "delayed", Some(5.0)).await;
    queue.ask(json!({"cmd": "work"})).await;
    until(&watched, "later", OVERDUE, equals(0.0)).await;
}

#[tokio::test]
async fn a_scheduler_without_a_worker_is_late_and_one_that_ended_is_not() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(soon(&redis));
    watched.until_swept().await;
    let mut ended = Driven::start(&redis, "ended").await;
    ended.ask(json!({"cmd": "work"})).await;
    ended
        .ask(json!({"cmd": "schedule", "id": "twice", "repeat": {"every": 100, "limit": 2}}))
        .await;
    let done = [
        ("prefix", "bull"),
        ("queue", "ended"),
        ("name", "scheduled"),
        ("outcome", "completed"),
    ];
    watched
        .until("bullmq_jobs_finished_total", &done, Some(2.0))
        .await;

    let mut queue = Driven::start(&redis, "cron").await;
    queue
        .ask(json!({"cmd": "schedule", "id": "hourly", "repeat": {"every": HOUR_MS}}))
        .await;
    queue.ask(json!({"cmd": "work"})).await;
    // The first run starts at once.
    let ran = [
        ("prefix", "bull"),
        ("queue", "cron"),
        ("name", "scheduled"),
        ("outcome", "completed"),
    ];
    watched
        .until("bullmq_jobs_finished_total", &ran, Some(1.0))
        .await;
    until(&watched, "cron", LATE, equals(0.0)).await;
    queue.ask(json!({"cmd": "rest"})).await;

    let scheduled = queue
        .ask(json!({"cmd": "schedule", "id": "often", "repeat": {"every": 200}}))
        .await;
    let next = scheduled["next"].as_f64().unwrap() / 1e3;
    until(&watched, "cron", LATE, |late| late > Some(1.0)).await;
    let time = redis.cli(&["TIME"]).await.unwrap();
    let now: f64 = time.lines().next().unwrap().parse().unwrap();
    let late = signal(&watched, "cron", LATE);
    assert!(late <= Some(now + 1.0 - next), "{late:?}");
    queue.ask(json!({"cmd": "work"})).await;
    until(&watched, "cron", LATE, |late| {
        late.is_some_and(|late| late < 1.0)
    })
    .await;

    // Long past its last run.
    assert_eq!(signal(&watched, "ended", LATE), Some(0.0));
    let key = redis
        .cli(&["ZRANGE", "bull:ended:repeat", "0", "-1"])
        .await
        .unwrap();
    assert_eq!(key.trim(), "twice", "BullMQ forgets schedulers that ended");
}

#[tokio::test]
async fn arrivals_and_failed_attempts_are_counted_by_name() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(soon(&redis));
    watched.until_swept().await;
    let mut queue = Driven::start(&redis, "counted").await;
    queue
        .ask(json!({"cmd": "add", "n": 4, "name": "once"}))
        .await;
    let thrice = json!({"attempts": 3, "removeOnFail": true});
    queue
        .ask(json!({"cmd": "add", "n": 5, "name": "thrice", "opts": thrice}))
        .await;
    // Not stored, and therefore not counted as added.
    for _ in 0..3 {
        let opts = json!({"jobId": "same", "attempts": 2, "backoff": 50});
        queue
            .ask(json!({"cmd": "add", "name": "same", "opts": opts}))
            .await;
    }
    queue.ask(json!({"cmd": "work", "as": "fail"})).await;
    for (name, added, attempts) in [
        ("once", 4.0, 4.0),
        ("thrice", 5.0, 15.0),
        ("same", 1.0, 2.0),
    ] {
        let labels = [("prefix", "bull"), ("queue", "counted"), ("name", name)];
        watched
            .until("bullmq_attempts_failed_total", &labels, Some(attempts))
            .await;
        assert_eq!(
            watched.value("bullmq_jobs_added_total", &labels),
            Some(added)
        );
    }
    let failed = [("queue", "counted"), ("state", "failed")];
    watched.until("queue_jobs_total", &failed, Some(10.0)).await;
    assert_eq!(watched.sum("bullmq_attempts_failed_total", &[]), 21.0);
}

#[tokio::test]
async fn refused_commands_leave_no_series() {
    let redis = Redis::start().await.unwrap();
    // The client list is denied, but clients have names.
    redis
        .cli(&["ACL", "SETUSER", "default", "-client|list"])
        .await
        .unwrap();
    let watched = watch(soon(&redis));
    watched.until_swept().await;
    let mut queue = Driven::start(&redis, "mails").await;
    queue.ask(json!({"cmd": "add"})).await;
    until(&watched, "mails", WAITING_AGE, |age| age > Some(0.0)).await;
    assert_eq!(signal(&watched, "mails", WORKERS), None);
    assert_eq!(watched.watcher.status().error, None);

    // Only the metrics that depend on a command are absent.
    let hourly = json!({"cmd": "schedule", "id": "hourly", "repeat": {"every": HOUR_MS}});
    queue.ask(hourly).await;
    until(&watched, "mails", LATE, |late| late.is_some()).await;
    let refuse = async |command: &str| {
        let rights = ["ACL", "SETUSER", "default", command];
        redis.cli(&rights).await.unwrap();
    };
    refuse("-zrangebyscore").await;
    until(&watched, "mails", LATE, |late| late.is_none()).await;
    assert_eq!(signal(&watched, "mails", SCHEDULERS), Some(1.0));
    let age = signal(&watched, "mails", WAITING_AGE);
    assert!(age.is_some());
    until(&watched, "mails", WAITING_AGE, |now| now > age).await;
    // Without a clock there are no ages.
    refuse("-time").await;
    until(&watched, "mails", WAITING_AGE, |age| age.is_none()).await;
    assert_eq!(signal(&watched, "mails", SCHEDULERS), Some(1.0));
    watched.until_jobs("mails", "waiting", Some(2.0)).await;
    assert_eq!(watched.watcher.status().error, None);
}

/// Ages are read rarely here: between two readings they grow, and agree with the levels.
#[tokio::test]
async fn ages_grow_between_readings_and_agree_with_the_levels() {
    let redis = Redis::start().await.unwrap();
    let mut settings = settings(&redis.url());
    settings.signals_every = Duration::from_secs(600);
    let mut queue = Driven::start(&redis, "rare").await;
    queue.add(2, hours(1.0), json!({})).await;
    // Read once, as soon as the queue is found.
    let watched = watch(settings);
    until(&watched, "rare", WAITING_AGE, about(HOUR)).await;
    let first = signal(&watched, "rare", WAITING_AGE);
    until(&watched, "rare", WAITING_AGE, |age| age > first).await;
    queue.ask(json!({"cmd": "work"})).await;
    watched.until_jobs("rare", "waiting", Some(0.0)).await;
    assert_eq!(signal(&watched, "rare", WAITING_AGE), Some(0.0));
    until(&watched, "rare", ACTIVE_AGE, equals(0.0)).await;
    queue.ask(json!({"cmd": "rest"})).await;
    let start = tokio::time::Instant::now();
    queue.add(1, hours(0.0), json!({})).await;
    watched.until_jobs("rare", "waiting", Some(1.0)).await;
    until(&watched, "rare", WAITING_AGE, |age| age > Some(0.1)).await;
    let age = signal(&watched, "rare", WAITING_AGE);
    assert!(age <= Some(start.elapsed().as_secs_f64()), "{age:?}");
}

#[tokio::test]
async fn drained_without_an_event() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(soon(&redis));
    watched.until_swept().await;
    let mut queue = Driven::start(&redis, "drained").await;
    queue.ask(json!({"cmd": "add", "n": 3})).await;
    let waiting = [("queue", "drained"), ("state", "waiting")];
    watched.until("queue_jobs_total", &waiting, Some(3.0)).await;
    queue.ask(json!({"cmd": "drain"})).await;
    watched.until("queue_jobs_total", &waiting, Some(0.0)).await;
    until(&watched, "drained", WAITING_AGE, equals(0.0)).await;
}
