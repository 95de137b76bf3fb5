//! Counts by name are exact, and the number of missed entries is exact.

use std::net::SocketAddr;

use serde_json::json;
use vigie_testkit::faults::Link;
use vigie_testkit::{Redis, TcpProxy, eventually};

use crate::signals::Driven;
use crate::support::{
    SOON, run, run_jobs, settings, stream_info, tick, total, until_checked, watch,
};

#[tokio::test]
async fn five_thousand_jobs_deleted_at_once_are_counted_to_the_job() {
    let redis = Redis::start().await.unwrap();
    let mut settings = settings(&redis.url());
    settings.tick = tick("work", "a");
    let watched = watch(settings);
    watched.until_swept().await;
    run("testing/fill.js", &redis, &["--queue=work"]).await;
    watched.until_followed("work").await;
    // The jobs add 20,000 entries within a second. The stream keeps all of them, because a busy machine may delay the
    // reader; trimmed entries have separate tests.
    let jobs = ["--queue=work", "--jobs=5000", "--max-events=100000"];
    let truth = run("testing/jobs.js", &redis, &jobs).await;

    let queue = [("queue", "work"), ("state", "failed")];
    watched.until("queue_jobs_total", &queue, Some(500.0)).await;
    let queue = [("queue", "work"), ("state", "completed")];
    watched
        .until("queue_jobs_total", &queue, Some(4_500.0))
        .await;
    let scrape = watched.scrape();
    for name in ["a", "b", "c"] {
        for outcome in ["completed", "failed"] {
            let labels = [
                ("prefix", "bull"),
                ("queue", "work"),
                ("name", name),
                ("outcome", outcome),
            ];
            let expected = truth[outcome][name].as_f64();
            assert_eq!(
                scrape.value("bullmq_jobs_finished_total", &labels),
                expected
            );
            assert_eq!(
                scrape.value("bullmq_job_run_seconds_count", &labels),
                expected
            );
        }
    }
    assert_eq!(
        scrape.sum("bullmq_jobs_finished_total", &[]),
        5_000.0,
        "other names"
    );
    let of_queue = [("prefix", "bull"), ("queue", "work")];
    assert_eq!(
        scrape.value("bullmq_events_lost_total", &of_queue),
        Some(0.0)
    );
    assert_eq!(
        scrape.value("bullmq_job_runs_unmeasured_total", &of_queue),
        Some(0.0)
    );
    let added = stream_info(&redis, "bull:work:events", "entries-added").await;
    let read = scrape.value("bullmq_events_read_total", &of_queue);
    assert!(
        added.is_none_or(|added| read == Some(added)),
        "{read:?} of {added:?}"
    );
    let ticks = truth["completed"]["a"].as_f64().unwrap() + truth["failed"]["a"].as_f64().unwrap();
    assert_eq!(
        scrape.value("production_tick_duration_seconds_count", &[]),
        Some(ticks)
    );
    watched.until_jobs("work", "waiting", Some(0.0)).await;
}

/// Each `completed` entry contains the whole return value: 20 MB to read.
#[tokio::test]
async fn large_return_values_are_followed_whole() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(settings(&redis.url()));
    watched.until_swept().await;
    let args = ["--queue=large", "--jobs=2000", "--return-bytes=10240"];
    run("testing/jobs.js", &redis, &args).await;
    let completed = [("queue", "large"), ("state", "completed")];
    watched
        .until("queue_jobs_total", &completed, Some(1_800.0))
        .await;
    let of_queue = [("prefix", "bull"), ("queue", "large")];
    assert_eq!(
        watched.value("bullmq_events_lost_total", &of_queue),
        Some(0.0)
    );
    let status = watched.watcher.status();
    assert_eq!((status.error, status.events_error), (None, None));
}

#[tokio::test]
async fn resp3_gives_the_same_counts() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(settings(&format!("{}/?protocol=resp3", redis.url())));
    watched.until_swept().await;
    run_jobs(&redis, "work", 200).await;
    run(
        "testing/fill.js",
        &redis,
        &["--queue=work", "--waiting=2", "--paused"],
    )
    .await;
    let failed = [("queue", "work"), ("state", "failed")];
    watched.until("queue_jobs_total", &failed, Some(20.0)).await;
    let paused = [("queue", "work"), ("state", "paused")];
    watched.until("queue_jobs_total", &paused, Some(2.0)).await;
    assert_eq!(watched.sum("bullmq_jobs_finished_total", &[]), 200.0);
    assert_eq!(watched.sum("bullmq_events_lost_total", &[]), 0.0);
}

#[tokio::test]
async fn events_before_the_start_are_not_counted_and_names_are_looked_up() {
    let redis = Redis::start().await.unwrap();
    run_jobs(&redis, "work", 50).await;
    run(
        "testing/fill.js",
        &redis,
        &["--queue=old", "--name=old", "--waiting=5"],
    )
    .await;
    let watched = watch(settings(&redis.url()));
    watched.until_followed("work").await;
    watched.until_followed("old").await;
    assert_eq!(watched.jobs("work", "completed"), Some(0.0));
    // Five jobs from before the start are taken, and end after their names were looked up.
    run(
        "testing/fill.js",
        &redis,
        &["--queue=old", "--completed=5", "--name=new"],
    )
    .await;
    let labels = |name| {
        [
            ("prefix", "bull"),
            ("queue", "old"),
            ("name", name),
            ("outcome", "completed"),
        ]
    };
    watched
        .until("bullmq_jobs_finished_total", &labels("old"), Some(5.0))
        .await;
    assert_eq!(
        watched.value("bullmq_jobs_finished_total", &labels("new")),
        Some(0.0)
    );
    assert_eq!(
        watched.value("bullmq_job_run_seconds_count", &labels("old")),
        Some(5.0)
    );
}

#[tokio::test]
async fn trimmed_entries_are_counted_exactly() {
    let redis = Redis::start().await.unwrap();
    let target = SocketAddr::from(([127, 0, 0, 1], redis.port()));
    let proxy = TcpProxy::start(target).await.unwrap();
    let watched = watch(settings(&format!("redis://{}", proxy.addr())));
    watched.until_swept().await;
    run_jobs(&redis, "work", 100).await;
    let completed = [("queue", "work"), ("state", "completed")];
    watched
        .until("queue_jobs_total", &completed, Some(90.0))
        .await;
    let of_queue = [("prefix", "bull"), ("queue", "work")];
    let read_before = watched
        .value("bullmq_events_read_total", &of_queue)
        .unwrap();

    proxy.set(Link::Cut).await;
    watched
        .until("vigie_source_up", &[("source", "events")], Some(0.0))
        .await;
    let truth = run_jobs(&redis, "work", 4_000).await;
    redis
        .cli(&["XTRIM", "bull:work:events", "MAXLEN", "777"])
        .await
        .unwrap();
    proxy.set(Link::Up).await;

    let added = stream_info(&redis, "bull:work:events", "entries-added").await;
    let added = added.unwrap();
    let lost = added - read_before - 777.0;
    assert!(lost > 10_000.0, "{lost}");
    watched
        .until("bullmq_events_lost_total", &of_queue, Some(lost))
        .await;
    let read = watched.value("bullmq_events_read_total", &of_queue);
    assert_eq!(read, Some(read_before + 777.0));
    // Then the counts are exact again.
    let left = redis
        .cli(&["XRANGE", "bull:work:events", "-", "+"])
        .await
        .unwrap();
    let is_end = |line: &&str| ["completed", "failed"].contains(line);
    let ends = left.lines().filter(is_end).count() as f64;
    assert!(ends > 100.0 && ends < total(&truth["completed"]), "{ends}");
    let until_finished = async |jobs: f64| {
        eventually(SOON, async || {
            match watched.sum("bullmq_jobs_finished_total", &[]) {
                found if found == jobs => Ok(()),
                found => Err(format!("{found}, not {jobs}")),
            }
        })
        .await;
    };
    until_finished(100.0 + ends).await;
    run_jobs(&redis, "work", 300).await;
    until_finished(400.0 + ends).await;
    assert_eq!(
        watched.value("bullmq_events_lost_total", &of_queue),
        Some(lost)
    );
}

/// Outcomes in trimmed entries are recovered only where the workers count.
#[tokio::test]
async fn missed_outcomes_are_recovered_from_the_workers_metrics() {
    let redis = Redis::start().await.unwrap();
    let target = SocketAddr::from(([127, 0, 0, 1], redis.port()));
    let proxy = TcpProxy::start(target).await.unwrap();
    let watched = watch(settings(&format!("redis://{}", proxy.addr())));
    watched.until_swept().await;
    let work = async |queue: &str, jobs: &str, flags: &[&str]| {
        let args = [&["--queue", queue, "--jobs", jobs], flags].concat();
        run("testing/jobs.js", &redis, &args).await;
    };
    for (queue, flags) in [("metered", &["--metrics"][..]), ("plain", &[])] {
        work(queue, "100", flags).await;
        let completed = [("queue", queue), ("state", "completed")];
        watched
            .until("queue_jobs_total", &completed, Some(90.0))
            .await;
    }
    // Counters and entries are compared while none is missed.
    until_checked(&redis, 2).await;
    work("metered", "10", &["--metrics"]).await;
    let completed = [("queue", "metered"), ("state", "completed")];
    watched
        .until("queue_jobs_total", &completed, Some(99.0))
        .await;
    until_checked(&redis, 2).await;
    proxy.set(Link::Cut).await;
    watched
        .until("vigie_source_up", &[("source", "events")], Some(0.0))
        .await;
    for (queue, flags) in [("metered", &["--metrics"][..]), ("plain", &[])] {
        work(queue, "1000", flags).await;
        let key = format!("bull:{queue}:events");
        redis.cli(&["XTRIM", &key, "MAXLEN", "77"]).await.unwrap();
    }
    proxy.set(Link::Up).await;
    for (state, jobs) in [("completed", 999.0), ("failed", 111.0)] {
        let labels = [("queue", "metered"), ("state", state)];
        watched.until("queue_jobs_total", &labels, Some(jobs)).await;
    }
    let of_queue = |queue| [("prefix", "bull"), ("queue", queue)];
    watched
        .until("bullmq_outcomes_exact", &of_queue("plain"), Some(0.0))
        .await;
    let exact = watched.value("bullmq_outcomes_exact", &of_queue("metered"));
    assert_eq!(exact, Some(1.0));
    for queue in ["metered", "plain"] {
        assert!(watched.value("bullmq_events_lost_total", &of_queue(queue)) > Some(1_000.0));
    }
    // Only the outcomes that were read.
    let plain = watched.sum("bullmq_jobs_finished_total", &[("queue", "plain")]);
    assert!((100.0..=177.0).contains(&plain), "{plain}");
    // Then the counts are exact again.
    work("metered", "100", &["--metrics"]).await;
    let completed = [("queue", "metered"), ("state", "completed")];
    watched
        .until("queue_jobs_total", &completed, Some(1_089.0))
        .await;
}

/// Names with a date in them do not use all places: a name that fails has series of its own, which a scraper first sees
/// at 0.
#[tokio::test]
async fn a_name_that_fails_after_many_one_off_names_has_its_own_series() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(settings(&redis.url()));
    watched.until_swept().await;
    let mut queue = Driven::start(&redis, "named").await;
    for n in 0..300 {
        let name = format!("report-2026-{n}");
        queue.ask(json!({"cmd": "add", "name": name})).await;
    }
    let of_queue = [("prefix", "bull"), ("queue", "named")];
    watched
        .until("bullmq_jobs_folded_total", &of_queue, Some(225.0))
        .await;
    let of = |name| [("prefix", "bull"), ("queue", "named"), ("name", name)];
    watched
        .until("bullmq_jobs_added_total", &of("other"), Some(225.0))
        .await;
    let scrape = watched.begin_scrape();
    queue.ask(json!({"cmd": "work"})).await;
    let finished = || watched.sum("bullmq_jobs_finished_total", &[("queue", "named")]);
    eventually(SOON, async || match finished() {
        300.0 => Ok(()),
        jobs => Err(format!("{jobs} are finished")),
    })
    .await;
    queue.ask(json!({"cmd": "rest"})).await;
    queue.ask(json!({"cmd": "work", "as": "fail"})).await;
    let invoices = json!({"cmd": "add", "n": 3, "name": "send-invoice"});
    queue.ask(invoices).await;
    let failed = [&of("send-invoice")[..], &[("outcome", "failed")]].concat();
    watched
        .until("bullmq_jobs_finished_total", &failed, Some(3.0))
        .await;
    let attempts = of("send-invoice");
    watched
        .until("bullmq_attempts_failed_total", &attempts, Some(3.0))
        .await;
    // For a client that scraped before, the series began at 0.
    assert!(watched.is_new_since(scrape, "bullmq_jobs_finished_total", "send-invoice"));
    // The first job was not known to fail when it was added.
    let added = watched.value("bullmq_jobs_added_total", &of("send-invoice"));
    assert!(added >= Some(2.0), "{added:?}");
}
