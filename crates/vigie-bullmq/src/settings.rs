//! The settings.

use std::time::Duration;

use vigie_redis::Endpoint;

/// Selects the jobs that are production ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The queue's name, with any prefix.
    pub queue: String,
    /// The job's name; `None`: all jobs of the queue.
    pub job: Option<String>,
}

/// The queues with the name of the tick's that are followed beyond [`Settings::max_queues`]; they have different prefixes or
/// databases.
pub(crate) const RESERVED: usize = 16;

impl Tick {
    pub(crate) fn is(&self, queue: &str, job: &str) -> bool {
        self.queue == queue && self.job.as_deref().is_none_or(|name| name == job)
    }
}

/// Settings of a [`Watcher`](crate::Watcher). `Debug` output contains no password.
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
    /// [`Watcher::counted_within`](crate::Watcher::counted_within).
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
    /// Maximum number of followed queues. The queue of the production tick is always followed.
    pub max_queues: usize,
    /// Maximum number of job names per queue; further names are counted as `other`.
    pub max_names: usize,
    /// Maximum number of remembered jobs in flight over all queues, at up to 64 bytes each. For further jobs, the name
    /// is looked up when they run, and the wait time is unknown.
    pub max_jobs: usize,
    /// Whether personal data and secrets are replaced in the reasons of failures. Credentials in addresses always are.
    pub redact: bool,
}

impl Settings {
    /// Whether it is a queue of the production tick.
    pub(crate) fn is_of_tick(&self, queue: &str) -> bool {
        self.tick.as_ref().is_some_and(|tick| tick.queue == queue)
    }

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
            redact: true,
        }
    }
}
