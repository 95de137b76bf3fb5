//! Levels equal BullMQ's own counts, and cover cases that BullMQ does not report.

use std::collections::BTreeMap;

use serde_json::json;
use vigie_bullmq::{State, Tick, probe};
use vigie_testkit::Redis;

use crate::signals::Driven;
use crate::support::{Watched, run, settings, tick, watch};

const FILL: &str = "testing/fill.js";

async fn until_levels(watched: &Watched, queue: &str, levels: [(&str, f64); 6]) {
    for (state, jobs) in levels {
        let labels = [("queue", queue), ("state", state)];
        watched.until("queue_jobs_total", &labels, Some(jobs)).await;
    }
}

#[tokio::test]
async fn every_state_equals_bullmqs_own_count() {
    let redis = Redis::start().await.unwrap();
    let watched = watch(settings(&redis.url()));
    let filled = run(
        FILL,
        &redis,
        &[
            "--queue=q",
            "--waiting=3",
            "--prioritized=2",
            "--delayed=4",
            "--active=1",
            "--completed=5",
            "--failed=6",
            "--waiting-children=7",
        ],
    )
    .await;
    let counts = |state: &str| filled["counts"][state].as_f64().unwrap();
    assert_eq!(counts("waiting-children"), 7.0);
    let levels = [
        "waiting",
        "active",
        "delayed",
        "prioritized",
        "paused",
        "waiting-children",
    ];
    until_levels(&watched, "q", levels.map(|state| (state, counts(state)))).await;
    until_levels(
        &watched,
        "q-children",
        levels.map(|state| (state, if state == "waiting" { 7.0 } else { 0.0 })),
    )
    .await;
    let scrape = watched.scrape();
    for state in levels {
        let labels = [("prefix", "bull"), ("queue", "q"), ("state", state)];
        assert_eq!(scrape.value("bullmq_jobs", &labels), Some(counts(state)));
    }
    for state in ["completed", "failed"] {
        let labels = [("prefix", "bull"), ("queue", "q"), ("state", state)];
        assert_eq!(
            scrape.value("bullmq_jobs_retained", &labels),
            Some(counts(state))
        );
    }

    let status = watched.watcher.status();
    let names: Vec<_> = status
        .queues
        .iter()
        .map(|queue| queue.name.as_str())
        .collect();
    assert_eq!(names, ["q", "q-children"]);
    assert!(status.queues[0].age.is_some() && status.last_levels.is_some());
    assert_eq!((status.error, status.events_error), (None, None));

    run(FILL, &redis, &["--queue=q", "--paused"]).await;
    watched
        .until(
            "queue_jobs_total",
            &[("queue", "q"), ("state", "paused")],
            Some(3.0),
        )
        .await;
    watched.until_jobs("q", "waiting", Some(0.0)).await;
    run(FILL, &redis, &["--queue=q", "--resume", "--waiting=1"]).await;
    watched
        .until(
            "queue_jobs_total",
            &[("queue", "q"), ("state", "waiting")],
            Some(4.0),
        )
        .await;
    watched.until_jobs("q", "paused", Some(0.0)).await;
}

#[tokio::test]
async fn queues_of_one_name_are_added_up_and_found_under_any_prefix() {
    let redis = Redis::start().await.unwrap();
    for (prefix, waiting) in [("bull", "2"), ("shop:eu", "3"), ("{tag}", "4")] {
        run(
            FILL,
            &redis,
            &["--prefix", prefix, "--queue=q", "--waiting", waiting],
        )
        .await;
    }
    let found = probe(&settings(&redis.url())).await.unwrap();
    let found: BTreeMap<_, _> = found
        .iter()
        .map(|queue| (queue.prefix.as_str(), queue.levels.get(State::Waiting)))
        .collect();
    let expected = [("bull", Some(2)), ("shop:eu", Some(3)), ("{tag}", Some(4))];
    assert_eq!(found, BTreeMap::from(expected));

    let watched = watch(settings(&redis.url()));
    watched
        .until(
            "queue_jobs_total",
            &[("queue", "q"), ("state", "waiting")],
            Some(9.0),
        )
        .await;
    assert_eq!(
        watched.sum("bullmq_jobs", &[("queue", "q"), ("state", "waiting")]),
        9.0
    );
    assert_eq!(watched.value("bullmq_queues", &[]), Some(3.0));
}

/// Keys of other versions, created from the documented differences.
#[tokio::test]
async fn old_and_new_versions_and_unrelated_keys() {
    let redis = Redis::start().await.unwrap();
    for command in [
        // Version 4: a marker in `wait`.
        "HSET bull:four:meta version bullmq:4.18.3",
        "RPUSH bull:four:wait 2 0:1795425686973 3",
        // Version 6: paused jobs stay in `wait`.
        "HSET bull:six:meta version bullmq:6.7.0 paused 1",
        "RPUSH bull:six:wait 1 2 3",
        "RPUSH bull:six:paused 4",
        // Not queues.
        "SET bull:text:meta x",
        "HSET bull:bull4:meta paused 1",
        "HSET bull::meta version x",
        // A queue with keys of unexpected types.
        "HSET bull:odd:meta version bullmq:5.0.0",
        "SET bull:odd:wait x",
        "SET bull:odd:events x",
        "RPUSH bull:odd:active 1",
    ] {
        let words: Vec<_> = command.split(' ').collect();
        redis.cli(&words).await.unwrap();
    }
    let watched = watch(settings(&redis.url()));
    watched
        .until(
            "queue_jobs_total",
            &[("queue", "four"), ("state", "waiting")],
            Some(2.0),
        )
        .await;
    watched.until_jobs("six", "waiting", Some(0.0)).await;
    watched.until_jobs("six", "paused", Some(4.0)).await;
    assert_eq!(
        watched.jobs("odd", "waiting"),
        None,
        "unknown is not a number"
    );
    watched.until_jobs("odd", "active", Some(1.0)).await;
    assert_eq!(watched.value("bullmq_queues", &[]), Some(3.0));
    watched.until_followed("four").await;
    // The one bad stream does not affect the others.
    redis
        .cli(&[
            "XADD",
            "bull:four:events",
            "*",
            "event",
            "completed",
            "jobId",
            "2",
        ])
        .await
        .unwrap();
    watched
        .until(
            "queue_jobs_total",
            &[("queue", "four"), ("state", "completed")],
            Some(1.0),
        )
        .await;
}

#[tokio::test]
async fn no_more_queues_than_allowed() {
    let redis = Redis::start().await.unwrap();
    for queue in 0..5 {
        let key = format!("bull:q{queue}:meta");
        redis
            .cli(&["HSET", &key, "version", "bullmq:5.0.0"])
            .await
            .unwrap();
    }
    let mut settings = settings(&redis.url());
    settings.max_queues = 3;
    let watched = watch(settings);
    watched.until("bullmq_queues", &[], Some(3.0)).await;
    assert!(watched.value("bullmq_queues_refused_total", &[]) >= Some(2.0));
}

#[tokio::test]
async fn the_queue_of_the_tick_is_followed_beyond_the_limit() {
    let redis = Redis::start().await.unwrap();
    let mut settings = settings(&redis.url());
    settings.max_queues = 3;
    settings.tick = tick("zz", "tick");
    let add = async |queue: &str| {
        let key = format!("bull:{queue}:meta");
        let meta = ["HSET", &key, "version", "bullmq:5.0.0"];
        redis.cli(&meta).await.unwrap();
    };
    for queue in ["q0", "q1", "q2", "q3"] {
        add(queue).await;
    }
    let watched = watch(settings.clone());
    watched.until("bullmq_queues", &[], Some(3.0)).await;
    // It comes last, when all places are taken.
    add("zz").await;
    watched.until("bullmq_queues", &[], Some(4.0)).await;
    watched
        .until(
            "queue_jobs_total",
            &[("queue", "zz"), ("state", "waiting")],
            Some(0.0),
        )
        .await;
    let found = probe(&settings).await.unwrap();
    let names: Vec<_> = found.iter().map(|queue| &*queue.name).collect();
    assert!(names.len() == 3 && names.contains(&"zz"), "{names:?}");
}

/// The job of the production tick is searched for among the names in Redis.
#[tokio::test]
async fn a_probe_returns_the_job_names_of_the_ticks_queue() {
    let redis = Redis::start().await.unwrap();
    let mut queue = Driven::start(&redis, "production").await;
    for name in ["tick", "cleanup"] {
        let opts = json!({"removeOnComplete": true});
        let add = json!({"cmd": "add", "name": name, "opts": opts});
        queue.ask(add).await;
    }
    let hourly = json!({"every": 3_600_000});
    let schedule = json!({"cmd": "schedule", "id": "s", "name": "hourly", "repeat": hourly});
    queue.ask(schedule).await;
    let mut settings = settings(&redis.url());
    for (job, names) in [
        (Some("tick"), &["cleanup", "hourly", "tick"][..]),
        (None, &[]),
    ] {
        settings.tick = Some(Tick {
            queue: "production".into(),
            job: job.map(Into::into),
        });
        let found = probe(&settings).await.unwrap();
        assert!(found[0].names.iter().eq(names), "{:?}", found[0].names);
    }
    // Also from the jobs alone.
    redis.cli(&["DEL", "bull:production:events"]).await.unwrap();
    settings.tick = tick("production", "tick");
    let found = probe(&settings).await.unwrap();
    assert_eq!(found[0].names.len(), 3, "{:?}", found[0].names);
}
