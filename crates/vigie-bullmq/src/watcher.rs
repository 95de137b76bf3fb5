//! The watcher: tasks and status.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use vigie_metrics::Registry;

use crate::directory::refresh;
use crate::failures::reasons::Failures;
use crate::protocol::levels::Levels;
use crate::session::address;
use crate::session::cluster::Cluster;
use crate::session::context::Context;
use crate::session::tasks;
use crate::settings::Settings;

/// Watches all BullMQ queues of a Redis. Clones are handles to the same watcher.
#[derive(Clone)]
pub struct Watcher {
    context: Arc<Context>,
}

impl Watcher {
    /// Creates a watcher that records into `registry` while it [runs](Self::run).
    #[must_use]
    pub fn new(settings: Settings, registry: &Registry) -> Self {
        Self {
            context: Arc::new(Context::new(settings, registry)),
        }
    }

    /// Watches until `stop` is cancelled, and reconnects after errors. Call it once.
    pub async fn run(self, stop: CancellationToken) {
        stop.run_until_cancelled(self.watch()).await;
    }

    /// Runs the sessions of all nodes until dropped.
    async fn watch(&self) {
        address::wait(&self.context).await;
        if let Some(cluster) = Cluster::new(Arc::clone(&self.context)) {
            cluster.run().await;
        }
        let mut sessions = JoinSet::new();
        for node in self.context.directory.snapshot().nodes() {
            let never = CancellationToken::new();
            let (context, node) = (Arc::clone(&self.context), Arc::clone(node));
            sessions.spawn(tasks::watch(context, node, never));
        }
        // Sessions run until this future is dropped.
        sessions.join_all().await;
    }

    /// Maximum age of a job count while Redis replies. Queues without events are counted too, because BullMQ's
    /// `drain()`, `obliterate()` and `changePriority()` emit none.
    #[must_use]
    pub fn counted_within(&self) -> Duration {
        self.context.settings.levels_every.max(refresh::WITHIN)
    }

    /// Why jobs of the queues with this name failed; `None` if no queue with this name is followed.
    #[must_use]
    pub fn failures(&self, name: &str) -> Option<Vec<QueueFailures>> {
        let snapshot = self.context.directory.snapshot();
        let queues = snapshot.same_name(name).iter().map(|queue| QueueFailures {
            database: queue.space.database,
            prefix: queue.key.prefix().into(),
            failures: queue.failures(),
        });
        let queues: Vec<_> = queues.collect();
        (!queues.is_empty()).then_some(queues)
    }

    /// Whether the reasons of failures are [redacted](Settings::redact).
    #[must_use]
    pub fn redacts(&self) -> bool {
        self.context.settings.redact
    }

    /// The current status.
    #[must_use]
    pub fn status(&self) -> Status {
        let now = Instant::now();
        let snapshot = self.context.directory.snapshot();
        let queues = snapshot.queues.iter().map(|queue| {
            let (holder, counted) = queue.current();
            QueueStatus {
                database: queue.space.database,
                prefix: queue.key.prefix().into(),
                name: queue.key.name().into(),
                age: counted.map(|counted| now - counted.at),
                levels: counted.map(|counted| counted.levels),
                oldest_waiting: queue.signals.oldest_waiting(),
                workers: queue.signals.connected_workers(),
                error: snapshot.error_of(holder),
            }
        });
        let mut last_levels = None;
        for node in snapshot.nodes() {
            last_levels = last_levels.max(node.health.lock().last_levels);
        }
        Status {
            queues: queues.collect(),
            last_levels: last_levels.map(Instant::into_std),
            error: snapshot.errors(|node| node.health.lock().problem().cloned()),
            events_error: snapshot.errors(|node| node.health.lock().events_error.clone()),
        }
    }
}

/// Status of a [`Watcher`].
#[derive(Clone, Debug)]
pub struct Status {
    /// The followed queues, sorted by name, prefix and database.
    pub queues: Vec<QueueStatus>,
    /// The time of the last job count.
    pub last_levels: Option<std::time::Instant>,
    /// Why some or all jobs cannot be counted now, with the names of the nodes if there are several. Contains no
    /// credentials.
    pub error: Option<String>,
    /// Why events cannot be read now. Contains no credentials.
    pub events_error: Option<String>,
}

/// Status of a followed queue.
#[derive(Clone, Debug)]
pub struct QueueStatus {
    /// Its database, if several are watched.
    pub database: Option<u16>,
    /// The prefix of its keys.
    pub prefix: String,
    /// Its name.
    pub name: String,
    /// Its jobs by state; `None` before the first count and while Redis does not reply.
    pub levels: Option<Levels>,
    /// The age of `levels`. A queue without events is not counted at every refresh, but within
    /// [`Watcher::counted_within`].
    pub age: Option<Duration>,
    /// Time since the oldest ready job became ready to run; zero if there is none, `None` if unknown.
    pub oldest_waiting: Option<Duration>,
    /// Number of connected workers; `None` if the server does not return a complete client list.
    pub workers: Option<u64>,
    /// Why its jobs cannot be counted now. Contains no credentials.
    pub error: Option<String>,
}

/// Why jobs of a followed queue failed.
#[derive(Clone, Debug)]
pub struct QueueFailures {
    /// Its database, if several are watched.
    pub database: Option<u16>,
    /// The prefix of its keys.
    pub prefix: String,
    /// The latest reasons; `None` if its events are not read.
    pub failures: Option<Failures>,
}
