//! 5,000 jobs that are removed on completion, a tenth of them failing, are counted exactly, by name.

use serde_json::Value;
use vigie_testkit::{Redis, SOON, Script, eventually};

use crate::common::Stage;

const JOBS: u32 = 5_000;
const QUEUE: &str = "exact";
const OUTCOMES: [&str; 2] = ["completed", "failed"];

#[tokio::test]
async fn five_thousand_jobs_are_counted_exactly() {
    let stage = Stage::set().await;
    // The queue is created without jobs: both counters start at 0, so that `rate()` includes the first jobs.
    stage.fill(QUEUE, &[]).await;
    eventually(SOON, async || {
        let scrape = stage.vigie.scrape().await;
        let zero =
            |state: &str| scrape.value("queue_jobs_total", &[("queue", QUEUE), ("state", state)]);
        let ends = OUTCOMES.map(zero);
        (ends == [Some(0.0); 2])
            .then_some(())
            .ok_or(format!("{ends:?}"))
    })
    .await;

    let truth = run(&stage.redis, QUEUE, JOBS).await;
    let stream = format!("bull:{QUEUE}:events");
    let added = stage
        .redis
        .cli(&["XINFO", "STREAM", &stream])
        .await
        .unwrap();
    let mut added = added.lines().skip_while(|line| *line != "entries-added");
    let added: f64 = added.nth(1).unwrap().parse().unwrap();
    let of_queue = [("prefix", "bull"), ("queue", QUEUE)];
    let scrape = eventually(SOON, async || {
        let scrape = stage.vigie.scrape().await;
        let read = scrape.sum("bullmq_events_read_total", &of_queue);
        if read == added {
            Ok(scrape)
        } else {
            Err(format!("{read} of {added} events read"))
        }
    })
    .await;

    assert_eq!(
        scrape.value("bullmq_events_lost_total", &of_queue),
        Some(0.0)
    );
    for (outcome, expected) in OUTCOMES.into_iter().zip([4_500.0, 500.0]) {
        let state = [("queue", QUEUE), ("state", outcome)];
        assert_eq!(scrape.value("queue_jobs_total", &state), Some(expected));
        let by_name = truth[outcome].as_object().unwrap();
        assert_eq!(by_name.len(), 3);
        for (name, count) in by_name {
            let labels = [
                of_queue[0],
                of_queue[1],
                ("name", name),
                ("outcome", outcome),
            ];
            assert_eq!(
                scrape.value("bullmq_jobs_finished_total", &labels),
                count.as_f64(),
                "{labels:?}"
            );
            assert_eq!(
                scrape.value("bullmq_job_run_seconds_count", &labels),
                count.as_f64(),
                "{labels:?}"
            );
        }
        let counted = [of_queue[0], of_queue[1], ("outcome", outcome)];
        assert_eq!(scrape.sum("bullmq_jobs_finished_total", &counted), expected);
    }
    assert_eq!(
        scrape.value("bullmq_job_runs_unmeasured_total", &of_queue),
        Some(0.0)
    );
    // The failures visible to ZCARD, of 500.
    let kept = stage
        .redis
        .cli(&["ZCARD", &format!("bull:{QUEUE}:failed")])
        .await;
    assert_eq!(kept.unwrap(), "0");
    stage.end().await;
}

/// Runs this number of jobs through a queue, a tenth of them failing, and returns the outcomes by name.
pub(crate) async fn run(redis: &Redis, queue: &str, jobs: u32) -> Value {
    let (url, jobs) = (redis.url(), jobs.to_string());
    let arguments = [
        "--redis",
        &url,
        "--queue",
        queue,
        "--jobs",
        &jobs,
        "--fail-ratio",
        "0.1",
    ];
    let script = Script::new("testing/jobs.js").args(arguments);
    let mut script = script.spawn().unwrap();
    let truth = script.next_json(SOON).await.unwrap();
    assert!(script.wait(SOON).await.unwrap().success());
    truth
}
