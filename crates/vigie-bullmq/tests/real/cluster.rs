//! A Redis Cluster under load: queues by hash tag on its masters, a slot that moves, masters that die.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vigie_bullmq::{Error, Settings, probe};
use vigie_redis::{Endpoint, TlsFiles};
use vigie_testkit::{Certificates, Cluster, Process, Script, eventually};

use crate::faults::never_falls;
use crate::reads_only::RIGHTS;
use crate::support::{SCRIPT, SOON, Watched, settings, stream_info, watch};

/// Queues in slots of the third, the first and the second master.
const QUEUES: [&str; 3] = ["{a}", "{b}", "{c}"];
/// What a user needs besides in a cluster.
pub(crate) const MORE_RIGHTS: &str = "+cluster|slots +cluster|info";

fn of(cluster: &Cluster) -> Settings {
    at(&cluster.url())
}

fn at(url: &str) -> Settings {
    let mut settings = settings("redis://127.0.0.1");
    settings.redis = Endpoint::new(url, TlsFiles::default()).unwrap();
    settings.signals_every = std::time::Duration::from_millis(200);
    settings.workers_every = std::time::Duration::from_millis(200);
    settings
}

/// Workers and producers of the queues.
struct Load(Process);

impl Load {
    async fn start(cluster: &Cluster, args: &[&str]) -> Self {
        let ports = cluster.nodes().iter().map(|node| node.port().to_string());
        let ports = ports.collect::<Vec<_>>().join(",");
        let script = Script::new("testing/cluster.js").args(["--ports", &ports]);
        let mut process = script.args(args).spawn().unwrap();
        let ready = process.find_json(SCRIPT, |line| line["msg"] == "ready");
        ready.await.unwrap();
        Self(process)
    }

    async fn ask(&mut self, what: &str) -> Value {
        let answer = self.0.ask(&json!({ "cmd": what }), SCRIPT).await.unwrap();
        assert_eq!(answer.get("error"), None, "{what}: {answer}");
        answer
    }

    /// Completed and failed jobs of each queue.
    async fn finished(&mut self, what: &str) -> BTreeMap<String, [f64; 2]> {
        let said = self.ask(what).await;
        let queues = said["queues"].as_object().unwrap().iter();
        let numbers =
            |row: &Value| ["completed", "failed"].map(|state| row[state].as_f64().unwrap());
        queues
            .map(|(name, row)| (name.clone(), numbers(row)))
            .collect()
    }

    /// Waits until each of the queues had so many more jobs done.
    async fn more(&mut self, queues: &[&str], more: f64) {
        let before = self.finished("progress").await;
        let deadline = tokio::time::Instant::now() + SCRIPT;
        loop {
            let now = self.finished("progress").await;
            let enough = |name: &&str| now[*name][0] >= before[*name][0] + more;
            if queues.iter().all(enough) {
                return;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{before:?}, then {now:?}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}

fn done(watched: &Watched, queue: &str) -> [f64; 2] {
    ["completed", "failed"].map(|state| watched.jobs(queue, state).unwrap_or(0.0))
}

/// Waits until it was counted what the workers say.
async fn until_counted(watched: &Watched, finished: &BTreeMap<String, [f64; 2]>) {
    eventually(SOON, async || {
        for (queue, finished) in finished {
            let counted = done(watched, queue);
            if counted != *finished {
                return Err(format!("{queue}: {counted:?} of {finished:?}"));
            }
        }
        Ok(())
    })
    .await;
}

fn of_queue(queue: &str) -> [(&str, &str); 2] {
    [("prefix", "bull"), ("queue", queue)]
}

/// Every entry of the stream at that node was read once.
async fn assert_all_read(watched: &Watched, cluster: &Cluster, queue: &str, at: usize) {
    let key = format!("bull:{queue}:events");
    let added = stream_info(&cluster.nodes()[at], &key, "entries-added").await;
    let labels = of_queue(queue);
    watched
        .until("bullmq_events_read_total", &labels, added)
        .await;
    assert_eq!(
        watched.value("bullmq_events_lost_total", &labels),
        Some(0.0)
    );
}

async fn until_levels(watched: &Watched, queue: &str, known: bool) {
    eventually(SOON, async || {
        let level = watched.jobs(queue, "active");
        let age = watched.value("bullmq_oldest_waiting_age_seconds", &of_queue(queue));
        match (level, age) {
            (Some(_), Some(_)) if known => Ok(()),
            (None, None) if !known => Ok(()),
            found => Err(format!("{queue}: {found:?}")),
        }
    })
    .await;
}

async fn until_workers(watched: &Watched, queue: &str) {
    let labels = of_queue(queue);
    watched.until("bullmq_workers", &labels, Some(1.0)).await;
}

async fn until_source(watched: &Watched, source: &str, up: f64) {
    let labels = [("source", source)];
    watched.until("vigie_source_up", &labels, Some(up)).await;
}

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
        let finished = load.finished("stop").await;
        until_counted(&watched, &finished).await;
    })
    .await;
    for (queue, at) in [("{a}", 2), ("{b}", 3), ("{c}", 1)] {
        let labels = of_queue(queue);
        assert_eq!(
            watched.value("bullmq_events_lost_total", &labels),
            Some(0.0)
        );
        if queue != "{b}" {
            assert_all_read(&watched, &cluster, queue, at).await;
        }
    }
    let status = watched.watcher.status();
    assert_eq!((status.error, status.events_error), (None, None));
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

    let single = vigie_testkit::Redis::start().await.unwrap();
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
    over_tls.timeout = std::time::Duration::from_secs(5);
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
