//! The watcher: settings, tasks, and status.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use vigie_metrics::Registry;
use vigie_redis::{Endpoint, Slots};

use crate::error::Error;
use crate::nodes::cluster::Cluster;
use crate::nodes::link::Link;
use crate::nodes::node;
use crate::queues::control::REQUIRED;
use crate::queues::levels::Levels;
use crate::queues::names;
use crate::queues::refresh;
use crate::queues::survey;
use crate::shared::Shared;

/// Selects the jobs that are production ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The queue's name, with any prefix.
    pub queue: String,
    /// The job's name; `None`: all jobs of the queue.
    pub job: Option<String>,
}

impl Tick {
    pub(crate) fn is(&self, queue: &str, job: &str) -> bool {
        self.queue == queue && self.job.as_deref().is_none_or(|name| name == job)
    }
}

/// Settings of a [`Watcher`]. `Debug` output contains no password.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The Redis server or cluster.
    pub redis: Endpoint,
    /// The databases to watch. Empty: the database of `redis`, and series without the label `database`. Ignored for a
    /// cluster, which has only one database.
    pub databases: Vec<u16>,
    /// The production tick, if any.
    pub tick: Option<Tick>,
    /// Whether to also export the metric names of BullMQ's own `exportPrometheusMetrics()`.
    pub compatible: bool,
    /// Interval between job counts of queues with new events. Other queues are counted in turn, each within
    /// [`Watcher::counted_within`].
    pub levels_every: Duration,
    /// Interval between samples of job age, lateness and stalls.
    pub signals_every: Duration,
    /// Interval between counts of workers.
    pub workers_every: Duration,
    /// Interval between reads of a busy stream.
    pub poll_every: Duration,
    /// Delay after an event before reconciling with the server's entry count, which reveals missed entries.
    pub checks_every: Duration,
    /// Interval between scans of all keys for queues.
    pub discover_every: Duration,
    /// How long a queue is kept after all its keys have disappeared from Redis.
    pub forget_after: Duration,
    /// Deadline for a reply.
    pub timeout: Duration,
    /// Maximum number of followed queues.
    pub max_queues: usize,
    /// Maximum number of job names per queue; further names are counted as `other`.
    pub max_names: usize,
    /// Maximum number of remembered jobs in flight over all queues, at up to 64 bytes each. For further jobs, the name
    /// is looked up when they run, and the wait time is unknown.
    pub max_jobs: usize,
}

impl Settings {
    /// Default settings.
    #[must_use]
    pub fn new(redis: impl Into<Endpoint>) -> Self {
        Self {
            redis: redis.into(),
            databases: Vec::new(),
            tick: None,
            compatible: false,
            levels_every: Duration::from_secs(1),
            signals_every: Duration::from_secs(5),
            workers_every: Duration::from_secs(15),
            poll_every: Duration::from_millis(100),
            checks_every: Duration::from_secs(5),
            discover_every: Duration::from_secs(30),
            forget_after: Duration::from_secs(600),
            timeout: Duration::from_secs(2),
            max_queues: 2_000,
            max_names: 100,
            max_jobs: 1_000_000,
        }
    }
}

/// Watches all BullMQ queues of a Redis. Clones are handles to the same watcher.
#[derive(Clone)]
pub struct Watcher {
    shared: Arc<Shared>,
}

impl Watcher {
    /// Creates a watcher that records into `registry` while it [runs](Self::run).
    #[must_use]
    pub fn new(settings: Settings, registry: &Registry) -> Self {
        Self {
            shared: Arc::new(Shared::new(settings, registry)),
        }
    }

    /// Watches until `stop` is cancelled, and reconnects after errors. Call it once.
    pub async fn run(self, stop: CancellationToken) {
        stop.run_until_cancelled(self.watch()).await;
    }

    /// Runs the sessions of all nodes until dropped.
    async fn watch(&self) {
        if let Some(cluster) = Cluster::new(Arc::clone(&self.shared)) {
            cluster.run().await;
        }
        let mut sessions = JoinSet::new();
        for node in self.shared.nodes().iter() {
            let never = CancellationToken::new();
            let (shared, node) = (Arc::clone(&self.shared), Arc::clone(node));
            sessions.spawn(node::watch(shared, node, never));
        }
        // Sessions run until this future is dropped.
        sessions.join_all().await;
    }

    /// Maximum age of a job count while Redis replies. Queues without events are counted too, because BullMQ's
    /// `drain()`, `obliterate()` and `changePriority()` emit none.
    #[must_use]
    pub fn counted_within(&self) -> Duration {
        self.shared.settings.levels_every.max(refresh::WITHIN)
    }

    /// The current status.
    #[must_use]
    pub fn status(&self) -> Status {
        let now = Instant::now();
        let (queues, nodes) = (self.shared.queues(), self.shared.nodes());
        let queues = queues.iter().map(|queue| {
            let counted = *queue.counted.lock();
            QueueStatus {
                database: queue.space.database,
                prefix: queue.key.prefix().into(),
                name: queue.key.name().into(),
                age: counted.map(|counted| now - counted.at),
                levels: counted.map(|counted| counted.levels),
                oldest_waiting: queue.signals.oldest_waiting(),
                workers: queue.signals.connected_workers(),
                error: self.shared.error_of(queue, &nodes),
            }
        });
        let queues = queues.collect();
        let last_levels = nodes
            .iter()
            .filter_map(|node| node.health.lock().last_levels);
        Status {
            queues,
            last_levels: last_levels.max().map(Instant::into_std),
            error: self
                .shared
                .errors(|node| node.health.lock().problem().cloned()),
            events_error: self
                .shared
                .errors(|node| node.health.lock().events_error.clone()),
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

/// A queue that [`probe`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueLevels {
    /// Its database, if several are watched.
    pub database: Option<u16>,
    /// The prefix of its keys.
    pub prefix: String,
    /// Its name.
    pub name: String,
    /// Its jobs by state.
    pub levels: Levels,
    /// If the production tick has a job name: names of jobs in the tick's queue, from a sample of stored jobs and
    /// recent events. Empty for other queues.
    pub names: BTreeSet<String>,
}

/// Connects to each node, scans all keys once, and counts the jobs of each queue found.
///
/// # Errors
///
/// If a node cannot be reached, refuses a required command, or does not reply in time.
pub async fn probe(settings: &Settings) -> Result<Vec<QueueLevels>, Error> {
    let mut queues = Vec::new();
    let mut probe_node = async |endpoint: &Endpoint, slots: Option<&Slots>, database| {
        let refusals = Arc::default();
        let mut link = Link::open(endpoint, settings.timeout, &refusals).await?;
        let room = settings.max_queues - queues.len();
        let found = survey::once(&mut link, slots, room).await?;
        if let Some(reasons) = refusals.reasons(&REQUIRED) {
            return Err(Error::Refused(reasons));
        }
        let tick = settings.tick.as_ref().filter(|tick| tick.job.is_some());
        for (key, levels) in found {
            let is_ticks = tick.is_some_and(|tick| tick.queue == key.name());
            let names = match is_ticks {
                true => names::sample(&mut link, &key).await?,
                false => BTreeSet::new(),
            };
            queues.push(QueueLevels {
                database,
                prefix: key.prefix().into(),
                name: key.name().into(),
                levels,
                names,
            });
        }
        Ok(())
    };
    let of = |node: String| move |error| Error::Node(node, Box::new(error));
    if let Some(mut scout) = settings.redis.scout() {
        let masters = scout.masters(settings.timeout).await;
        for master in masters.map_err(Error::Connect)? {
            let probed = probe_node(&master.endpoint, Some(&master.slots), None).await;
            probed.map_err(of(master.name))?;
        }
    } else if settings.databases.is_empty() {
        probe_node(&settings.redis, None, None).await?;
    } else {
        for database in &settings.databases {
            let endpoint = settings.redis.clone().in_database(*database);
            let probed = probe_node(&endpoint, None, Some(*database)).await;
            probed.map_err(of(format!("database {database}")))?;
        }
    }
    queues.sort_by(|a, b| (&a.name, &a.prefix, a.database).cmp(&(&b.name, &b.prefix, b.database)));
    Ok(queues)
}
