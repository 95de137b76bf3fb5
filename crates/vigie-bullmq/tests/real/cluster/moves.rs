//! A slot migrates under load, or key by key, together with its queue.

use std::time::Duration;

use serde_json::json;
use vigie_testkit::{Cluster, eventually};

use super::{
    Load, QUEUES, assert_all_read, done, of, of_queue, until_counted, until_levels, until_source,
    until_workers,
};
use crate::faults::never_falls;
use crate::support::{SOON, watch};

#[tokio::test]
async fn a_slot_moves_under_load() {
    let cluster = Cluster::start(3, 0).await.unwrap();
    let watched = watch(of(&cluster));
    watched.until_swept().await;
    let mut load = Load::start(&cluster, &[]).await;
    let slot = cluster.slot("{a}").await.unwrap();
    let (from, to) = (cluster.first_holder(slot), cluster.first_holder(slot) - 1);
    never_falls(&watched, async {
        load.more(&QUEUES, 50.0).await;
        for queue in QUEUES {
            until_levels(&watched, queue, true).await;
            until_workers(&watched, queue).await;
        }

        cluster.begin_move(slot, from, to).await.unwrap();
        while cluster.move_keys(slot, from, to, 1_000).await.unwrap() > 0 {}
        until_levels(&watched, "{a}", false).await;
        // Other queues are not affected.
        for other in ["{b}", "{c}"] {
            until_levels(&watched, other, true).await;
        }
        load.more(&["{b}", "{c}"], 20.0).await;
        let status = watched.watcher.status();
        assert_eq!((status.error, status.events_error), (None, None));
        assert_eq!(
            watched.value("vigie_source_up", &[("source", "redis")]),
            Some(1.0)
        );

        cluster.end_move(slot, to).await.unwrap();
        until_levels(&watched, "{a}", true).await;
        load.more(&QUEUES, 50.0).await;
        // Back in one step.
        cluster.move_slot(slot, to, from).await.unwrap();
        load.more(&QUEUES, 50.0).await;
        let finished = load.finished("stop").await;
        until_counted(&watched, &finished).await;
    })
    .await;
    for queue in QUEUES {
        let at = cluster.first_holder(cluster.slot(queue).await.unwrap());
        assert_all_read(&watched, &cluster, queue, at).await;
        let labels = of_queue(queue);
        watched
            .until("bullmq_workers", &labels[..], Some(1.0))
            .await;
        assert_eq!(watched.value("bullmq_outcomes_exact", &labels), Some(1.0));
    }
}

/// While a queue is split between nodes it is absent: no value is wrong at any time.
#[tokio::test]
async fn a_slot_moves_key_by_key() {
    let cluster = Cluster::start(3, 0).await.unwrap();
    let (slot, other) = (
        cluster.slot("{a}").await.unwrap(),
        cluster.slot("{b}").await.unwrap(),
    );
    let (from, to) = (cluster.first_holder(slot), cluster.first_holder(other));
    let watched = watch(of(&cluster));
    watched.until_swept().await;
    let mut load = Load::start(&cluster, &["--queues", "{a},{b}"]).await;
    load.more(&["{a}", "{b}"], 20.0).await;
    let finished = load.finished("stop").await;
    until_counted(&watched, &finished).await;
    load.end();
    for (at, queue) in [(from, "{a}"), (to, "{b}")] {
        let wait = format!("bull:{queue}:wait");
        // Old jobs that no worker takes.
        for job in ["901", "902", "903"] {
            let hash = format!("bull:{queue}:{job}");
            let set = ["HSET", &hash, "name", "job", "timestamp", "1000"];
            cluster.nodes()[at].cli(&set).await.unwrap();
            let push = ["LPUSH", &wait, job];
            cluster.nodes()[at].cli(&push).await.unwrap();
        }
    }
    let right = |queue: &str| {
        let waiting = watched.jobs(queue, "waiting");
        assert!(matches!(waiting, None | Some(3.0)), "{queue}: {waiting:?}");
        let of_prefix = [("prefix", "bull"), ("queue", queue)];
        let age = watched.value("bullmq_oldest_waiting_age_seconds", &of_prefix);
        assert!(age.is_none_or(|age| age > 1e6), "{queue}: {age:?}");
        waiting.is_some() && age.is_some()
    };
    let until_right = async |queue: &str| {
        eventually(SOON, async || {
            let waiting = watched.jobs(queue, "waiting");
            let labels = of_queue(queue);
            let age = watched.value("bullmq_oldest_waiting_age_seconds", &labels);
            match (waiting, age) {
                (Some(3.0), Some(age)) if age > 1e6 => Ok(()),
                found => Err(format!("{queue}: {found:?}")),
            }
        })
        .await;
    };
    for queue in ["{a}", "{b}"] {
        until_right(queue).await;
    }
    let read = || watched.sum("bullmq_events_read_total", &[]);
    let before = read();

    cluster.begin_move(slot, from, to).await.unwrap();
    let mut seen = 0;
    while cluster.move_keys(slot, from, to, 1).await.unwrap() > 0 {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            right("{a}");
            assert!(right("{b}"), "the other queue is not known any more");
        }
        seen += 1;
    }
    assert!(seen > 5, "{seen} keys");
    until_levels(&watched, "{a}", false).await;
    let status = watched.watcher.status();
    assert_eq!((status.error, status.events_error), (None, None));
    cluster.end_move(slot, to).await.unwrap();
    until_right("{a}").await;
    assert_eq!(read(), before);
    for queue in ["{a}", "{b}"] {
        assert_all_read(&watched, &cluster, queue, to).await;
        assert_eq!(done(&watched, queue), finished[queue]);
    }

    // An unassigned slot is not an error of a node, but not all queues can be read.
    let drop = ["CLUSTER", "DELSLOTS", &slot.to_string()];
    cluster.cli_all(&drop).await.unwrap();
    until_levels(&watched, "{a}", false).await;
    until_source(&watched, "redis", 0.0).await;
    let error = watched.watcher.status().error.unwrap();
    assert!(
        error.contains("no node of the cluster holds the slot of some queues (1)"),
        "{error}"
    );
    until_levels(&watched, "{b}", true).await;
    let add = ["CLUSTER", "ADDSLOTS", &slot.to_string()];
    cluster.nodes()[to].cli(&add).await.unwrap();
    until_right("{a}").await;
    until_source(&watched, "redis", 1.0).await;
}

/// The workers counted equal those that exist and those that BullMQ reports, after any number of migrations.
#[tokio::test]
async fn workers_are_counted_where_the_queue_is() {
    let cluster = Cluster::start(3, 0).await.unwrap();
    let watched = watch(of(&cluster));
    watched.until_swept().await;
    let mut load = Load::start(&cluster, &["--workers", "3"]).await;
    load.more(&QUEUES, 20.0).await;
    let slot = cluster.slot("{a}").await.unwrap();
    let home = cluster.first_holder(slot);
    for (from, to) in [(home, home - 1), (home - 1, home - 2), (home - 2, home)] {
        cluster.move_slot(slot, from, to).await.unwrap();
        load.more(&QUEUES, 20.0).await;
        for queue in QUEUES {
            let labels = of_queue(queue);
            watched.until("bullmq_workers", &labels, Some(3.0)).await;
        }
    }
    let seen = load.ask("workers").await;
    assert_eq!(seen["queues"], json!({"{a}": 3, "{b}": 3, "{c}": 3}));
    // Including those of a queue without jobs.
    load.finished("stop").await;
    for queue in QUEUES {
        let labels = of_queue(queue);
        watched.until("bullmq_workers", &labels, Some(3.0)).await;
    }
}
