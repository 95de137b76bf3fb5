//! Queues in a cluster with producers and workers of the real BullMQ, and checks of a watcher.

mod deaths;
mod moves;
mod reach;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use vigie_bullmq::Settings;
use vigie_redis::{Endpoint, TlsFiles};
use vigie_testkit::{Cluster, Process, Script, eventually};

use crate::support::{SCRIPT, SOON, Watched, settings, stream_info};

/// Queues in slots of the third, the first and the second master.
const QUEUES: [&str; 3] = ["{a}", "{b}", "{c}"];

fn of(cluster: &Cluster) -> Settings {
    at(&cluster.url())
}

fn at(url: &str) -> Settings {
    let mut settings = settings("redis://127.0.0.1");
    settings.redis = Endpoint::new(url, TlsFiles::default()).unwrap();
    settings.signals_every = Duration::from_millis(200);
    settings.workers_every = Duration::from_millis(200);
    // A frozen node is asked too.
    settings.timeout = Duration::from_secs(10);
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

    /// Ends all workers.
    fn end(mut self) {
        self.0.kill9();
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

    /// Waits until each of the queues has completed this number of further jobs.
    async fn more(&mut self, queues: &[&str], more: f64) {
        let before = self.finished("progress").await;
        let deadline = Instant::now() + SCRIPT;
        loop {
            let now = self.finished("progress").await;
            let enough = |name: &&str| now[*name][0] >= before[*name][0] + more;
            if queues.iter().all(enough) {
                return;
            }
            assert!(Instant::now() < deadline, "{before:?}, then {now:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

fn done(watched: &Watched, queue: &str) -> [f64; 2] {
    ["completed", "failed"].map(|state| watched.jobs(queue, state).unwrap_or(0.0))
}

/// Waits until the counts equal those of the workers.
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

/// Every entry of the stream on this node was read once.
async fn assert_all_read(watched: &Watched, cluster: &Cluster, queue: &str, at: usize) {
    let key = format!("bull:{queue}:events");
    let added = stream_info(&cluster.nodes()[at], &key, "entries-added")
        .await
        .unwrap();
    let labels = of_queue(queue);
    watched
        .until("bullmq_events_read_total", &labels, Some(added))
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
