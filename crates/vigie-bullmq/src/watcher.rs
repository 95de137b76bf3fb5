//! The watcher: its settings, its tasks, and what it says of itself.

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

/// Which jobs are the production tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The queue's name, under any prefix.
    pub queue: String,
    /// The job's name; `None`: every job of the queue.
    pub job: Option<String>,
}

impl Tick {
    pub(crate) fn is(&self, queue: &str, job: &str) -> bool {
        self.queue == queue && self.job.as_deref().is_none_or(|name| name == job)
    }
}

/// What to watch, and how closely. `Debug` shows no password.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where Redis is.
    pub redis: Endpoint,
    /// The databases that are watched; empty: the one that `redis` names, and series without the label `database`. A
    /// cluster has but one.
    pub databases: Vec<u16>,
    /// The production tick, if there is one.
    pub tick: Option<Tick>,
    /// Whether the names of BullMQ's own `exportPrometheusMetrics()` are shown too.
    pub compatible: bool,
    /// How often jobs are counted: in queues that had events since, and in some of the others, so that none
    /// goes uncounted for longer than [`Watcher::counted_within`].
    pub levels_every: Duration,
    /// How often it is looked how old, how late and how stuck jobs are.
    pub signals_every: Duration,
    /// How often workers are counted.
    pub workers_every: Duration,
    /// How often a busy stream is read.
    pub poll_every: Duration,
    /// How soon after an event what was read of its stream is compared with the server's own count, which tells what was
    /// missed.
    pub checks_every: Duration,
    /// How often all keys are walked in search of queues.
    pub discover_every: Duration,
    /// How long a queue is kept of which nothing is left in Redis.
    pub forget_after: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How many queues are followed at most.
    pub max_queues: usize,
    /// How many job names a queue may have; the others are `other`.
    pub max_names: usize,
    /// How many jobs in flight are remembered, of all queues together, in at most 64 bytes each. Of the others names are
    /// looked up when they run, and how long they waited is not known.
    pub max_jobs: usize,
}

impl Settings {
    /// The usual settings.
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

/// Watches all BullMQ queues of a Redis. Clones are handles of the same watcher.
#[derive(Clone)]
pub struct Watcher {
    shared: Arc<Shared>,
}

impl Watcher {
    /// A watcher that records into `registry` once it [runs](Self::run).
    #[must_use]
    pub fn new(settings: Settings, registry: &Registry) -> Self {
        Self {
            shared: Arc::new(Shared::new(settings, registry)),
        }
    }

    /// Watches until `stop` is cancelled, whatever becomes of Redis meanwhile. To be called once.
    pub async fn run(self, stop: CancellationToken) {
        stop.run_until_cancelled(self.watch()).await;
    }

    /// Runs the sessions of all nodes, until it is dropped.
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
        // None of them ends by itself.
        sessions.join_all().await;
    }

    /// How old a count of jobs gets at most while Redis answers. A queue that had no event is counted all the
    /// same now and then: BullMQ's `drain()`, `obliterate()` and `changePriority()` leave none.
    #[must_use]
    pub fn counted_within(&self) -> Duration {
        self.shared.settings.levels_every.max(refresh::WITHIN)
    }

    /// How it is doing now.
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

/// How a [`Watcher`] is doing.
#[derive(Clone, Debug)]
pub struct Status {
    /// The queues that are followed, by name, prefix and database.
    pub queues: Vec<QueueStatus>,
    /// When jobs were last counted.
    pub last_levels: Option<std::time::Instant>,
    /// Why jobs, or some of them, cannot be counted now: of several nodes, which. Says no secret.
    pub error: Option<String>,
    /// Why events cannot be followed now. Says no secret.
    pub events_error: Option<String>,
}

/// One followed queue.
#[derive(Clone, Debug)]
pub struct QueueStatus {
    /// Its database, where several are watched.
    pub database: Option<u16>,
    /// The prefix of its keys.
    pub prefix: String,
    /// Its name.
    pub name: String,
    /// Its jobs by state; `None` when Redis does not answer, or was not asked yet.
    pub levels: Option<Levels>,
    /// How long ago they were counted. A queue without events is not counted at every refresh, but within
    /// [`Watcher::counted_within`].
    pub age: Option<Duration>,
    /// How long the oldest of the jobs that are ready to run has been so; zero when there is none, `None` when it is
    /// not known.
    pub oldest_waiting: Option<Duration>,
    /// Workers connected to it; `None` when the server does not tell.
    pub workers: Option<u64>,
    /// Why its jobs cannot be counted now. Says no secret.
    pub error: Option<String>,
}

/// A queue that [`probe`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueLevels {
    /// Its database, where several are watched.
    pub database: Option<u16>,
    /// The prefix of its keys.
    pub prefix: String,
    /// Its name.
    pub name: String,
    /// Its jobs by state.
    pub levels: Levels,
    /// The names of the jobs that Redis still has, of the queue of the production tick if its job is named; a sample of
    /// hundreds, and of the last events.
    pub names: BTreeSet<String>,
}

/// Connects once to every node, walks all keys once, and counts the jobs of every queue found.
///
/// # Errors
/// When Redis, or a part of it, cannot be reached, refuses, or is late.
pub async fn probe(settings: &Settings) -> Result<Vec<QueueLevels>, Error> {
    let mut queues = Vec::new();
    let mut look = async |endpoint: &Endpoint, slots: Option<&Slots>, database| {
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
            let looked = look(&master.endpoint, Some(&master.slots), None).await;
            looked.map_err(of(master.name))?;
        }
    } else if settings.databases.is_empty() {
        look(&settings.redis, None, None).await?;
    } else {
        for database in &settings.databases {
            let endpoint = settings.redis.clone().in_database(*database);
            let looked = look(&endpoint, None, Some(*database)).await;
            looked.map_err(of(format!("database {database}")))?;
        }
    }
    queues.sort_by(|a, b| (&a.name, &a.prefix, a.database).cmp(&(&b.name, &b.prefix, b.database)));
    Ok(queues)
}
