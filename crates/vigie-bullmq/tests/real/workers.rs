//! Workers, and jobs without their worker.

use serde_json::json;
use vigie_testkit::Redis;

use crate::signals::{
    ACTIVE_AGE, Driven, WAITING_AGE, WITHOUT_LOCK, WORKERS, equals, signal, soon, until,
};
use crate::support::watch;
use crate::versions::{Queue, STALLED};

const PACKAGES: [&str; 5] = ["bullmq-v3", "bullmq-v4", "bullmq", "bullmq-v6", "bull"];

#[tokio::test]
async fn a_worker_appears_works_and_is_killed() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(soon(&redis));
    watched.until_swept().await;
    let mut queue = Driven::start(&redis, "work").await;
    let mut doomed = Driven::start(&redis, "work").await;
    doomed.ask(json!({"cmd": "work", "as": "hold", "opts": {"concurrency": 2, "lockDuration": 1_000, "stalledInterval": 500}})).await;
    doomed
        .ask(json!({"cmd": "work", "as": "hold", "name": "second:w:x"}))
        .await;
    until(&watched, "work", WORKERS, equals(2.0)).await;
    let truth = queue.ask(json!({"cmd": "truth"})).await;
    assert_eq!(truth["workers"], 2);

    queue.ask(json!({"cmd": "add", "n": 3})).await;
    until(&watched, "work", ACTIVE_AGE, |age| age > Some(1.0)).await;
    watched.until_jobs("work", "active", Some(3.0)).await;
    assert_eq!(signal(&watched, "work", WITHOUT_LOCK), Some(0.0));
    assert_eq!(signal(&watched, "work", WAITING_AGE), Some(0.0));

    doomed.node.kill9();
    until(&watched, "work", WORKERS, equals(0.0)).await;
    // Two locks have expired after a second, the third lasts for 30 s.
    until(&watched, "work", WITHOUT_LOCK, equals(2.0)).await;
    watched.until_jobs("work", "active", Some(3.0)).await;
    let stalled = [("prefix", "bull"), ("queue", "work"), ("name", "job")];
    assert_eq!(watched.value(STALLED, &stalled), Some(0.0));

    // Another worker detects the stalled jobs.
    queue
        .ask(json!({"cmd": "work", "opts": {"stalledInterval": 500}}))
        .await;
    watched.until(STALLED, &stalled, Some(2.0)).await;
    until(&watched, "work", WITHOUT_LOCK, equals(0.0)).await;
    until(&watched, "work", WORKERS, equals(1.0)).await;
}

#[tokio::test]
async fn workers_of_every_version() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(soon(&redis));
    for package in PACKAGES {
        let mut apps = Vec::new();
        for workers in 1..=2 {
            let mut app = Queue::open(&redis, package, "bull", package, &[]).await;
            app.add(1, json!({})).await;
            app.send(json!({"cmd": "listen"})).await;
            apps.push(app);
            let workers = f64::from(workers);
            until(&watched, package, WORKERS, equals(workers)).await;
        }
        drop(apps);
        until(&watched, package, WORKERS, equals(0.0)).await;
    }
}

#[tokio::test]
async fn jobs_of_every_version_whose_worker_is_gone() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(soon(&redis));
    for package in PACKAGES {
        let mut queue = Queue::open(&redis, package, "bull", package, &[]).await;
        queue.add(1, json!({})).await;
        queue.send(json!({"cmd": "take"})).await;
        until(&watched, package, ACTIVE_AGE, |age| age > Some(0.2)).await;
        assert_eq!(signal(&watched, package, WITHOUT_LOCK), Some(0.0));
        let active = format!("bull:{package}:active");
        let job = redis.cli(&["LINDEX", &active, "0"]).await.unwrap();
        // As after an expiry without renewal.
        let lock = format!("bull:{package}:{job}:lock");
        redis.cli(&["DEL", &lock]).await.unwrap();
        until(&watched, package, WITHOUT_LOCK, equals(1.0)).await;
        if package == "bull" {
            let scrape = watched.scrape();
            let stalled = scrape.samples(STALLED, &[("queue", package)]).count();
            assert_eq!(stalled, 0, "it has no stream");
            continue;
        }
        let stalled = [("prefix", "bull"), ("queue", package), ("name", "job")];
        watched.until(STALLED, &stalled, Some(0.0)).await;
        let mut other = Queue::open(&redis, package, "bull", package, &[]).await;
        other
            .send(json!({"cmd": "listen", "opts": {"stalledInterval": 300}}))
            .await;
        watched.until(STALLED, &stalled, Some(1.0)).await;
        until(&watched, package, WITHOUT_LOCK, equals(0.0)).await;
    }
}
