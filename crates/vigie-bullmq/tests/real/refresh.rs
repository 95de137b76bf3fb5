//! Queues with events are counted at once, all others in turn.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;
use vigie_bullmq::State;
use vigie_testkit::{Redis, eventually};

use crate::support::{SOON, Watched, run, settings, watch};

const QUEUES: usize = 1_500;

/// Queues with one waiting job each. The events of one queue cannot be followed.
async fn redis() -> Redis {
    let redis = Redis::start().await.unwrap();
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut pipeline = redis::pipe();
    for queue in 0..QUEUES {
        pipeline.hset(format!("bull:q{queue}:meta"), "version", "bullmq:5.81.5");
        pipeline.lpush(format!("bull:q{queue}:wait"), 1);
    }
    pipeline.set("bull:q500:events", "x");
    let _: redis::Value = pipeline.query_async(&mut connection).await.unwrap();
    redis
}

fn in_turn(redis: &Redis) -> Watched {
    let mut settings = settings(&redis.url());
    // A turn over all queues takes fifteen refreshes.
    settings.levels_every = Duration::from_millis(200);
    // Checks of this many streams take long.
    settings.checks_every = Duration::from_secs(60);
    settings.timeout = Duration::from_secs(60);
    watch(settings)
}

/// When each queue was counted.
fn counted(watched: &Watched) -> HashMap<String, Instant> {
    let queues = watched.watcher.status().queues.into_iter();
    let now = Instant::now();
    queues
        .filter_map(|queue| Some((queue.name, now - queue.age?)))
        .collect()
}

/// The largest number of queues counted in one refresh, among the latest counts.
fn largest(watched: &Watched) -> usize {
    let mut sizes = HashMap::<_, usize>::new();
    let mut queues = watched.watcher.status().queues;
    queues.retain(|queue| queue.age.is_some());
    match queues.len() {
        QUEUES => {
            for queue in queues {
                *sizes.entry(queue.age).or_default() += 1;
            }
            sizes.into_values().max().unwrap_or_default()
        }
        // Not all queues have been found.
        _ => usize::MAX,
    }
}

/// Waits until the first count of all queues is complete.
async fn until_in_turn(watched: &Watched) {
    eventually(SOON, async || match largest(watched) {
        ..=200 => Ok(()),
        queues => Err(format!("{queues} queues in one refresh")),
    })
    .await;
}

/// Reads the status instead of a scrape, which takes long with many queues.
async fn until_waiting(watched: &Watched, queue: &str, jobs: u64) {
    eventually(SOON, async || {
        let queues = watched.watcher.status().queues;
        let queue = queues.into_iter().find(|found| found.name == queue);
        match queue.unwrap().levels.unwrap().get(State::Waiting) {
            Some(found) if found == jobs => Ok(()),
            found => Err(format!("{found:?}, not {jobs}")),
        }
    })
    .await;
}

#[tokio::test]
async fn quiet_queues_are_counted_in_turn() {
    let redis = redis().await;
    let watched = in_turn(&redis);
    until_in_turn(&watched).await;
    let waiting = [("state", "waiting")];
    assert_eq!(watched.sum("queue_jobs_total", &waiting), QUEUES as f64);

    // No event, as with `drain()`.
    redis.cli(&["DEL", "bull:q7:wait"]).await.unwrap();
    until_waiting(&watched, "q7", 0).await;

    // A queue whose events cannot be followed is counted in every refresh.
    for _ in 0..20 {
        let queues = watched.watcher.status().queues;
        let youngest = queues.iter().filter_map(|queue| queue.age).min();
        let odd = queues.iter().find(|queue| queue.name == "q500").unwrap();
        assert_eq!(odd.age, youngest);
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

#[tokio::test]
async fn an_event_has_its_queue_counted_out_of_turn() {
    let redis = redis().await;
    let watched = in_turn(&redis);
    until_in_turn(&watched).await;
    // On a busy machine it may have been the turn of all queues meanwhile, which tells nothing.
    let mut attempt = 1;
    while !counted_out_of_turn(&redis, &watched, 1 + 2 * attempt).await {
        attempt += 1;
        assert!(attempt <= 20, "it may have been the queue's turn each time");
    }

    // The same with BullMQ's own events.
    let filled = run("testing/fill.js", &redis, &["--queue=q3", "--waiting=4"]).await;
    let truth = filled["counts"]["waiting"].as_u64().unwrap();
    until_waiting(&watched, "q3", truth).await;
}

/// Adds two jobs to the queue that is due last, with an event, and waits until they are counted. Returns whether other queues were
/// not counted meanwhile.
async fn counted_out_of_turn(redis: &Redis, watched: &Watched, waiting: u64) -> bool {
    let before = counted(watched);
    let quiet = before.iter().filter(|(queue, _)| *queue != "q500");
    let (queue, at) = quiet.clone().max_by_key(|(_, at)| **at).unwrap();
    let wait = format!("bull:{queue}:wait");
    let events = format!("bull:{queue}:events");
    let event = ["event", "waiting", "jobId", "2"];
    redis.cli(&["DEL", &wait]).await.unwrap();
    let jobs: Vec<String> = (0..waiting).map(|job| job.to_string()).collect();
    let jobs: Vec<&str> = jobs.iter().map(String::as_str).collect();
    redis
        .cli(&[&["LPUSH", &wait], &jobs[..]].concat())
        .await
        .unwrap();
    redis
        .cli(&[&["XADD", &events, "*"], &event[..]].concat())
        .await
        .unwrap();
    until_waiting(watched, queue, waiting).await;
    let since = counted(watched);
    assert!(since[queue] > *at);
    // Less than the time between two refreshes.
    let moment = Duration::from_millis(50);
    let passed = |queue: &str| since[queue] > before[queue] + moment;
    let mut older = quiet.filter(|(_, earlier)| **earlier + moment < *at);
    older.any(|(queue, _)| !passed(queue))
}

#[tokio::test]
async fn without_events_every_queue_is_counted_every_time() {
    let redis = redis().await;
    let mut settings = settings(&redis.url());
    settings.checks_every = Duration::from_secs(60);
    settings.timeout = Duration::from_secs(60);
    // Events are read once, before any queue is known, and never again.
    settings.poll_every = Duration::from_secs(86_400);
    let watched = watch(settings);
    let all_at_once = async || match largest(&watched) {
        QUEUES => Ok(()),
        queues => Err(format!("{queues} queues in one refresh")),
    };
    eventually(SOON, all_at_once).await;
    redis
        .cli(&["LPUSH", "bull:q7:wait", "2", "3"])
        .await
        .unwrap();
    until_waiting(&watched, "q7", 3).await;
    eventually(SOON, all_at_once).await;
}
