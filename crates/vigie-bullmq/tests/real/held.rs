//! Pauses, rate limits, global concurrency and children, in each version.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use vigie_testkit::{Redis, eventually};

use crate::signals::{about, equals, hours, signal, soon, until};
use crate::support::{SOON, Watched, watch};
use crate::versions::Queue;

const BULLMQ: [&str; 4] = ["bullmq-v3", "bullmq-v4", "bullmq", "bullmq-v6"];
/// The packages with limits for the whole queue.
const LIMITED: [&str; 2] = ["bullmq", "bullmq-v6"];
const HOUR: f64 = 3_600.0;
const HOUR_MS: u64 = 3_600_000;

const PAUSED: &str = "bullmq_queue_paused";
const PAUSED_FOR: &str = "bullmq_queue_paused_seconds";
const RATE_LIMITED: &str = "bullmq_rate_limited";
const RESET: &str = "bullmq_rate_limit_reset_seconds";
const LIMIT: &str = "bullmq_concurrency_limit";
const REACHED: &str = "bullmq_concurrency_reached";
const SCHEDULERS: &str = "bullmq_schedulers";
const PARENT_AGE: &str = "bullmq_oldest_waiting_children_age_seconds";

async fn open(redis: &Redis, package: &str, flags: &[&str]) -> Queue {
    Queue::open(redis, package, "bull", package, flags).await
}

/// Waits until the rate limit gauges have these values.
async fn limited(
    watched: &Watched,
    queue: &str,
    limited: Option<f64>,
    reset: impl Fn(Option<f64>) -> bool,
) {
    eventually(SOON, async || {
        let found = [RATE_LIMITED, RESET].map(|name| signal(watched, queue, name));
        match found[0] == limited && reset(found[1]) {
            true => Ok(()),
            false => Err(format!("{queue}: {found:?}")),
        }
    })
    .await;
}

/// At most an hour, and less by no more than the duration of a test.
fn within_an_hour(reset: Option<f64>) -> bool {
    reset.is_some_and(|reset| (HOUR - 600.0..=HOUR).contains(&reset))
}

#[tokio::test]
async fn a_global_rate_limit_that_is_used_up() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(soon(&redis));
    for package in LIMITED {
        let mut queue = open(&redis, package, &[]).await;
        queue.add(4, json!({})).await;
        queue
            .send(json!({"cmd": "globalRateLimit", "max": 2, "duration": HOUR_MS}))
            .await;
        limited(&watched, package, Some(0.0), |reset| reset.is_none()).await;
        let taken = queue.send(json!({"cmd": "take", "n": 1})).await;
        assert_eq!(taken["found"], 1);
        limited(&watched, package, Some(0.0), within_an_hour).await;
        let taken = queue.send(json!({"cmd": "take", "n": 2})).await;
        assert_eq!(taken["found"], 1, "{package} gives no more");
        limited(&watched, package, Some(1.0), within_an_hour).await;
        // With a higher limit, more jobs may begin; then the same limit again.
        for (max, is) in [(3, 0.0), (2, 1.0)] {
            let limit = json!({"cmd": "globalRateLimit", "max": max, "duration": HOUR_MS});
            queue.send(limit).await;
            limited(&watched, package, Some(is), within_an_hour).await;
        }
        // No held-back job is left.
        for _ in 0..2 {
            queue.send(json!({"cmd": "remove"})).await;
        }
        limited(&watched, package, Some(0.0), |reset| reset.is_none()).await;
    }
}

#[tokio::test]
async fn a_rate_limit_by_hand() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(soon(&redis));
    for package in BULLMQ {
        // Only workers with a limit of their own respect it.
        let mut queue = open(&redis, package, &["--limiter-max=100"]).await;
        queue.add(2, json!({"priority": 3})).await;
        limited(&watched, package, Some(0.0), |reset| reset.is_none()).await;
        queue.send(json!({"cmd": "rateLimit", "ms": 1_500})).await;
        limited(&watched, package, Some(1.0), |reset| {
            reset.is_some_and(|reset| reset > 0.0 && reset <= 1.5)
        })
        .await;
        limited(&watched, package, Some(0.0), |reset| reset.is_none()).await;
        queue.send(json!({"cmd": "rateLimit", "ms": HOUR_MS})).await;
        let taken = queue.send(json!({"cmd": "take"})).await;
        assert_eq!(taken["found"], 0, "{package} gives none");
        limited(&watched, package, Some(1.0), within_an_hour).await;
    }
}

#[tokio::test]
async fn a_rate_limit_set_only_in_workers() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(soon(&redis));
    for package in BULLMQ {
        let mut queue = open(&redis, package, &["--limiter-max=2"]).await;
        queue.add(3, json!({})).await;
        limited(&watched, package, Some(0.0), |reset| reset.is_none()).await;
        let taken = queue.send(json!({"cmd": "take", "n": 3})).await;
        assert_eq!(taken["found"], 2, "{package} gives no more");
        limited(&watched, package, None, within_an_hour).await;
    }
    let mut bull = open(&redis, "bull", &["--limiter-max=2"]).await;
    bull.add(4, json!({})).await;
    let taken = bull.send(json!({"cmd": "take", "n": 3})).await;
    assert_eq!(taken["found"], 2);
    until(&watched, "bull", SCHEDULERS, equals(0.0)).await;
    limited(&watched, "bull", None, |reset| reset.is_none()).await;
}

#[tokio::test]
async fn global_concurrency() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(soon(&redis));
    let is = async |queue: &str, limit: Option<f64>, reached: Option<f64>| {
        until(&watched, queue, LIMIT, |found| found == limit).await;
        until(&watched, queue, REACHED, |found| found == reached).await;
    };
    for package in LIMITED {
        let mut queue = open(&redis, package, &[]).await;
        queue.add(3, json!({})).await;
        until(&watched, package, PAUSED, equals(0.0)).await;
        is(package, None, None).await;
        queue
            .send(json!({"cmd": "globalConcurrency", "most": 2}))
            .await;
        is(package, Some(2.0), Some(0.0)).await;
        let taken = queue.send(json!({"cmd": "take", "n": 3})).await;
        assert_eq!(taken["found"], 2, "{package} gives no more");
        is(package, Some(2.0), Some(1.0)).await;
        queue.send(json!({"cmd": "finish"})).await;
        is(package, Some(2.0), Some(0.0)).await;
        queue
            .send(json!({"cmd": "globalConcurrency", "most": 1}))
            .await;
        is(package, Some(1.0), Some(1.0)).await;
        queue
            .send(json!({"cmd": "globalConcurrency", "most": null}))
            .await;
        is(package, None, None).await;
    }
}

/// Waits until the pause is at least `least` old; it must not be older than `since`.
async fn paused_since(watched: &Watched, queue: &str, least: f64, since: Instant) {
    until(watched, queue, PAUSED_FOR, |age| age >= Some(least)).await;
    let age = signal(watched, queue, PAUSED_FOR);
    assert!(
        age <= Some(since.elapsed().as_secs_f64()),
        "{queue}: {age:?}"
    );
}

#[tokio::test]
async fn the_start_of_a_pause() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(soon(&redis));
    for package in BULLMQ {
        let mut queue = open(&redis, package, &[]).await;
        queue.add(2, json!({})).await;
        until(&watched, package, PAUSED, equals(0.0)).await;
        assert_eq!(signal(&watched, package, PAUSED_FOR), None);
        let first = Instant::now();
        queue.send(json!({"cmd": "pause"})).await;
        paused_since(&watched, package, 0.5, first).await;
        // A pause of a paused queue does not start a new one.
        queue.send(json!({"cmd": "pause"})).await;
        queue.add(3, json!({})).await;
        paused_since(&watched, package, first.elapsed().as_secs_f64(), first).await;
        // A later watcher finds the pause in the stream.
        let later = watch(soon(&redis));
        paused_since(&later, package, first.elapsed().as_secs_f64(), first).await;

        queue.send(json!({"cmd": "resume"})).await;
        for watched in [&watched, &later] {
            until(watched, package, PAUSED, equals(0.0)).await;
            until(watched, package, PAUSED_FOR, |age| age.is_none()).await;
        }
        let second = Instant::now();
        queue.send(json!({"cmd": "pause"})).await;
        for watched in [&watched, &later] {
            paused_since(watched, package, 0.5, second).await;
        }
    }
    let mut bull = open(&redis, "bull", &[]).await;
    bull.add(1, json!({})).await;
    bull.send(json!({"cmd": "pause"})).await;
    until(&watched, "bull", PAUSED, equals(1.0)).await;
    until(&watched, "bull", SCHEDULERS, equals(0.0)).await;
    assert_eq!(
        signal(&watched, "bull", PAUSED_FOR),
        None,
        "it has no stream"
    );
}

#[tokio::test]
async fn a_trimmed_pause_is_as_old_as_the_oldest_entry() {
    let redis = Redis::start().await.unwrap();
    let mut queue = open(&redis, "bullmq", &[]).await;
    let since = Instant::now();
    queue.send(json!({"cmd": "pause"})).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let then = Instant::now();
    // Two events each.
    queue.add(400, json!({})).await;
    let watched = watch(soon(&redis));
    until(&watched, "bullmq", PAUSED_FOR, |age| age > Some(0.0)).await;
    let age = signal(&watched, "bullmq", PAUSED_FOR);
    assert!(age <= Some(then.elapsed().as_secs_f64()), "{age:?}");
    // The age continues to grow.
    until(&watched, "bullmq", PAUSED_FOR, |now| {
        now > age.map(|age| age + 1.0)
    })
    .await;
    let age = signal(&watched, "bullmq", PAUSED_FOR);
    assert!(age < Some(since.elapsed().as_secs_f64()), "{age:?}");
}

#[tokio::test]
async fn schedulers_and_repeatable_jobs() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(soon(&redis));
    for package in BULLMQ.into_iter().chain(["bull"]) {
        let mut queue = open(&redis, package, &[]).await;
        for (id, every) in [("hourly", HOUR_MS), ("daily", 24 * HOUR_MS)] {
            queue
                .send(json!({"cmd": "schedule", "id": id, "every": every}))
                .await;
        }
        until(&watched, package, SCHEDULERS, equals(2.0)).await;
    }
}

#[tokio::test]
async fn parents_that_wait_for_children() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(soon(&redis));
    for package in BULLMQ {
        let mut queue = open(&redis, package, &[]).await;
        let flow = |parent: &str, hours: u64| -> Value {
            let child = format!("{package}-child");
            json!({"cmd": "flow", "parent": parent, "child": child, "agoMs": hours * HOUR_MS})
        };
        until(&watched, package, PARENT_AGE, equals(0.0)).await;
        queue.send(flow(package, 1)).await;
        until(
            &watched,
            package,
            PARENT_AGE,
            about(hours(1.0).as_secs_f64()),
        )
        .await;
        queue.send(flow(package, 3)).await;
        until(
            &watched,
            package,
            PARENT_AGE,
            about(hours(3.0).as_secs_f64()),
        )
        .await;

        // A parent that was running, and waits since then.
        let name = format!("{package}-ran");
        let mut queue = Queue::open(&redis, package, "bull", &name, &[]).await;
        queue.add(1, json!({"timestamp": 1_000})).await;
        queue.send(json!({"cmd": "take"})).await;
        let begun = Instant::now();
        let waits = queue
            .send(json!({"cmd": "wait", "child": format!("{package}-late")}))
            .await;
        assert_eq!(waits["waits"], true, "{waits}");
        until(&watched, &name, PARENT_AGE, |age| age > Some(0.5)).await;
        let age = signal(&watched, &name, PARENT_AGE);
        assert!(age <= Some(begun.elapsed().as_secs_f64() + 1.0), "{age:?}");
    }
}
