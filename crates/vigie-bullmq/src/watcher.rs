//! The watcher: its settings, its tasks, and what it says of itself.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use vigie_metrics::{Registry, catalogue};
use vigie_redis::Endpoint;

use crate::control::{self, Control};
use crate::election::Election;
use crate::error::Error;
use crate::follower::Follower;
use crate::lease::Candidate;
use crate::levels::Levels;
use crate::link::Link;
use crate::refresh;
use crate::series;
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

/// What to watch, and how closely.
#[derive(Clone)]
pub struct Settings {
    /// Where Redis is.
    pub redis: Endpoint,
    /// The production tick, if there is one.
    pub tick: Option<Tick>,
    /// Whether the names of BullMQ's own `exportPrometheusMetrics()` are shown too.
    pub compatible: bool,
    /// Whether of several watchers only one exports; `None`: every one does.
    pub election: Option<Election>,
    /// How often jobs are counted: in queues that had events since, and in some of the others, so that none
    /// goes uncounted for longer than [`Watcher::counted_within`].
    pub levels_every: Duration,
    /// How often it is looked how old, how late and how stuck jobs are.
    pub signals_every: Duration,
    /// How often workers are counted.
    pub workers_every: Duration,
    /// How often a busy stream is read.
    pub poll_every: Duration,
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
            tick: None,
            compatible: false,
            election: None,
            levels_every: Duration::from_secs(1),
            signals_every: Duration::from_secs(5),
            workers_every: Duration::from_secs(15),
            poll_every: Duration::from_millis(100),
            discover_every: Duration::from_secs(30),
            forget_after: Duration::from_secs(600),
            timeout: Duration::from_secs(2),
            max_queues: 10_000,
            max_names: 100,
            max_jobs: 1_000_000,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("redis", &self.redis)
            .field("tick", &self.tick)
            .finish_non_exhaustive()
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
        let shared = Arc::new(Shared::new(settings, registry));
        let exporter = Arc::clone(&shared);
        // Asked once for a page, so that what it says of itself is true of that page.
        let exports = Arc::new(AtomicBool::new(false));
        let last = Arc::clone(&exports);
        registry.expose_while(series::is_of_queues, move || {
            let is_exporter = exporter.exports();
            exports.store(is_exporter, Relaxed);
            is_exporter
        });
        registry.collect(&catalogue::QUEUES_EXPORTER, move || {
            Some(f64::from(u8::from(last.load(Relaxed))))
        });
        Self { shared }
    }

    /// Watches until `stop` is cancelled, whatever becomes of Redis meanwhile. To be called once.
    pub async fn run(self, stop: CancellationToken) {
        let shared = Arc::clone(&self.shared);
        let candidate = async {
            if let Some(Election::Redis(lease)) = shared.settings.election.clone() {
                Candidate::new(Arc::clone(&shared), lease)
                    .run(stop.clone())
                    .await;
            }
        };
        let control = Control::new(Arc::clone(&self.shared)).run();
        let follower = Follower::new(self.shared).run();
        let both = async { tokio::join!(control, follower) };
        let both = stop.run_until_cancelled(both);
        let (_, ()): (Option<(Infallible, Infallible)>, ()) = tokio::join!(both, candidate);
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
        let queues = self.shared.queues();
        let queues = queues.iter().map(|queue| {
            let counted = *queue.counted.lock();
            QueueStatus {
                prefix: queue.key.prefix().into(),
                name: queue.key.name().into(),
                age: counted.map(|counted| now - counted.at),
                levels: counted.map(|counted| counted.levels),
                oldest_waiting: queue.signals.oldest_waiting(),
                workers: queue.signals.connected_workers(),
            }
        });
        let queues = queues.collect();
        let health = self.shared.health.lock();
        Status {
            queues,
            last_levels: health.last_levels.map(Instant::into_std),
            error: health.error.clone(),
            events_error: health.events_error.clone(),
        }
    }
}

/// How a [`Watcher`] is doing.
#[derive(Clone, Debug)]
pub struct Status {
    /// The queues that are followed, by name and then prefix.
    pub queues: Vec<QueueStatus>,
    /// When jobs were last counted.
    pub last_levels: Option<std::time::Instant>,
    /// Why jobs cannot be counted now. Says no secret.
    pub error: Option<String>,
    /// Why events cannot be followed now. Says no secret.
    pub events_error: Option<String>,
}

/// One followed queue.
#[derive(Clone, Debug)]
pub struct QueueStatus {
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
}

/// A queue that [`probe`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueLevels {
    /// The prefix of its keys.
    pub prefix: String,
    /// Its name.
    pub name: String,
    /// Its jobs by state.
    pub levels: Levels,
}

/// Connects once, walks all keys once, and counts the jobs of every queue found.
///
/// # Errors
/// When Redis cannot be reached, refuses, or is late.
pub async fn probe(settings: &Settings) -> Result<Vec<QueueLevels>, Error> {
    let mut link = Link::open(&settings.redis, settings.timeout).await?;
    let found = control::once(&mut link, settings.max_queues).await?;
    let queues = found.into_iter().map(|(key, levels)| QueueLevels {
        prefix: key.prefix().into(),
        name: key.name().into(),
        levels,
    });
    Ok(queues.collect())
}
