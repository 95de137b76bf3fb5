//! Queues of BullMQ 3, 4, 5 and 6 and of Bull 4 side by side: levels equal the jobs counted one by one.

use std::time::Duration;

use serde_json::{Value, json};
use vigie_bullmq::probe;
use vigie_testkit::{Process, Redis, Script, eventually};

use crate::support::{SCRIPT, SOON, Watched, run_jobs, settings, until_checked, watch};

pub(crate) const STALLED: &str = "bullmq_jobs_stalled_total";
const REMOVED: &str = "bullmq_jobs_removed_total";
const DEDUPLICATED: &str = "bullmq_jobs_deduplicated_total";
const STATES: [&str; 6] = [
    "waiting",
    "active",
    "delayed",
    "prioritized",
    "paused",
    "waiting-children",
];

/// A queue of one version, with its driver.
pub(crate) struct Queue {
    prefix: String,
    name: String,
    process: Process,
}

impl Queue {
    pub(crate) async fn open(
        redis: &Redis,
        package: &str,
        prefix: &str,
        name: &str,
        flags: &[&str],
    ) -> Self {
        let url = redis.url();
        let mut args = vec!["--redis", &url, "--package", package];
        args.extend(["--prefix", prefix, "--queue", name]);
        args.extend(flags);
        let script = Script::new("testing/versions.js").args(args);
        let mut process = script.spawn().unwrap();
        assert_eq!(process.next_json(SCRIPT).await.unwrap()["msg"], "ready");
        let (prefix, name) = (prefix.to_owned(), name.to_owned());
        Self {
            prefix,
            name,
            process,
        }
    }

    pub(crate) async fn send(&mut self, command: Value) -> Value {
        let asked = self.process.ask(&command, SCRIPT).await;
        asked.unwrap_or_else(|error| panic!("{} {command}: {error}", self.name))
    }

    pub(crate) async fn add(&mut self, n: u64, opts: Value) {
        self.send(json!({"cmd": "add", "n": n, "opts": opts})).await;
    }

    async fn add_named(&mut self, n: u64, name: &str, opts: Value) {
        self.send(json!({"cmd": "add", "n": n, "name": name, "opts": opts}))
            .await;
    }

    /// Waits until the published values equal the truth, and returns it.
    async fn check(&mut self, watched: &Watched) -> Value {
        let name = self.name.clone();
        self.check_of(watched, &name).await
    }

    async fn check_of(&mut self, watched: &Watched, queue: &str) -> Value {
        let truth = self.send(json!({"cmd": "truth", "queue": queue})).await;
        assert_eq!(truth["counts"]["nowhere"], 0, "{truth}");
        eventually(SOON, async || {
            let scrape = watched.scrape();
            let value = |family, state| {
                let labels = [
                    ("prefix", &*self.prefix),
                    ("queue", queue),
                    ("state", state),
                ];
                scrape.value(family, &labels)
            };
            let mut wrong = Vec::new();
            for state in STATES {
                let found = value("bullmq_jobs", state);
                if found != truth["counts"][state].as_f64() {
                    wrong.push((state, found));
                }
            }
            for state in ["completed", "failed"] {
                let found = value("bullmq_jobs_retained", state);
                if found != truth["counts"][state].as_f64() {
                    wrong.push((state, found));
                }
            }
            let labels = [("prefix", &*self.prefix), ("queue", queue)];
            let paused = scrape.value("bullmq_queue_paused", &labels);
            if paused != truth["paused"].as_bool().map(f64::from) {
                wrong.push(("pause", paused));
            }
            match wrong.is_empty() {
                true => Ok(()),
                false => Err(format!("{queue}: {wrong:?}, not {truth}")),
            }
        })
        .await;
        truth
    }
}

/// Drives jobs through each state, including behaviour specific to versions.
async fn drive(redis: &Redis, watched: &Watched, package: &str, prefix: &str, name: &str) {
    let mut queue = Queue::open(redis, package, prefix, name, &[]).await;
    queue.add(2, json!({"delay": 3_600_000.5})).await;
    let truth = queue.check(watched).await;
    assert_eq!(truth["counts"]["delayed"], 2, "{name}: {truth}");
    queue.add(1, json!({})).await;
    queue.add(1, json!({"lifo": true})).await;
    let truth = queue.check(watched).await;
    assert_eq!(truth["counts"]["waiting"], 2, "{name}: {truth}");
    if ["bullmq-v3", "bullmq-v4"].contains(&package) {
        assert_eq!(
            truth["said"]["waiting"], 3,
            "a marker is among them: {truth}"
        );
    }
    queue.add(2, json!({"priority": 3})).await;
    queue.check(watched).await;
    queue.send(json!({"cmd": "pause"})).await;
    queue.check(watched).await;
    queue.add(1, json!({})).await;
    let truth = queue.check(watched).await;
    assert_eq!(truth["paused"], true, "{name}: {truth}");
    queue.send(json!({"cmd": "resume"})).await;
    queue.check(watched).await;
    queue.send(json!({"cmd": "take", "n": 3})).await;
    let truth = queue.check(watched).await;
    assert_eq!(truth["counts"]["active"], 3, "{name}: {truth}");
    queue.send(json!({"cmd": "finish"})).await;
    queue.send(json!({"cmd": "finish", "as": "failed"})).await;
    let truth = queue.check(watched).await;
    assert_eq!(truth["counts"]["failed"], 1, "{name}: {truth}");
    if package != "bull" {
        // Their events are deleted with the queue.
        let failed = [("queue", name), ("state", "failed")];
        watched.until("queue_jobs_total", &failed, Some(1.0)).await;
    }
    queue.send(json!({"cmd": "pause"})).await;
    queue.send(json!({"cmd": "obliterate"})).await;
    let truth = queue.check(watched).await;
    assert_eq!(truth["counts"]["delayed"], 0, "{name}: {truth}");
    queue.add(2, json!({"priority": 3})).await;
    let truth = queue.check(watched).await;
    let waiting = ["waiting", "prioritized"].map(|state| truth["counts"][state].as_u64().unwrap());
    assert_eq!(waiting.iter().sum::<u64>(), 2, "{name}: {truth}");
}

#[tokio::test]
async fn all_versions_side_by_side() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(settings(&redis.url()));
    tokio::join!(
        drive(&redis, &watched, "bullmq-v3", "bull", "three:with:colons"),
        drive(&redis, &watched, "bullmq-v4", "bull", "four:with:colons"),
        drive(&redis, &watched, "bullmq", "shop:eu", "five"),
        drive(&redis, &watched, "bullmq-v6", "{tag}", "six"),
        drive(&redis, &watched, "bull", "bull", "bull:with:colons"),
        drive(&redis, &watched, "bull", "own", "bull"),
    );
    assert_eq!(watched.value("bullmq_queues", &[]), Some(6.0));
    // Outcomes are counted where there is a stream, and absent elsewhere.
    for (queue, completed) in [
        ("three:with:colons", Some(1.0)),
        ("four:with:colons", Some(1.0)),
        ("five", Some(1.0)),
        ("six", Some(1.0)),
        ("bull:with:colons", None),
        ("bull", None),
    ] {
        for state in ["completed", "failed"] {
            assert_eq!(watched.jobs(queue, state), completed, "{queue} {state}");
        }
        let scrape = watched.scrape();
        let of_queue = [("queue", queue)];
        let read = scrape
            .samples("bullmq_events_read_total", &of_queue)
            .count();
        assert_eq!(read == 1, completed.is_some(), "{queue}");
    }
    let found = probe(&settings(&redis.url())).await.unwrap();
    assert_eq!(found.len(), 6);
}

/// A worker of version 4 moves the marker from `wait` to `active` and then removes it. A worker killed in between, as
/// in a deployment, leaves it there permanently.
#[tokio::test]
async fn markers_that_killed_workers_left_are_not_active_jobs() {
    let redis = Redis::start().await.unwrap();
    let mut settings = settings(&redis.url());
    settings.signals_every = Duration::from_millis(100);
    let watched = watch(settings);
    let mut queue = Queue::open(&redis, "bullmq-v4", "bull", "four", &[]).await;
    for left in 1..=6 {
        queue.add(1, json!({"priority": 3})).await;
        let moved = ["BRPOPLPUSH", "bull:four:wait", "bull:four:active", "1"];
        assert_eq!(redis.cli(&moved).await.unwrap(), "0:0");
        let active = redis.cli(&["LLEN", "bull:four:active"]).await.unwrap();
        assert_eq!(active, left.to_string());
    }
    let truth = queue.check(&watched).await;
    assert_eq!(truth["counts"]["prioritized"], 6, "{truth}");
    let signal = |name| watched.value(name, &[("prefix", "bull"), ("queue", "four")]);
    watched
        .until(
            "bullmq_active_without_lock",
            &[("prefix", "bull"), ("queue", "four")],
            Some(0.0),
        )
        .await;
    assert_eq!(signal("bullmq_oldest_active_age_seconds"), Some(0.0));
    // A worker takes jobs from among them.
    queue.send(json!({"cmd": "take", "n": 3})).await;
    let truth = queue.check(&watched).await;
    assert_eq!(truth["counts"]["active"], 3, "{truth}");
    eventually(SOON, async || {
        match signal("bullmq_oldest_active_age_seconds") {
            Some(age) if age > 0.0 => Ok(()),
            age => Err(format!("{age:?}")),
        }
    })
    .await;
    assert_eq!(signal("bullmq_active_without_lock"), Some(0.0));
}

#[tokio::test]
async fn paused_by_version_5_and_upgraded() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(settings(&redis.url()));
    let mut five = Queue::open(&redis, "bullmq", "bull", "q", &[]).await;
    five.send(json!({"cmd": "pause"})).await;
    five.add(3, json!({})).await;
    five.check(&watched).await;
    let mut six = Queue::open(&redis, "bullmq-v6", "bull", "q", &[]).await;
    six.add(2, json!({})).await;
    let truth = six.check(&watched).await;
    assert_eq!(truth["counts"]["paused"], 5, "{truth}");
    assert_eq!(truth["said"]["waiting"], 2, "three are hidden: {truth}");
    six.send(json!({"cmd": "resume"})).await;
    let truth = six.check(&watched).await;
    assert_eq!(truth["counts"]["waiting"], 5, "{truth}");
}

#[tokio::test]
async fn queues_that_were_never_opened() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(settings(&redis.url()));
    for package in ["bullmq-v3", "bullmq-v4", "bullmq", "bullmq-v6"] {
        let [parent, child] = ["parent", "child"].map(|who| format!("{package}-{who}"));
        let mut flows = Queue::open(&redis, package, "bull", "none", &["--no-queue"]).await;
        flows
            .send(json!({"cmd": "flow", "parent": parent, "child": child}))
            .await;
        let truth = flows.check_of(&watched, &parent).await;
        assert_eq!(truth["counts"]["waiting-children"], 1, "{truth}");
        let truth = flows.check_of(&watched, &child).await;
        assert_eq!(truth["counts"]["waiting"], 1, "{truth}");
    }
    for package in ["bullmq", "bullmq-v6"] {
        let name = format!("{package}-skipped");
        let mut queue = Queue::open(&redis, package, "bull", &name, &["--skip-meta"]).await;
        queue.add(2, json!({"delay": 1e7})).await;
        queue.check(&watched).await;
    }
    assert_eq!(watched.value("bullmq_queues", &[]), Some(10.0));
}

#[tokio::test]
async fn a_queue_of_bull_becomes_one_of_bullmq() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(settings(&redis.url()));
    let mut old = Queue::open(&redis, "bull", "bull", "q", &[]).await;
    old.add(1, json!({})).await;
    old.check(&watched).await;
    assert_eq!(watched.jobs("q", "completed"), None);
    redis.cli(&["FLUSHALL"]).await.unwrap();
    let mut new = Queue::open(&redis, "bullmq", "bull", "q", &[]).await;
    let completed = [("queue", "q"), ("state", "completed")];
    watched
        .until("queue_jobs_total", &completed, Some(0.0))
        .await;
    watched.until_followed("q").await;
    new.add(1, json!({})).await;
    new.send(json!({"cmd": "take"})).await;
    new.send(json!({"cmd": "finish"})).await;
    watched
        .until("queue_jobs_total", &completed, Some(1.0))
        .await;
    new.check(&watched).await;
}

#[tokio::test]
async fn stalls_and_deduplications_of_jobs_added_before_the_start() {
    let redis = Redis::start().await.unwrap();
    for package in ["bullmq", "bullmq-v6"] {
        let mut queue = Queue::open(&redis, package, "bull", package, &[]).await;
        queue.add_named(2, "taken", json!({})).await;
        queue.send(json!({"cmd": "take", "n": 2})).await;
        let once = json!({"deduplication": {"id": "only"}, "delay": 1e6});
        queue.add_named(1, "there", once.clone()).await;
        let watched = watch(settings(&redis.url()));
        watched.until_followed(package).await;
        let value = |name| [("prefix", "bull"), ("queue", package), ("name", name)];
        assert_eq!(watched.value(STALLED, &value("unknown")), Some(0.0));
        queue.add_named(2, "dropped", once).await;
        let there = value("there");
        watched.until(DEDUPLICATED, &there, Some(2.0)).await;

        let active = format!("bull:{package}:active");
        let jobs = redis.cli(&["LRANGE", &active, "0", "-1"]).await.unwrap();
        let jobs: Vec<_> = jobs.lines().collect();
        let mut other = Queue::open(&redis, package, "bull", package, &[]).await;
        other
            .send(json!({"cmd": "listen", "opts": {"stalledInterval": 300}}))
            .await;
        // The first event of the name is its first stall, which is counted under a series that existed at 0; the second
        // has its own.
        for (job, name) in jobs.iter().zip(["unknown", "taken"]) {
            let lock = format!("bull:{package}:{job}:lock");
            watched.until(STALLED, &value(name), Some(0.0)).await;
            redis.cli(&["DEL", &lock]).await.unwrap();
            watched.until(STALLED, &value(name), Some(1.0)).await;
        }
        assert_eq!(watched.sum(STALLED, &[("queue", package)]), 2.0);
    }
}

#[tokio::test]
async fn waits_removals_and_deduplications() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(settings(&redis.url()));
    watched.until_swept().await;
    for (package, deduplicates) in [("bullmq-v4", false), ("bullmq", true), ("bullmq-v6", true)] {
        let mut queue = Queue::open(&redis, package, "bull", package, &[]).await;
        queue.add(4, json!({})).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        queue.send(json!({"cmd": "take", "n": 2})).await;
        queue.send(json!({"cmd": "finish"})).await;
        queue.send(json!({"cmd": "finish"})).await;
        queue.send(json!({"cmd": "remove"})).await;
        let cleaned = queue
            .send(json!({"cmd": "clean", "state": "completed"}))
            .await;
        assert_eq!(cleaned["cleaned"], 2, "{package}: {cleaned}");
        if deduplicates {
            let once = json!({"deduplication": {"id": "only"}});
            for (n, name) in [(1, "there"), (2, "dropped")] {
                queue.add_named(n, name, once.clone()).await;
            }
            let replaces = json!({"deduplication": {"id": "last", "ttl": 1e6, "extend": true, "replace": true}, "delay": 1e6});
            for (n, name) in [(1, "first"), (2, "last")] {
                queue.add_named(n, name, replaces.clone()).await;
            }
        }
        // Only the number of cleaned jobs is known.
        let mut removed = vec![("job", 1.0), ("unknown", 2.0)];
        let mut deduplicated = vec![("unknown", 0.0)];
        if deduplicates {
            removed.extend([("first", 1.0), ("last", 1.0)]);
            deduplicated.extend([("there", 2.0), ("last", 2.0)]);
        }
        for (metric, by_name) in [(REMOVED, &removed), (DEDUPLICATED, &deduplicated)] {
            for &(name, jobs) in by_name {
                let labels = [("prefix", "bull"), ("queue", package), ("name", name)];
                watched.until(metric, &labels, Some(jobs)).await;
            }
            let scrape = watched.scrape();
            let series = scrape.samples(metric, &[("queue", package)]).count();
            assert_eq!(series, by_name.len(), "{package}: {metric}");
        }
        let scrape = watched.scrape();
        let of_name = [("prefix", "bull"), ("queue", package), ("name", "job")];
        let value = |metric| scrape.value(metric, &of_name).unwrap();
        assert_eq!(value("bullmq_job_wait_seconds_count"), 2.0);
        assert!(value("bullmq_job_wait_seconds_sum") >= 0.6);
    }
}

/// An app's own event trims the stream to 1,000 entries, and obliterate() deletes all keys.
#[tokio::test]
async fn a_trim_and_an_obliteration_move_no_count() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(settings(&redis.url()));
    watched.until_swept().await;
    let completed = [("queue", "work"), ("state", "completed")];
    let mut queue = Queue::open(&redis, "bullmq-v6", "bull", "work", &[]).await;
    let before = run_jobs(&redis, "work", 1_000).await;
    watched
        .until("queue_jobs_total", &completed, Some(900.0))
        .await;
    queue.send(json!({"cmd": "publish"})).await;
    let length = redis.cli(&["XLEN", "bull:work:events"]).await.unwrap();
    assert!(length.parse::<u64>().unwrap() < 2_000, "{length} {before}");
    run_jobs(&redis, "work", 100).await;
    watched
        .until("queue_jobs_total", &completed, Some(990.0))
        .await;
    queue.send(json!({"cmd": "obliterate"})).await;
    assert_eq!(watched.jobs("work", "completed"), Some(990.0));
    run_jobs(&redis, "work", 100).await;
    watched
        .until("queue_jobs_total", &completed, Some(1_080.0))
        .await;
    let of_queue = [("prefix", "bull"), ("queue", "work")];
    // The deletion of the stream counts as one loss, because entries that were not read may have been deleted with it.
    watched
        .until("bullmq_events_lost_total", &of_queue, Some(1.0))
        .await;
    until_checked(&redis, 1).await;
    let lost = watched.value("bullmq_events_lost_total", &of_queue);
    assert_eq!(lost, Some(1.0), "it is counted once");
}
