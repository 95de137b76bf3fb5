//! Redis crashes, freezes, or restarts empty: unknown values are absent, and counts are kept.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use vigie_bullmq::Watcher;
use vigie_metrics::Registry;
use vigie_testkit::faults::Link;
use vigie_testkit::{Redis, TcpProxy, eventually};

use crate::support::{SOON, Watched, forgetful, run, run_jobs, settings, until_checked, watch};

const COMPLETED: [(&str, &str); 2] = [("queue", "work"), ("state", "completed")];
const WAITING: [(&str, &str); 2] = [("queue", "work"), ("state", "waiting")];

/// Values that must never decrease.
fn counted(watched: &Watched) -> [f64; 5] {
    let scrape = watched.scrape();
    [
        scrape.sum("queue_jobs_total", &COMPLETED),
        scrape.sum(
            "queue_jobs_total",
            &[("queue", "work"), ("state", "failed")],
        ),
        scrape.sum("bullmq_jobs_finished_total", &[]),
        scrape.sum("bullmq_job_run_seconds_count", &[]),
        scrape.sum("bullmq_events_read_total", &[]),
    ]
}

/// Polls the counts while `happening` runs.
pub(crate) async fn never_falls(watched: &Watched, happening: impl Future<Output = ()>) {
    let looking = async {
        let mut last = counted(watched);
        loop {
            sleep(Duration::from_millis(5)).await;
            let now = counted(watched);
            assert!(
                now.iter().zip(last).all(|(now, last)| *now >= last),
                "{last:?}, then {now:?}"
            );
            last = now;
        }
    };
    tokio::select! {
        () = happening => {}
        () = looking => {}
    }
}

async fn until_down(watched: &Watched) {
    watched
        .until("vigie_source_up", &[("source", "redis")], Some(0.0))
        .await;
    watched
        .until("vigie_source_up", &[("source", "events")], Some(0.0))
        .await;
    let scrape = watched.scrape();
    for level in [
        "bullmq_jobs",
        "bullmq_jobs_retained",
        "bullmq_queue_paused",
        "bullmq_oldest_waiting_age_seconds",
        "bullmq_oldest_active_age_seconds",
        "bullmq_active_without_lock",
        "bullmq_delayed_overdue",
        "bullmq_scheduler_late_seconds",
        "bullmq_schedulers",
        "bullmq_oldest_waiting_children_age_seconds",
        "bullmq_queue_paused_seconds",
        "bullmq_rate_limited",
        "bullmq_rate_limit_reset_seconds",
        "bullmq_concurrency_limit",
        "bullmq_concurrency_reached",
        "bullmq_outcomes_exact",
        "bullmq_workers",
    ] {
        let left = scrape.samples(level, &[]).count();
        assert_eq!(left, 0, "{level} outlived its source");
    }
    let left = scrape
        .samples("queue_jobs_total", &[])
        .map(|sample| sample.label("state"));
    assert_eq!(
        left.collect::<Vec<_>>(),
        [Some("completed"), Some("failed")]
    );
    let status = watched.watcher.status();
    assert!(status.error.is_some() && status.queues[0].levels.is_none());
}

#[tokio::test]
async fn killed_and_back_empty() {
    let mut redis = forgetful().await;
    let watched = watch(settings(&redis.url()));
    watched.until_swept().await;
    run_jobs(&redis, "work", 1_000).await;
    watched
        .until("queue_jobs_total", &COMPLETED, Some(900.0))
        .await;
    never_falls(&watched, async {
        redis.kill9();
        until_down(&watched).await;
        assert_eq!(watched.value("queue_jobs_total", &COMPLETED), Some(900.0));
        redis.restart().await.unwrap();
        assert_eq!(redis.cli(&["DBSIZE"]).await.unwrap(), "0");
        // Before or after the watcher reconnects: all jobs are from after its start.
        run_jobs(&redis, "work", 500).await;
        watched
            .until("queue_jobs_total", &COMPLETED, Some(1_350.0))
            .await;
        watched.until("queue_jobs_total", &WAITING, Some(0.0)).await;
        watched
            .until("vigie_source_up", &[("source", "events")], Some(1.0))
            .await;
    })
    .await;
    let of_queue = [("prefix", "bull"), ("queue", "work")];
    watched
        .until("bullmq_events_lost_total", &of_queue, Some(1.0))
        .await;
    assert_eq!(watched.value("bullmq_outcomes_exact", &of_queue), None);
    let status = watched.watcher.status();
    assert_eq!((status.error, status.events_error), (None, None));
}

#[tokio::test]
async fn killed_and_back_with_its_data_and_then_frozen() {
    let mut redis = Redis::start().await.unwrap();
    let mut settings = settings(&redis.url());
    // The time until a frozen server is noticed.
    settings.timeout = Duration::from_secs(3);
    let watched = watch(settings);
    watched.until_swept().await;
    run_jobs(&redis, "work", 1_000).await;
    watched
        .until("queue_jobs_total", &COMPLETED, Some(900.0))
        .await;
    never_falls(&watched, async {
        redis.restart().await.unwrap();
        run_jobs(&redis, "work", 100).await;
        watched
            .until("queue_jobs_total", &COMPLETED, Some(990.0))
            .await;
        watched.until("queue_jobs_total", &WAITING, Some(0.0)).await;

        redis.freeze();
        until_down(&watched).await;
        redis.thaw();
        watched.until("queue_jobs_total", &WAITING, Some(0.0)).await;
        run_jobs(&redis, "work", 100).await;
        watched
            .until("queue_jobs_total", &COMPLETED, Some(1_080.0))
            .await;
    })
    .await;
    let of_queue = [("prefix", "bull"), ("queue", "work")];
    assert_eq!(
        watched.value("bullmq_events_lost_total", &of_queue),
        Some(0.0)
    );
    assert_eq!(watched.sum("bullmq_jobs_finished_total", &[]), 1_200.0);
}

/// Data that Redis had not saved is lost, as in a failover to a replica that was behind: the streams are shorter, and
/// their remaining entries were read before.
#[tokio::test]
async fn restarted_with_an_earlier_state() {
    let mut redis = forgetful().await;
    let watched = watch(settings(&redis.url()));
    watched.until_swept().await;
    let work = async |redis: &Redis, jobs: &str| {
        let args = ["--queue=work", "--metrics", "--jobs", jobs];
        run("testing/jobs.js", redis, &args).await;
    };
    let finished = async |jobs: f64| {
        eventually(SOON, async || {
            match watched.sum("bullmq_jobs_finished_total", &[]) {
                found if found == jobs => Ok(()),
                found => Err(format!("{found}, not {jobs}")),
            }
        })
        .await;
    };
    let of_queue = [("prefix", "bull"), ("queue", "work")];
    work(&redis, "300").await;
    finished(300.0).await;
    // Compared with the workers' counters while no entry is missed.
    until_checked(&redis, 1).await;
    work(&redis, "100").await;
    finished(400.0).await;
    until_checked(&redis, 1).await;
    assert_eq!(watched.value("bullmq_outcomes_exact", &of_queue), Some(1.0));
    redis.cli(&["SAVE"]).await.unwrap();
    work(&redis, "200").await;
    finished(600.0).await;
    never_falls(&watched, async {
        redis.kill9();
        until_down(&watched).await;
        assert_eq!(watched.value("bullmq_outcomes_exact", &of_queue), None);
        redis.restart().await.unwrap();
        let kept = redis
            .cli(&["HGET", "bull:work:metrics:completed", "count"])
            .await
            .unwrap();
        assert_eq!(kept, "360");
        watched
            .until("vigie_source_up", &[("source", "events")], Some(1.0))
            .await;
        watched.until("queue_jobs_total", &WAITING, Some(0.0)).await;
        work(&redis, "100").await;
        finished(700.0).await;
        // The counters grew by less than was read, which disproves that all workers count.
        until_checked(&redis, 1).await;
        work(&redis, "50").await;
        finished(750.0).await;
    })
    .await;
    finished(750.0).await;
    // The number of other lost entries is unknown.
    watched
        .until("bullmq_events_lost_total", &of_queue, Some(1.0))
        .await;
    assert_eq!(watched.value("bullmq_outcomes_exact", &of_queue), None);
}

/// An eviction removes the stream as `DEL` does: under load, between two reads, or before the queue is idle.
#[tokio::test]
async fn the_stream_is_deleted_four_times() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(settings(&redis.url()));
    watched.until_swept().await;
    let of_queue = [("prefix", "bull"), ("queue", "work")];
    run_jobs(&redis, "work", 100).await;
    watched
        .until("bullmq_outcomes_exact", &of_queue, Some(1.0))
        .await;
    for deletion in 1..=4 {
        redis.cli(&["DEL", "bull:work:events"]).await.unwrap();
        run_jobs(&redis, "work", 200).await;
        eventually(SOON, async || {
            match watched.value("bullmq_events_lost_total", &of_queue) {
                Some(lost) if lost >= f64::from(deletion) => Ok(()),
                lost => Err(format!("{lost:?} after {deletion} deletions")),
            }
        })
        .await;
        assert_eq!(watched.value("bullmq_outcomes_exact", &of_queue), None);
    }
    // Another type under the key, temporarily.
    redis.cli(&["DEL", "bull:work:events"]).await.unwrap();
    redis.cli(&["SET", "bull:work:events", "x"]).await.unwrap();
    eventually(SOON, async || {
        match watched.value("bullmq_events_lost_total", &of_queue) {
            Some(lost) if lost >= 5.0 => Ok(()),
            lost => Err(format!("{lost:?}")),
        }
    })
    .await;
    assert_eq!(watched.value("bullmq_outcomes_exact", &of_queue), None);
}

/// Outcomes in trimmed entries are recovered from the workers' counters if the server still has all entries that were
/// read, but not if it lost some, which reduces the counters.
#[tokio::test]
async fn missed_while_a_server_was_lost() {
    let mut redis = forgetful().await;
    let target = SocketAddr::from(([127, 0, 0, 1], redis.port()));
    let proxy = TcpProxy::start(target).await.unwrap();
    let watched = watch(settings(&format!("redis://{}", proxy.addr())));
    watched.until_swept().await;
    let work = async |redis: &Redis, queue: &str, jobs: &str| {
        let args = ["--metrics", "--queue", queue, "--jobs", jobs];
        run("testing/jobs.js", redis, &args).await;
    };
    let finished = |queue: &str| watched.sum("bullmq_jobs_finished_total", &[("queue", queue)]);
    let until_finished = async |queue: &str, jobs: f64| {
        eventually(SOON, async || match finished(queue) {
            found if found == jobs => Ok(()),
            found => Err(format!("{found} of {queue}, not {jobs}")),
        })
        .await;
    };
    // The workers' counters are compared with the events while no entry is missed.
    for (jobs, sum) in [("100", 100.0), ("10", 110.0)] {
        for queue in ["whole", "less"] {
            work(&redis, queue, jobs).await;
            until_finished(queue, sum).await;
        }
        until_checked(&redis, 2).await;
    }
    redis.cli(&["SAVE"]).await.unwrap();
    work(&redis, "less", "110").await;
    until_finished("less", 220.0).await;
    until_checked(&redis, 2).await;
    never_falls(&watched, async {
        proxy.set(Link::Cut).await;
        let events = [("source", "events")];
        watched.until("vigie_source_up", &events, Some(0.0)).await;
        work(&redis, "whole", "200").await;
        redis.kill9();
        redis.restart().await.unwrap();
        for (queue, jobs) in [("whole", "150"), ("less", "50")] {
            work(&redis, queue, jobs).await;
            let key = format!("bull:{queue}:events");
            redis.cli(&["XTRIM", &key, "MAXLEN", "20"]).await.unwrap();
        }
        proxy.set(Link::Up).await;
        // The 200 jobs left no trace.
        until_finished("whole", 260.0).await;
    })
    .await;
    // Only the outcomes that were read, at another time than those of the other queue.
    eventually(SOON, async || match finished("less") {
        less if less > 220.0 => Ok(()),
        less => Err(format!("{less}")),
    })
    .await;
    until_checked(&redis, 2).await;
    let less = finished("less");
    assert!(less <= 240.0, "{less}");
    let of_queue = |queue| [("prefix", "bull"), ("queue", queue)];
    let value = |name, queue| watched.value(name, &of_queue(queue));
    assert!(value("bullmq_events_lost_total", "whole") > Some(100.0));
    assert_eq!(value("bullmq_outcomes_exact", "less"), None);
}

#[tokio::test]
async fn waits_for_a_redis_that_is_not_running_yet() {
    let mut redis = forgetful().await;
    redis.kill9();
    let watched = watch(settings(&redis.url()));
    watched
        .until("vigie_source_up", &[("source", "redis")], Some(0.0))
        .await;
    let error = watched.watcher.status().error.unwrap();
    assert!(error.contains("cannot connect"), "{error}");
    redis.restart().await.unwrap();
    watched.until_swept().await;
    run_jobs(&redis, "work", 100).await;
    watched
        .until("queue_jobs_total", &COMPLETED, Some(90.0))
        .await;
}

#[tokio::test]
async fn a_queue_that_is_gone_is_forgotten_and_one_made_anew_is_followed() {
    let redis = Redis::start().await.unwrap();
    let mut settings = settings(&redis.url());
    settings.forget_after = Duration::from_millis(500);
    let watched = watch(settings);
    watched.until_swept().await;
    run_jobs(&redis, "work", 100).await;
    watched
        .until("queue_jobs_total", &COMPLETED, Some(90.0))
        .await;
    redis.cli(&["FLUSHALL"]).await.unwrap();
    eventually(SOON, async || {
        let scrape = watched.scrape();
        let left = scrape.families().iter().flat_map(|family| &family.samples);
        match left
            .clone()
            .find(|sample| sample.label("queue") == Some("work"))
        {
            Some(sample) => Err(format!("{sample:?} is still there")),
            None => Ok(()),
        }
    })
    .await;
    assert_eq!(watched.value("bullmq_queues", &[]), Some(0.0));
    run_jobs(&redis, "work", 50).await;
    watched
        .until("queue_jobs_total", &COMPLETED, Some(45.0))
        .await;
}

#[tokio::test]
async fn stops_on_request_while_redis_does_not_reply() {
    let redis = Redis::start().await.unwrap();
    let mut settings = settings(&redis.url());
    // A watcher that waits for the reply does not stop in time.
    settings.timeout = 10 * SOON;
    let watcher = Watcher::new(settings, &Registry::new());
    let stop = CancellationToken::new();
    let running = tokio::spawn(watcher.run(stop.clone()));
    redis.freeze();
    sleep(Duration::from_millis(300)).await;
    assert!(!running.is_finished());
    stop.cancel();
    timeout(SOON, running).await.unwrap().unwrap();
}
