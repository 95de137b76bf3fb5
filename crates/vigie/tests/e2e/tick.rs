//! The histogram of the production tick contains every tick. Its mean equals that of the events in Redis, read with BullMQ's own
//! client, and includes the backend's own measurement.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use vigie_testkit::{SOON, eventually};

use crate::common::Stage;

/// The resolution of the times in Redis and of the backend's clock.
const MILLISECOND: f64 = 1.0;
const TICKS: f64 = 60.0;
/// The number of times that the means are compared.
const WINDOWS: u32 = 2;
/// The time until a completed tick is in the histogram.
const FOLLOWS: Duration = SOON;
const ANSWER: Duration = SOON;

#[tokio::test]
async fn every_tick_is_counted_and_timed_as_redis_records_it() {
    let mut stage = Stage::set_with(&[("TICK_EVERY_MS", "200"), ("TICK_EVENTS", "1")]).await;
    stage.fill("production", &["--paused"]).await;
    for _ in 0..WINDOWS {
        let means = window(&mut stage).await;
        assert!(
            (means.measured - means.recorded).abs() < MILLISECOND,
            "{means:?}"
        );
        // The backend starts its clock after it has received the job, and stops it before Redis records the end. On a busy
        // machine both take time.
        assert!(means.measured - means.own > -MILLISECOND, "{means:?}");
    }
    stage.end().await;
}

/// A number of ticks, and the sum of their durations in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sum {
    count: f64,
    ms: f64,
}

impl Sum {
    fn mean_since(self, before: Self) -> f64 {
        (self.ms - before.ms) / (self.count - before.count)
    }
}

/// The same ticks by Vigie, by the events in Redis, and by the backend.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sums {
    measured: Sum,
    recorded: Sum,
    own: Sum,
}

/// Their means, in milliseconds.
#[derive(Debug)]
struct Means {
    measured: f64,
    recorded: f64,
    own: f64,
}

/// Lets ticks pass between two pauses, so that all cover the same ones.
async fn window(stage: &mut Stage) -> Means {
    let before = at_rest(stage).await;
    stage.fill("production", &["--resume"]).await;
    let mut counted = 0.0;
    while counted < TICKS {
        sleep(Duration::from_secs(1)).await;
        let ended = truth(stage).await.1.count - before.own.count;
        counted = eventually(FOLLOWS, async || {
            let counted = measured(stage).await.count - before.measured.count;
            let follows = counted >= ended;
            follows
                .then_some(counted)
                .ok_or(format!("{counted} ticks of {ended}"))
        })
        .await;
        let true_count = truth(stage).await.1.count - before.own.count;
        assert!(counted <= true_count, "{counted} ticks of {true_count}");
    }
    stage.fill("production", &["--paused"]).await;
    let after = at_rest(stage).await;
    let ticks = after.own.count - before.own.count;
    assert_eq!(after.measured.count - before.measured.count, ticks);
    assert_eq!(after.recorded.count - before.recorded.count, ticks);
    Means {
        measured: after.measured.mean_since(before.measured),
        recorded: after.recorded.mean_since(before.recorded),
        own: after.own.mean_since(before.own),
    }
}

/// All measurements, while no tick runs and the last one has been read.
async fn at_rest(stage: &mut Stage) -> Sums {
    let mut last = all(stage).await;
    loop {
        sleep(Duration::from_secs(2)).await;
        let now = all(stage).await;
        if now == last {
            return now;
        }
        last = now;
    }
}

async fn all(stage: &mut Stage) -> Sums {
    let (recorded, own) = truth(stage).await;
    Sums {
        measured: measured(stage).await,
        recorded,
        own,
    }
}

/// By the events in Redis, and by the backend.
async fn truth(stage: &mut Stage) -> (Sum, Sum) {
    let ticks = stage
        .backend
        .ask(&json!({"cmd": "ticks"}), ANSWER)
        .await
        .unwrap();
    let sum = |value: &serde_json::Value| Sum {
        count: value["count"].as_f64().unwrap(),
        ms: value["sumMs"].as_f64().unwrap(),
    };
    (sum(&ticks["recorded"]), sum(&ticks))
}

/// By Vigie.
async fn measured(stage: &Stage) -> Sum {
    let scrape = stage.vigie.scrape().await;
    let value = |part| {
        scrape
            .value(&format!("production_tick_duration_seconds_{part}"), &[])
            .unwrap()
    };
    Sum {
        count: value("count"),
        ms: value("sum") * 1_000.0,
    }
}
