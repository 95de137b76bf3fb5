//! A Redis Cluster under load: queues by hash tag on its masters, a slot that moves, masters that die.

use std::time::Duration;

use serde_json::json;
use vigie_bullmq::{Error, probe};
use vigie_redis::{Endpoint, TlsFiles};
use vigie_testkit::{Certificates, Cluster, Redis, eventually};

use crate::cluster_load::{
    Load, QUEUES, assert_all_read, at, done, of, of_queue, until_counted, until_levels,
    until_source, until_workers,
};
use crate::faults::never_falls;
use crate::reads_only::RIGHTS;
use crate::support::{SOON, stream_info, watch};

/// What a user needs besides in a cluster.
pub(crate) const MORE_RIGHTS: &str = "+cluster|slots +cluster|info";

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
        // It is about the one queue, and no other suffers.
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
        // And back, all at once.
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

/// Of a queue that is here in part and there in part, nothing is said: no number is wrong at any time.
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
        // Jobs of long ago, that nobody takes.
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

    // A slot that nobody holds is no node's fault, and not all can be read.
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

#[tokio::test]
async fn a_master_dies_and_its_replica_takes_over() {
    let mut cluster = Cluster::start(3, 1).await.unwrap();
    let watched = watch(of(&cluster));
    watched.until_swept().await;
    let mut load = Load::start(&cluster, &[]).await;
    never_falls(&watched, async {
        load.more(&QUEUES, 50.0).await;
        let dead = cluster.nodes()[0].port();
        cluster.node_mut(0).kill9();
        until_source(&watched, "redis", 0.0).await;
        let status = watched.watcher.status();
        let error = status.error.unwrap_or_default();
        assert!(error.contains(&format!("127.0.0.1:{dead}: ")), "{error}");
        until_levels(&watched, "{b}", false).await;
        for other in ["{a}", "{c}"] {
            until_levels(&watched, other, true).await;
        }
        cluster.until_master(3).await.unwrap();
        for source in ["redis", "events"] {
            until_source(&watched, source, 1.0).await;
        }
        until_levels(&watched, "{b}", true).await;
        load.more(&QUEUES, 50.0).await;
        // It comes back as a replica, and holds nothing.
        cluster.node_mut(0).restart().await.unwrap();
        load.more(&QUEUES, 20.0).await;
        let mut finished = load.finished("stop").await;
        // What ended in the moment in which the master died its worker may not have heard of, or the replica: then it ran
        // again. It has no more than this many in hand.
        let in_hand = 5.0;
        let of_dead = finished.remove("{b}").unwrap();
        until_counted(&watched, &finished).await;
        eventually(SOON, async || {
            let (counted, finished) = (done(&watched, "{b}"), of_dead);
            let off = (counted[0] + counted[1] - finished[0] - finished[1]).abs();
            match off <= in_hand {
                true => Ok(()),
                false => Err(format!("{counted:?} of {finished:?}")),
            }
        })
        .await;
    })
    .await;
    for (queue, at) in [("{a}", 2), ("{c}", 1)] {
        assert_all_read(&watched, &cluster, queue, at).await;
    }
    let labels = of_queue("{b}");
    let lost = watched.value("bullmq_events_lost_total", &labels);
    assert_eq!(lost, Some(0.0));
    let read = watched.value("bullmq_events_read_total", &labels).unwrap();
    let added = stream_info(&cluster.nodes()[3], "bull:{b}:events", "entries-added").await;
    // What the replica had not got was read all the same; nothing of the rest was read twice.
    assert!(read >= added && read - added < 50.0, "{read} of {added}");
    let status = watched.watcher.status();
    assert_eq!((status.error, status.events_error), (None, None));
}

/// The end of the stream was read, and is gone with the master: nothing is read again, and nothing is said to be lost.
#[tokio::test]
async fn a_replica_takes_over_that_had_not_got_everything() {
    let mut cluster = Cluster::start(3, 1).await.unwrap();
    let watched = watch(of(&cluster));
    watched.until_swept().await;
    let mut load = Load::start(&cluster, &["--queues", "{b}"]).await;
    load.more(&["{b}"], 100.0).await;
    load.ask("stop").await;
    assert_all_read(&watched, &cluster, "{b}", 0).await;
    // As old as a replica may be behind.
    tokio::time::sleep(Duration::from_secs(6)).await;

    cluster.nodes()[3].freeze();
    let part = ["CLIENT", "KILL", "TYPE", "replica"];
    cluster.nodes()[0].cli(&part).await.unwrap();
    load.ask("go").await;
    load.more(&["{b}"], 50.0).await;
    let finished = load.finished("stop").await;
    until_counted(&watched, &finished).await;
    assert_all_read(&watched, &cluster, "{b}", 0).await;
    let labels = of_queue("{b}");
    let read = || watched.value("bullmq_events_read_total", &labels).unwrap();
    let before = read();
    let key = "bull:{b}:events";

    never_falls(&watched, async {
        cluster.node_mut(0).kill9();
        cluster.nodes()[3].thaw();
        cluster.until_master(3).await.unwrap();
        let replica = &cluster.nodes()[3];
        let left = stream_info(replica, key, "entries-added").await;
        assert!(left < before, "{left} of {before}: nothing was cut off");
        for source in ["redis", "events"] {
            until_source(&watched, source, 1.0).await;
        }
        until_levels(&watched, "{b}", true).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let since = stream_info(replica, key, "entries-added").await - left;
        assert!(read() <= before + since, "{} after {before}", read());

        load.ask("go").await;
        load.more(&["{b}"], 50.0).await;
        load.ask("stop").await;
        eventually(SOON, async || {
            let since = stream_info(replica, key, "entries-added").await - left;
            match read() - before {
                read if read == since => Ok(()),
                read => Err(format!("{read} of {since}")),
            }
        })
        .await;
    })
    .await;
    let lost = watched.value("bullmq_events_lost_total", &labels);
    assert_eq!(lost, Some(0.0));
}

#[tokio::test]
async fn a_master_without_a_replica_dies_and_comes_back() {
    let mut cluster = Cluster::start(3, 0).await.unwrap();
    let watched = watch(of(&cluster));
    watched.until_swept().await;
    let mut load = Load::start(&cluster, &[]).await;
    never_falls(&watched, async {
        load.more(&QUEUES, 50.0).await;
        cluster.node_mut(1).kill9();
        for source in ["redis", "events"] {
            until_source(&watched, source, 0.0).await;
        }
        until_levels(&watched, "{c}", false).await;
        let status = watched.watcher.status();
        for queue in &status.queues {
            assert_eq!(queue.error.is_some(), queue.name == "{c}", "{queue:?}");
        }
        // The others go on at full pace.
        load.more(&["{a}", "{b}"], 100.0).await;
        let finished = load.finished("progress").await;
        eventually(SOON, async || {
            for other in ["{a}", "{b}"] {
                let counted = done(&watched, other);
                if counted[0] < finished[other][0] {
                    return Err(format!("{other}: {counted:?} of {finished:?}"));
                }
            }
            Ok(())
        })
        .await;
        for other in ["{a}", "{b}"] {
            until_levels(&watched, other, true).await;
        }
        cluster.node_mut(1).restart().await.unwrap();
        for source in ["redis", "events"] {
            until_source(&watched, source, 1.0).await;
        }
        load.more(&QUEUES, 50.0).await;
        let finished = load.finished("stop").await;
        until_counted(&watched, &finished).await;
    })
    .await;
    for (queue, at) in [("{a}", 2), ("{b}", 0), ("{c}", 1)] {
        assert_all_read(&watched, &cluster, queue, at).await;
    }
}

#[tokio::test]
async fn it_only_reads_with_the_least_rights() {
    let cluster = Cluster::start(3, 0).await.unwrap();
    let rights = RIGHTS
        .split_whitespace()
        .chain(MORE_RIGHTS.split_whitespace());
    let rights: Vec<_> = ["ACL", "SETUSER", "vigie"]
        .into_iter()
        .chain(rights)
        .collect();
    cluster.cli_all(&rights).await.unwrap();
    let url = cluster.url().replace("://", "://vigie:pass@");
    let watched = watch(at(&url));
    watched.until_swept().await;
    let mut load = Load::start(&cluster, &[]).await;
    load.more(&QUEUES, 20.0).await;
    let finished = load.finished("stop").await;
    until_counted(&watched, &finished).await;
    let status = watched.watcher.status();
    assert_eq!((status.error, status.events_error), (None, None));
    for queue in QUEUES {
        until_levels(&watched, queue, true).await;
        until_workers(&watched, queue).await;
    }
    // Whatever else it tries is refused, and logged by the server.
    for node in cluster.nodes() {
        let refused = node.cli(&["ACL", "LOG"]).await.unwrap();
        assert_eq!(refused, "", "{refused}");
    }
    let found = probe(&at(&url)).await.unwrap();
    let names: Vec<_> = found.iter().map(|queue| queue.name.as_str()).collect();
    assert_eq!(names, QUEUES);
}

#[tokio::test]
async fn a_queue_without_a_hash_tag_is_none() {
    let cluster = Cluster::start(3, 0).await.unwrap();
    for queue in ["bull:q1", "bull:q2", "bull:q3", "bull:{t}:q"] {
        let key = format!("{queue}:meta");
        let at = cluster.first_holder(cluster.slot(&key).await.unwrap());
        let set = ["HSET", &key, "version", "bullmq:6.7.0"];
        cluster.nodes()[at].cli(&set).await.unwrap();
    }
    let watched = watch(of(&cluster));
    watched.until("bullmq_queues", &[], Some(1.0)).await;
    watched.until_swept().await;
    let status = watched.watcher.status();
    let names: Vec<_> = status
        .queues
        .iter()
        .map(|queue| queue.name.as_str())
        .collect();
    assert_eq!(names, ["q"]);
    assert_eq!(status.queues[0].prefix, "bull:{t}");
}

#[tokio::test]
async fn what_is_taken_for_something_else_is_told() {
    let cluster = Cluster::start(1, 0).await.unwrap();
    let node = &cluster.nodes()[0];
    let alone = probe(&at(&node.url())).await.unwrap_err();
    let text = alone.to_string();
    assert!(
        matches!(alone, Error::Connect(vigie_redis::Error::PartOfCluster)),
        "{text}"
    );
    assert!(
        text.contains("part of a cluster: use redis-cluster://"),
        "{text}"
    );
    let watched = watch(at(&node.url()));
    until_source(&watched, "redis", 0.0).await;

    let single = Redis::start().await.unwrap();
    let url = single.url().replace("redis://", "redis-cluster://");
    let error = probe(&at(&url)).await.unwrap_err().to_string();
    assert!(
        error.contains("no part of a cluster: use redis://"),
        "{error}"
    );
    let watched = watch(at(&url));
    until_source(&watched, "redis", 0.0).await;
    let error = watched.watcher.status().error.unwrap();
    assert!(error.contains("no part of a cluster"), "{error}");
}

#[tokio::test]
async fn over_tls_with_a_client_certificate() {
    let ca = Certificates::new().await.unwrap();
    let cluster = Cluster::start_over_tls(3, &ca).await.unwrap();
    let url = cluster.tls_url().await.unwrap();
    // One is enough to be led to all.
    let seed = url.split(',').next().unwrap();
    let client = Some(ca.issue("vigie", 2).await.unwrap());
    let tls = TlsFiles {
        ca: Some(ca.ca()),
        client,
    };
    let mut over_tls = at("redis://127.0.0.1");
    over_tls.redis = Endpoint::new(seed, tls).unwrap();
    over_tls.timeout = Duration::from_secs(5);
    let watched = watch(over_tls.clone());
    watched.until_swept().await;
    let mut load = Load::start(&cluster, &[]).await;
    load.more(&QUEUES, 20.0).await;
    let finished = load.finished("stop").await;
    until_counted(&watched, &finished).await;
    let status = watched.watcher.status();
    assert_eq!((status.error, status.events_error), (None, None));

    over_tls.redis = Endpoint::new(seed, TlsFiles::default()).unwrap();
    let error = probe(&over_tls).await.unwrap_err();
    let Error::Connect(error) = error else {
        panic!("{error}");
    };
    assert_eq!(
        error.tls(),
        Some(vigie_redis::TlsProblem::UnknownCa),
        "{error}"
    );
}

/// As many as there are, however often the queue moves, and as many as BullMQ itself sees.
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
    // Those of a queue that have nothing to do, too.
    load.finished("stop").await;
    for queue in QUEUES {
        let labels = of_queue(queue);
        watched.until("bullmq_workers", &labels, Some(3.0)).await;
    }
}
