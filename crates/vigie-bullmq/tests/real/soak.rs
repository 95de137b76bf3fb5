//! Many jobs, many queues, and workers that are killed: counts are exact.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};
use vigie_testkit::{Process, Redis, Script};

use crate::support::{SCRIPT, Watched, forgetful, settings, watch};

const QUEUES: usize = 50;
const JOBS: usize = 200_000;
const WORKERS: usize = 3;
/// Limit on jobs that were added but not yet counted as ended, over all queues. BullMQ keeps 10,000 entries per queue,
/// so that none is trimmed before it is read, even on a slow machine.
const AHEAD: usize = 50_000;
/// Spread evenly over the jobs.
const KILLS: usize = 12;
/// The test takes a minute on two idle cores; the duration is not asserted.
const LATE: Duration = Duration::from_secs(3_600);

fn script(redis: &Redis, role: &str, logs: &Path) -> Script {
    let script = Script::new("testing/soak.js").args([role, "--redis", &redis.url()]);
    let script = script.args(["--queues", &QUEUES.to_string(), "--jobs", &JOBS.to_string()]);
    script.args(["--logs".as_ref(), logs.as_os_str()])
}

/// A worker with a log file.
fn worker(redis: &Redis, logs: &Path, number: usize) -> Process {
    let script = script(redis, "work", logs);
    script
        .args(["--worker", &number.to_string()])
        .spawn()
        .unwrap()
}

fn finished(watched: &Watched) -> usize {
    watched.counted("bullmq_jobs_finished_total")
}

/// The reference is in Redis, where the script that ends a job also stores its outcome; a script of the tests reads it
/// job by job. It compares it with the workers' logs, which lack only the outcomes at the moment a worker was killed,
/// and with the counters that the workers keep in Redis.
#[tokio::test]
async fn two_hundred_thousand_jobs_whose_workers_are_killed_are_counted_to_the_job() {
    let redis = forgetful().await;
    let logs = tempfile::tempdir().unwrap();
    let watched = watch(settings(&redis.url()));
    watched.until_swept().await;

    let mut adding = script(&redis, "add", logs.path()).spawn().unwrap();
    let mut workers: Vec<_> = (0..WORKERS)
        .map(|number| worker(&redis, logs.path(), number))
        .collect();
    let start = Instant::now();
    let (mut added, mut ended, mut killed) = (0, 0, Vec::new());
    while ended < JOBS && start.elapsed() < LATE {
        if added < JOBS && added < ended + AHEAD {
            let more = adding.ask(&json!({"cmd": "more"}), LATE).await.unwrap();
            added = more["added"].as_u64().unwrap() as usize;
        }
        if killed.len() < KILLS && ended >= JOBS * (killed.len() + 1) / (KILLS + 1) {
            // `RandomState` is seeded per instance, which suffices for a random choice.
            let one = RandomState::new().hash_one(ended) as usize % WORKERS;
            workers[one].kill9();
            workers[one] = worker(&redis, logs.path(), WORKERS + killed.len());
            killed.push(one);
        }
        sleep(Duration::from_millis(20)).await;
        ended = finished(&watched);
    }
    for worker in &mut workers {
        worker.stop(SCRIPT).await;
    }

    let mut telling = script(&redis, "tell", logs.path()).spawn().unwrap();
    let truth = telling.next_json(LATE).await.unwrap();
    let scrape = watched.scrape();
    let lost = scrape.sum("bullmq_events_lost_total", &[]);
    let unknown = scrape.sum("bullmq_jobs_finished_total", &[("name", "unknown")]);
    let status = watched.watcher.status();
    let about = format!(
        "workers {killed:?} were killed, {lost} events were lost, {unknown} names are unknown, {:?} {:?}; {truth}",
        status.error, status.events_error
    );
    assert_eq!(
        truth["problems"].as_array().map(Vec::len),
        Some(0),
        "{about}"
    );
    let mut differences = Vec::new();
    let mut all = 0.0;
    for (queue, names) in truth["ended"].as_object().unwrap() {
        for (name, outcomes) in names.as_object().unwrap() {
            for outcome in ["completed", "failed"] {
                let expected = outcomes[outcome].as_f64().unwrap();
                all += expected;
                let labels = [
                    ("prefix", "bull"),
                    ("queue", queue.as_str()),
                    ("name", name),
                    ("outcome", outcome),
                ];
                let counted = scrape.value("bullmq_jobs_finished_total", &labels);
                if counted != Some(expected) {
                    differences.push(format!(
                        "{queue} {name} {outcome}: {counted:?}, not {expected}"
                    ));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{differences:#?} {about}");
    assert_eq!(all, JOBS as f64);
    assert_eq!(
        scrape.sum("bullmq_jobs_finished_total", &[]),
        all,
        "other names"
    );
    assert_eq!(scrape.sum("bullmq_jobs_added_total", &[]), all);
    assert_eq!(lost, 0.0);
    assert_eq!(
        scrape.samples("bullmq_events_lost_total", &[]).count(),
        QUEUES
    );
    assert_eq!(scrape.sum("bullmq_outcomes_exact", &[]), QUEUES as f64);
    // The load was effective: jobs were retried, and found without their workers.
    assert_eq!(killed.len(), KILLS);
    let retried = [("outcome", "retried")];
    assert!(scrape.sum("bullmq_job_run_seconds_count", &retried) > JOBS as f64 / 40.0);
    assert!(
        scrape.sum("bullmq_jobs_stalled_total", &[]) > 0.0,
        "{about}"
    );
}
