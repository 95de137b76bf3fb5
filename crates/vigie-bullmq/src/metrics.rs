//! The metrics of BullMQ queues.

use vigie_metrics::{
    Buckets, Counter, Desc, Gauge, Histogram, States, TimeGauge, buckets, descriptions,
};

/// Bounds for ticks. 2 s is the threshold of the slow tick alert, so it is a bound.
pub static TICK_BUCKETS: Buckets = buckets![
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0
];
/// Bounds for job runs, to half an hour.
pub static JOB_BUCKETS: Buckets = buckets![
    0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0
];

/// The states of BullMQ's jobs: those a job stays in, and those that end it.
pub static JOB_STATES: States = States {
    label: "state",
    levels: &[
        "waiting",
        "active",
        "delayed",
        "prioritized",
        "paused",
        "waiting-children",
    ],
    counts: &["completed", "failed"],
};

/// The number of queues the series bounds below allow for; the upper limit of `redis.max_queues`.
pub const MAX_QUEUES: usize = 10_000;

descriptions! {
    /// Specification: jobs by queue and state.
    QUEUE_JOBS: Gauge, 2 = Desc::untyped(
        "queue_jobs_total",
        "BullMQ jobs by queue and state. The states a job stays in (waiting, active, delayed, prioritized, paused, waiting-children) are levels; completed and failed are counts that only grow from 0 at start.",
        &["queue", "state"],
    ).states(&JOB_STATES).max_series(8 * MAX_QUEUES);

    /// Specification: duration of the production tick.
    PRODUCTION_TICK_DURATION: Histogram, 0 = Desc::histogram(
        "production_tick_duration_seconds",
        "Time a production tick ran, from the moment a worker took the job to the moment it ended.",
        &[],
        &TICK_BUCKETS,
    );

    /// Levels, with a type of their own.
    BULLMQ_JOBS: Gauge, 3 = Desc::gauge(
        "bullmq_jobs",
        "Jobs in a state they stay in: waiting, active, delayed, prioritized, paused, waiting-children. No job is in two. Counted within redis.levels_every of an event of the queue, and at least every 10 s: drain(), obliterate() and changePriority() leave no event. BullMQ 3 and 4 put a marker among the jobs that wait while others are delayed: it is not counted, unless more than 64 jobs were added with lifo after it.",
        &["prefix", "queue", "state"],
    ).max_series(6 * MAX_QUEUES).scoped_by("database");

    /// Finished jobs that are kept.
    BULLMQ_JOBS_RETAINED: Gauge, 3 = Desc::gauge(
        "bullmq_jobs_retained",
        "Finished jobs kept in Redis (completed, failed), which removeOnComplete and removeOnFail bound; not a count of what happened.",
        &["prefix", "queue", "state"],
    ).max_series(2 * MAX_QUEUES).scoped_by("database");

    /// Whether a queue is paused.
    BULLMQ_QUEUE_PAUSED: Gauge, 2 = Desc::gauge(
        "bullmq_queue_paused",
        "1 when the queue is paused, 0 when it is not.",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// How long it has been so.
    BULLMQ_QUEUE_PAUSED_SECONDS: TimeGauge, 2 = Desc::time_gauge(
        "bullmq_queue_paused_seconds",
        "How long the queue has been paused, at least. Redis does not say since when, the event stream does: exact where Vigie saw the pause, or found it among the last 500 events when it started or had missed some; otherwise since the oldest of these. Absent when the queue is not paused, and for queues of Bull, which has no event stream. Grows between readings (redis.signals_every, 5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// The bound of a whole queue.
    BULLMQ_CONCURRENCY_LIMIT: Gauge, 2 = Desc::gauge(
        "bullmq_concurrency_limit",
        "How many jobs of the queue may be active at once, whatever its workers could take (setGlobalConcurrency). Absent when there is no such limit; what a single worker takes at once is not in Redis.",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Whether it holds jobs back.
    BULLMQ_CONCURRENCY_REACHED: Gauge, 2 = Desc::gauge(
        "bullmq_concurrency_reached",
        "1 when as many jobs are active as bullmq_concurrency_limit, so that no worker takes another, 0 when fewer are. Absent when there is no such limit.",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Whether a rate limit holds jobs back.
    BULLMQ_RATE_LIMITED: Gauge, 2 = Desc::gauge(
        "bullmq_rate_limited",
        "1 when jobs are ready to run and no worker takes one before a time that is set: as many have begun as setGlobalRateLimit() allows, or rateLimit() was called, which workers without a limit do not heed. 0 when no job is held back so. The limit in a worker's own limiter option is not in Redis: while jobs begun are counted against one, this is absent. Absent for queues of Bull. Read every redis.signals_every (5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Until when.
    BULLMQ_RATE_LIMIT_RESET: TimeGauge, 2 = Desc::time_gauge(
        "bullmq_rate_limit_reset_seconds",
        "How long until the rate limit's count of jobs begins anew, also of a limit that only workers know: then a worker that is held back goes on. Absent when none is counted, when no job is ready to run, and for queues of Bull. Falls between readings (redis.signals_every, 5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// How long the first in line waits.
    BULLMQ_OLDEST_WAITING_AGE: TimeGauge, 2 = Desc::time_gauge(
        "bullmq_oldest_waiting_age_seconds",
        "How long the oldest of the jobs that are ready to run has been so, those held back by a pause included; 0 when there is none. A delay, a backoff and the wait for children are not in it. Looked at are the 8 jobs next in line and the one last in line of a list, and the first 2 of each of 32 priorities. Grows between readings (redis.signals_every, 5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// How long the first parent waits.
    BULLMQ_OLDEST_WAITING_CHILDREN_AGE: TimeGauge, 2 = Desc::time_gauge(
        "bullmq_oldest_waiting_children_age_seconds",
        "How long the oldest flow parent has been waiting for its children, since it was added or went back to wait for more, by the clock of who did that; 0 when none is. A parent whose child failed waits for good, unless the child was told to fail or to leave it. Grows between readings (redis.signals_every, 5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// How long the longest runs.
    BULLMQ_OLDEST_ACTIVE_AGE: TimeGauge, 2 = Desc::time_gauge(
        "bullmq_oldest_active_age_seconds",
        "How long the job that was taken first of those now active has been running; 0 when none is. Grows between readings (redis.signals_every, 5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Jobs whose worker is gone.
    BULLMQ_ACTIVE_WITHOUT_LOCK: Gauge, 2 = Desc::gauge(
        "bullmq_active_without_lock",
        "Active jobs, of the 100 that were taken first, that no worker holds a lock on: it died or its event loop is blocked. They stay so until another worker of the queue finds them stalled. Read every redis.signals_every (5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Delayed jobs nobody promotes.
    BULLMQ_DELAYED_OVERDUE: Gauge, 2 = Desc::gauge(
        "bullmq_delayed_overdue",
        "Delayed jobs that were due more than 5 s ago: no worker is there, or free, to take them up. Read every redis.signals_every (5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Schedulers.
    BULLMQ_SCHEDULERS: Gauge, 2 = Desc::gauge(
        "bullmq_schedulers",
        "Job schedulers of the queue, called repeatable jobs in older versions; BullMQ leaves there those that reached their limit or their end. Read every redis.signals_every (5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Schedulers behind their time.
    BULLMQ_SCHEDULER_LATE: TimeGauge, 2 = Desc::time_gauge(
        "bullmq_scheduler_late_seconds",
        "How long ago the next run of a job scheduler should have begun, of the one that is latest; 0 when none is late. One that reached its limit or its end is not late. Grows between readings (redis.signals_every, 5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Workers.
    BULLMQ_WORKERS: Gauge, 2 = Desc::gauge(
        "bullmq_workers",
        "Workers connected to the queue, by the names of Redis' clients (CLIENT LIST), in a cluster at the master that holds the queue; absent where the server does not tell them. Read every redis.workers_every (15 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Arrivals.
    BULLMQ_JOBS_ADDED: Counter, 3 = Desc::counter(
        "bullmq_jobs_added_total",
        "Jobs added to the queue, by job name, counted from the event stream since start. A job that was not stored, because it was deduplicated or its id exists, is not in it; a retry neither.",
        &["prefix", "queue", "name"],
    ).max_series(2 * MAX_QUEUES).scoped_by("database");

    /// Failures, final or not.
    BULLMQ_ATTEMPTS_FAILED: Counter, 3 = Desc::counter(
        "bullmq_attempts_failed_total",
        "Attempts that failed, by job name, whether the job is tried again or not, counted from the event stream since start. A job that its processor puts back (rateLimit, moveToDelayed, moveToWait) leaves the same events as one that is tried again, and is in it; a stalled attempt is not.",
        &["prefix", "queue", "name"],
    ).max_series(2 * MAX_QUEUES).scoped_by("database");

    /// Stalls.
    BULLMQ_JOBS_STALLED: Counter, 3 = Desc::counter(
        "bullmq_jobs_stalled_total",
        "Times an active job was found without its worker and put back to wait, by job name, counted from the event stream since start. A stall that is the first thing heard of its name is counted as unknown, which is there at 0 from the start, so that increase() sees it.",
        &["prefix", "queue", "name"],
    ).max_series(3 * MAX_QUEUES).scoped_by("database");

    /// Removals.
    BULLMQ_JOBS_REMOVED: Counter, 3 = Desc::counter(
        "bullmq_jobs_removed_total",
        "Jobs removed by remove(), clean(), a job scheduler's end or a deduplication that replaces, by job name, counted from the event stream since start. The name is unknown of what clean() removes, and of jobs that are not remembered: they had ended, were added before Vigie started and not taken since, or were too many. drain(), obliterate(), removeOnComplete and removeOnFail leave no event, and are not in it. A name has a series once it is not 0.",
        &["prefix", "queue", "name"],
    ).max_series(3 * MAX_QUEUES).scoped_by("database");

    /// Deduplications.
    BULLMQ_JOBS_DEDUPLICATED: Counter, 3 = Desc::counter(
        "bullmq_jobs_deduplicated_total",
        "Jobs that were handed to the queue while another with their deduplication id was there, and that were dropped or took its place, by the name of the job that is there then, counted from the event stream since start. A name has a series once it is not 0.",
        &["prefix", "queue", "name"],
    ).max_series(3 * MAX_QUEUES).scoped_by("database");

    /// Outcomes.
    BULLMQ_JOBS_FINISHED: Counter, 4 = Desc::counter(
        "bullmq_jobs_finished_total",
        "Jobs that ended, by job name and outcome (completed, failed), counted from the event stream since start. Names past a bound are other (bullmq_jobs_folded_total); unknown are jobs that were gone before their name could be read.",
        &["prefix", "queue", "name", "outcome"],
    ).max_series(4 * MAX_QUEUES).scoped_by("database");

    /// Run times.
    BULLMQ_JOB_RUN: Histogram, 4 = Desc::histogram(
        "bullmq_job_run_seconds",
        "Time of one attempt, from the moment a worker took the job to the moment the attempt ended, by outcome (completed, failed, retried). Its count with outcome retried is how many attempts were followed by another.",
        &["prefix", "queue", "name", "outcome"],
        &JOB_BUCKETS,
    ).max_series(2 * MAX_QUEUES).scoped_by("database");

    /// Wait times.
    BULLMQ_JOB_WAIT: Histogram, 3 = Desc::histogram(
        "bullmq_job_wait_seconds",
        "Time an attempt waited, from the moment its job was last ready to run to the moment a worker took it. A delay, a backoff and the wait for children are not in it; a pause of the queue and a rate limit are.",
        &["prefix", "queue", "name"],
        &JOB_BUCKETS,
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Jobs without a name of their own.
    BULLMQ_JOBS_FOLDED: Counter, 2 = Desc::counter(
        "bullmq_jobs_folded_total",
        "Jobs whose name has no series of its own, and that are counted under the name other. 100 names of a queue have series: 75 go to the names that come first, 13 more are for names of a second job, and all are for names of jobs that fail or stall. Where no place is free, a name that recurs or fails takes that of one that no job had for 24 h (1 h if only one job ever had it), whose series are removed. The most frequent of these names are logged.",
        &["prefix", "queue"],
    ).scoped_by("database");

    /// Runs without a duration.
    BULLMQ_RUNS_UNMEASURED: Counter, 2 = Desc::counter(
        "bullmq_job_runs_unmeasured_total",
        "Jobs that ended without a known start: they never ran, ran before Vigie started, their start was missed, or more ran than are remembered.",
        &["prefix", "queue"],
    ).scoped_by("database");

    /// What the reader missed.
    BULLMQ_EVENTS_LOST: Counter, 2 = Desc::counter(
        "bullmq_events_lost_total",
        "Entries of the event stream that were removed before they were read: a lower bound. A stream that was deleted, evicted, replaced or rolled back by a failover counts as one entry, because the number of lost entries is unknown. 0 means that every count of this queue is exact, unless Redis is older than version 7 and does not count entries; bullmq_outcomes_exact is absent then. Where every worker has BullMQ's metrics on, what ended in them is counted all the same, under the name unknown.",
        &["prefix", "queue"],
    ).scoped_by("database");

    /// Whether outcomes are complete.
    BULLMQ_OUTCOMES_EXACT: Gauge, 2 = Desc::gauge(
        "bullmq_outcomes_exact",
        "1 while every job that ended since start is in bullmq_jobs_finished_total, by name or as unknown; 0 once events were missed and could not be made up for by the workers' own metrics, which some or all have off. Absent where it cannot be proven: before version 7 Redis does not count what was added to a stream, a stream that was deleted may have held more than was read, and so may a server whose successor has less than it had. Absent for queues of Bull, whose outcomes are not known.",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// What the reader read.
    BULLMQ_EVENTS_READ: Counter, 2 = Desc::counter(
        "bullmq_events_read_total",
        "Entries of the event stream that were read.",
        &["prefix", "queue"],
    ).scoped_by("database");

    /// Levels under BullMQ's own name.
    BULLMQ_JOB_COUNT: Gauge, 2 = Desc::gauge(
        "bullmq_job_count",
        "What BullMQ's exportPrometheusMetrics() shows under this name: jobs by state, completed and failed being those kept in Redis. Only with queues.compatible.",
        &["queue", "state"],
    ).max_series(8 * MAX_QUEUES);

    /// Completions under BullMQ's own name.
    BULLMQ_JOB_COMPLETED: Counter, 1 = Desc::counter(
        "bullmq_job_completed_total",
        "Jobs that completed, under the name of BullMQ's exportPrometheusMetrics(), but counted from the event stream since start, whether the workers collect metrics or not. Only with queues.compatible.",
        &["queue"],
    ).max_series(MAX_QUEUES);

    /// Failures under BullMQ's own name.
    BULLMQ_JOB_FAILED: Counter, 1 = Desc::counter(
        "bullmq_job_failed_total",
        "Jobs that failed for good, under the name of BullMQ's exportPrometheusMetrics(), but counted from the event stream since start, whether the workers collect metrics or not. Only with queues.compatible.",
        &["queue"],
    ).max_series(MAX_QUEUES);

    /// Queues followed.
    BULLMQ_QUEUES: Gauge, 0 = Desc::gauge(
        "bullmq_queues",
        "Queues found and followed.",
        &[],
    );

    /// Queues turned away.
    BULLMQ_QUEUES_REFUSED: Counter, 0 = Desc::counter(
        "bullmq_queues_refused_total",
        "Times a queue was found and not followed because redis.max_queues were followed already.",
        &[],
    );
}

/// Whether a metric is about queues, so that of several replicas which read the same Redis one need expose it.
#[must_use]
pub fn is_of_queues(name: &str) -> bool {
    let others = [QUEUE_JOBS.meta().name, PRODUCTION_TICK_DURATION.meta().name];
    name.starts_with("bullmq_") || others.contains(&name)
}
