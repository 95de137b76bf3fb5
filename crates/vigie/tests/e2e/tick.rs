//! The histogram of the production tick contains every tick, and its mean equals the backend's own measurement.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use vigie_testkit::eventually;

use crate::common::Stage;

/// The required precision.
const WITHIN_MS: f64 = 5.0;
const TICKS: f64 = 60.0;
/// The time until a completed tick is in the histogram.
const FOLLOWS: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(20);

#[tokio::test]
async fn every_tick_is_counted_and_timed_as_the_backend_does_it() {
    let mut stage = Stage::set_with(&[("TICK_EVERY_MS", "200")]).await;
    stage.fill("production", &["--paused"]).await;
    let (mean_ms, true_mean_ms) = window(&mut stage).await;
    let off = (mean_ms - true_mean_ms).abs();
    assert!(off < WITHIN_MS, "{mean_ms} ms instead of {true_mean_ms} ms");
    stage.end().await;
}

/// Lets ticks pass between two pauses, so that both sides cover the same ones. Returns Vigie's mean and the backend's.
async fn window(stage: &mut Stage) -> (f64, f64) {
    let (true_before, before) = at_rest(stage).await;
    stage.fill("production", &["--resume"]).await;
    let mut counted = 0.0;
    while counted < TICKS {
        sleep(Duration::from_secs(1)).await;
        let ended = truth(stage).await.0 - true_before.0;
        counted = eventually(FOLLOWS, async || {
            let counted = measured(stage).await.0 - before.0;
            let follows = counted >= ended;
            follows
                .then_some(counted)
                .ok_or(format!("{counted} ticks of {ended}"))
        })
        .await;
        let true_count = truth(stage).await.0 - true_before.0;
        assert!(counted <= true_count, "{counted} ticks of {true_count}");
    }
    stage.fill("production", &["--paused"]).await;
    let (true_after, after) = at_rest(stage).await;
    let ticks = true_after.0 - true_before.0;
    assert_eq!(after.0 - before.0, ticks);
    let mean = |before: f64, after: f64| (after - before) / ticks;
    (mean(before.1, after.1), mean(true_before.1, true_after.1))
}

/// Both measurements, while no tick runs and the last one has been read.
async fn at_rest(stage: &mut Stage) -> ((f64, f64), (f64, f64)) {
    let mut last = (truth(stage).await, measured(stage).await);
    loop {
        sleep(Duration::from_secs(2)).await;
        let now = (truth(stage).await, measured(stage).await);
        if now == last {
            return now;
        }
        last = now;
    }
}

/// The backend's measurement: number of ticks, and total milliseconds.
async fn truth(stage: &mut Stage) -> (f64, f64) {
    let ticks = stage
        .backend
        .ask(&json!({"cmd": "ticks"}), ANSWER)
        .await
        .unwrap();
    (
        ticks["count"].as_f64().unwrap(),
        ticks["sumMs"].as_f64().unwrap(),
    )
}

/// Vigie's measurement: number of ticks, and total milliseconds.
async fn measured(stage: &Stage) -> (f64, f64) {
    let scrape = stage.vigie.scrape().await;
    let value = |part| {
        scrape
            .value(&format!("production_tick_duration_seconds_{part}"), &[])
            .unwrap()
    };
    (value("count"), value("sum") * 1_000.0)
}
