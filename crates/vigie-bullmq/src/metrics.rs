//! The metrics of BullMQ queues.

use vigie_metrics::{
    Buckets, Counter, Desc, Gauge, Histogram, States, TimeGauge, buckets, descriptions,
};

/// Bucket bounds for ticks. Includes 2 s, the threshold of the slow tick alert.
pub static TICK_BUCKETS: Buckets = buckets![
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0
];
/// Bucket bounds for job runs, up to half an hour.
pub static JOB_BUCKETS: Buckets = buckets![
    0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0
];

/// The states of BullMQ jobs: levels, and final states, which are counted.
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

/// The upper limit of `redis.max_queues`, from which the series limits below are derived.
pub const MAX_QUEUES: usize = 10_000;

descriptions! {
    /// Specification: jobs by queue and state.
    QUEUE_JOBS: Gauge, 2 = Desc::untyped(
        "queue_jobs_total",
        "BullMQ jobs by queue and state. The states in which a job stays (waiting, active, delayed, prioritized, paused, waiting-children) are levels; completed and failed are counters that start at 0 with Vigie.",
        &["queue", "state"],
    ).states(&JOB_STATES).max_series(8 * MAX_QUEUES);

    /// Specification: duration of the production tick.
    PRODUCTION_TICK_DURATION: Histogram, 0 = Desc::histogram(
        "production_tick_duration_seconds",
        "Run duration of production ticks, from the moment a worker takes the job to its end.",
        &[],
        &TICK_BUCKETS,
    );

    /// Jobs by state, as a gauge.
    BULLMQ_JOBS: Gauge, 3 = Desc::gauge(
        "bullmq_jobs",
        "Jobs by state: waiting, active, delayed, prioritized, paused, waiting-children. Each job is in one state. Counted within redis.levels_every of an event of the queue, and at least every 10 s, because drain(), obliterate() and changePriority() emit no event. The markers that BullMQ 3 and 4 add to the wait list while jobs are delayed are not counted, unless more than 64 jobs were added with lifo after the marker.",
        &["prefix", "queue", "state"],
    ).max_series(6 * MAX_QUEUES).scoped_by("database");

    /// Retained finished jobs.
    BULLMQ_JOBS_RETAINED: Gauge, 3 = Desc::gauge(
        "bullmq_jobs_retained",
        "Finished jobs kept in Redis, by state (completed, failed). Bounded by removeOnComplete and removeOnFail; not a count of outcomes.",
        &["prefix", "queue", "state"],
    ).max_series(2 * MAX_QUEUES).scoped_by("database");

    /// Whether a queue is paused.
    BULLMQ_QUEUE_PAUSED: Gauge, 2 = Desc::gauge(
        "bullmq_queue_paused",
        "1 if the queue is paused, 0 otherwise.",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Duration of the pause.
    BULLMQ_QUEUE_PAUSED_SECONDS: TimeGauge, 2 = Desc::time_gauge(
        "bullmq_queue_paused_seconds",
        "Lower bound of the time since the queue was paused. Redis does not store the time of a pause; it is read from the event stream. Exact if Vigie read the pause event, or found it among the last 500 events after a start or after missed events; otherwise measured from the oldest of these events. Absent while the queue is not paused, and for queues of Bull, which have no event stream. Increases between readings (redis.signals_every, 5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Global concurrency limit.
    BULLMQ_CONCURRENCY_LIMIT: Gauge, 2 = Desc::gauge(
        "bullmq_concurrency_limit",
        "Maximum number of active jobs of the queue across all workers (setGlobalConcurrency). Absent without such a limit. The concurrency of a single worker is not stored in Redis.",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Whether the concurrency limit is reached.
    BULLMQ_CONCURRENCY_REACHED: Gauge, 2 = Desc::gauge(
        "bullmq_concurrency_reached",
        "1 if the number of active jobs has reached bullmq_concurrency_limit, so that workers take no further job; 0 otherwise. Absent without such a limit.",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Whether a rate limit holds jobs back.
    BULLMQ_RATE_LIMITED: Gauge, 2 = Desc::gauge(
        "bullmq_rate_limited",
        "1 while jobs are ready to run but a rate limit holds them back: the limit of setGlobalRateLimit() is used up, or rateLimit() was called (workers without a limiter ignore the latter). 0 otherwise. Absent while jobs are counted against the limiter option of a worker, because that limit is not stored in Redis, and for queues of Bull. Read every redis.signals_every (5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// End of the rate limit window.
    BULLMQ_RATE_LIMIT_RESET: TimeGauge, 2 = Desc::time_gauge(
        "bullmq_rate_limit_reset_seconds",
        "Time until the current rate limit window ends and held-back workers continue; includes limits set only in the workers' limiter option. Absent when no window is open, when no job is ready to run, and for queues of Bull. Decreases between readings (redis.signals_every, 5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Age of the oldest ready job.
    BULLMQ_OLDEST_WAITING_AGE: TimeGauge, 2 = Desc::time_gauge(
        "bullmq_oldest_waiting_age_seconds",
        "Time since the oldest ready job became ready to run, including jobs held back by a pause; 0 if there is none. Delays, backoffs and the wait for children are excluded. Sampled: the first 8 jobs and the last job of each list, and the first 2 jobs of each of up to 32 priorities. Increases between readings (redis.signals_every, 5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Age of the oldest waiting parent.
    BULLMQ_OLDEST_WAITING_CHILDREN_AGE: TimeGauge, 2 = Desc::time_gauge(
        "bullmq_oldest_waiting_children_age_seconds",
        "Time since the oldest flow parent began to wait for its children, by the clock of the client that added it or moved it back; 0 if there is none. A parent with a failed child waits forever unless the child has an option that fails the parent or ignores the failure. Increases between readings (redis.signals_every, 5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Age of the oldest active job.
    BULLMQ_OLDEST_ACTIVE_AGE: TimeGauge, 2 = Desc::time_gauge(
        "bullmq_oldest_active_age_seconds",
        "Run time so far of the active job that was taken first; 0 if no job is active. Increases between readings (redis.signals_every, 5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Active jobs without a lock.
    BULLMQ_ACTIVE_WITHOUT_LOCK: Gauge, 2 = Desc::gauge(
        "bullmq_active_without_lock",
        "Active jobs without a worker's lock, among the 100 that were taken first: the worker died or its event loop is blocked. They remain active until a worker of the queue detects them as stalled. Read every redis.signals_every (5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Overdue delayed jobs.
    BULLMQ_DELAYED_OVERDUE: Gauge, 2 = Desc::gauge(
        "bullmq_delayed_overdue",
        "Delayed jobs that were due more than 5 s ago and were not promoted: no worker is connected, or all are busy. Read every redis.signals_every (5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Job schedulers.
    BULLMQ_SCHEDULERS: Gauge, 2 = Desc::gauge(
        "bullmq_schedulers",
        "Job schedulers of the queue (repeatable jobs in older versions), including those that BullMQ keeps after they reached their limit or end date. Read every redis.signals_every (5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Overdue schedulers.
    BULLMQ_SCHEDULER_LATE: TimeGauge, 2 = Desc::time_gauge(
        "bullmq_scheduler_late_seconds",
        "Time since the next run of the most overdue job scheduler was due; 0 if none is overdue. Schedulers that reached their limit or end date are excluded. Increases between readings (redis.signals_every, 5 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Connected workers.
    BULLMQ_WORKERS: Gauge, 2 = Desc::gauge(
        "bullmq_workers",
        "Workers connected to the queue, identified by their connection names in CLIENT LIST; in a cluster, on the master that holds the queue. Absent if the server does not return a complete client list. Read every redis.workers_every (15 s).",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Added jobs.
    BULLMQ_JOBS_ADDED: Counter, 3 = Desc::counter(
        "bullmq_jobs_added_total",
        "Jobs added to the queue, by job name, counted from the event stream since start. Excludes retries, and jobs that were not stored because they were deduplicated or their id already existed.",
        &["prefix", "queue", "name"],
    ).max_series(2 * MAX_QUEUES).scoped_by("database");

    /// Failed attempts.
    BULLMQ_ATTEMPTS_FAILED: Counter, 3 = Desc::counter(
        "bullmq_attempts_failed_total",
        "Failed attempts, by job name, with or without a retry, counted from the event stream since start. Includes jobs that their processor moves back (rateLimit, moveToDelayed, moveToWait), because these emit the same events as a retry. Excludes stalled attempts.",
        &["prefix", "queue", "name"],
    ).max_series(2 * MAX_QUEUES).scoped_by("database");

    /// Stalls.
    BULLMQ_JOBS_STALLED: Counter, 3 = Desc::counter(
        "bullmq_jobs_stalled_total",
        "Times an active job was found without its worker and moved back to wait, by job name, counted from the event stream since start. If a stall is the first event of a job name, it is counted under the name unknown, whose series exists at 0 from the start, so that increase() includes it.",
        &["prefix", "queue", "name"],
    ).max_series(3 * MAX_QUEUES).scoped_by("database");

    /// Removals.
    BULLMQ_JOBS_REMOVED: Counter, 3 = Desc::counter(
        "bullmq_jobs_removed_total",
        "Jobs removed by remove(), clean(), the end of a job scheduler or a replacing deduplication, by job name, counted from the event stream since start. The name is unknown for jobs removed by clean(), and for jobs that Vigie does not remember: they had ended, were added before Vigie started and not taken since, or exceeded the number of remembered jobs. drain(), obliterate(), removeOnComplete and removeOnFail emit no event and are not counted. A name has a series after its first removal.",
        &["prefix", "queue", "name"],
    ).max_series(3 * MAX_QUEUES).scoped_by("database");

    /// Deduplications.
    BULLMQ_JOBS_DEDUPLICATED: Counter, 3 = Desc::counter(
        "bullmq_jobs_deduplicated_total",
        "Jobs added while another job with the same deduplication id existed, and therefore dropped or stored in its place, by the name of the remaining job, counted from the event stream since start. A name has a series after its first deduplication.",
        &["prefix", "queue", "name"],
    ).max_series(3 * MAX_QUEUES).scoped_by("database");

    /// Outcomes.
    BULLMQ_JOBS_FINISHED: Counter, 4 = Desc::counter(
        "bullmq_jobs_finished_total",
        "Jobs that ended, by job name and outcome (completed, failed), counted from the event stream since start. Names beyond the limit are counted as other (see bullmq_jobs_folded_total); jobs that were removed before their name was read are counted as unknown.",
        &["prefix", "queue", "name", "outcome"],
    ).max_series(4 * MAX_QUEUES).scoped_by("database");

    /// Run times.
    BULLMQ_JOB_RUN: Histogram, 4 = Desc::histogram(
        "bullmq_job_run_seconds",
        "Run duration of attempts, from the moment a worker takes the job to the end of the attempt, by outcome (completed, failed, retried). The count with outcome retried is the number of attempts followed by another attempt.",
        &["prefix", "queue", "name", "outcome"],
        &JOB_BUCKETS,
    ).max_series(2 * MAX_QUEUES).scoped_by("database");

    /// Wait times.
    BULLMQ_JOB_WAIT: Histogram, 3 = Desc::histogram(
        "bullmq_job_wait_seconds",
        "Time from the moment a job was last ready to run until a worker took it, for each attempt. Excludes delays, backoffs and the wait for children; includes pauses of the queue and rate limits.",
        &["prefix", "queue", "name"],
        &JOB_BUCKETS,
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Jobs without a series for their name.
    BULLMQ_JOBS_FOLDED: Counter, 2 = Desc::counter(
        "bullmq_jobs_folded_total",
        "Jobs whose name has no series of its own, and that are counted under the name other. At most 100 names of a queue have series: 75 are open to any name, 13 more to names seen in at least two jobs, and the rest to names of jobs that failed or stalled. When all are taken, a recurring or failing name replaces a name without a job for 24 h (1 h if only one job had it), whose series are removed. The most frequent folded names are logged.",
        &["prefix", "queue"],
    ).scoped_by("database");

    /// Runs without a duration.
    BULLMQ_RUNS_UNMEASURED: Counter, 2 = Desc::counter(
        "bullmq_job_runs_unmeasured_total",
        "Jobs that ended without a known start: they never ran, started before Vigie, their start event was missed, or more jobs were running than Vigie remembers.",
        &["prefix", "queue"],
    ).scoped_by("database");

    /// Lost stream entries.
    BULLMQ_EVENTS_LOST: Counter, 2 = Desc::counter(
        "bullmq_events_lost_total",
        "Lower bound of the event stream entries that were removed before they were read. A stream that was deleted, evicted, replaced or rolled back by a failover counts as one entry, because the number of lost entries is unknown. 0 means that every count of this queue is exact, except with Redis older than version 7, which does not count stream entries (bullmq_outcomes_exact is then absent). If all workers have BullMQ's metrics enabled, outcomes in lost entries are still counted, under the name unknown.",
        &["prefix", "queue"],
    ).scoped_by("database");

    /// Whether outcomes are complete.
    BULLMQ_OUTCOMES_EXACT: Gauge, 2 = Desc::gauge(
        "bullmq_outcomes_exact",
        "1 if bullmq_jobs_finished_total includes every job that ended since start, by name or as unknown; 0 after events were missed that the workers' own metrics could not replace, because not all workers have them enabled. Absent if completeness cannot be proven: Redis older than version 7 does not count stream entries, and a deleted stream or a server that lost data in a failover may have contained unread entries. Absent for queues of Bull, whose outcomes are unknown.",
        &["prefix", "queue"],
    ).max_series(MAX_QUEUES).scoped_by("database");

    /// Read stream entries.
    BULLMQ_EVENTS_READ: Counter, 2 = Desc::counter(
        "bullmq_events_read_total",
        "Entries read from the event stream.",
        &["prefix", "queue"],
    ).scoped_by("database");

    /// Levels under BullMQ's own name.
    BULLMQ_JOB_COUNT: Gauge, 2 = Desc::gauge(
        "bullmq_job_count",
        "Jobs by state under the name used by BullMQ's exportPrometheusMetrics(); completed and failed are the jobs kept in Redis. Only with queues.compatible.",
        &["queue", "state"],
    ).max_series(8 * MAX_QUEUES);

    /// Completions under BullMQ's own name.
    BULLMQ_JOB_COMPLETED: Counter, 1 = Desc::counter(
        "bullmq_job_completed_total",
        "Completed jobs under the name used by BullMQ's exportPrometheusMetrics(), but counted from the event stream since start, regardless of the workers' metrics option. Only with queues.compatible.",
        &["queue"],
    ).max_series(MAX_QUEUES);

    /// Failures under BullMQ's own name.
    BULLMQ_JOB_FAILED: Counter, 1 = Desc::counter(
        "bullmq_job_failed_total",
        "Jobs that failed permanently, under the name used by BullMQ's exportPrometheusMetrics(), but counted from the event stream since start, regardless of the workers' metrics option. Only with queues.compatible.",
        &["queue"],
    ).max_series(MAX_QUEUES);

    /// Queues followed.
    BULLMQ_QUEUES: Gauge, 0 = Desc::gauge(
        "bullmq_queues",
        "Queues found and followed.",
        &[],
    );

    /// Queues that are not followed.
    BULLMQ_QUEUES_REFUSED: Counter, 0 = Desc::counter(
        "bullmq_queues_refused_total",
        "Times a queue was found but not followed because redis.max_queues was reached.",
        &[],
    );
}

/// Whether a metric describes queues. Of several replicas that read the same Redis, only one needs to expose it.
#[must_use]
pub fn is_of_queues(name: &str) -> bool {
    let others = [QUEUE_JOBS.meta().name, PRODUCTION_TICK_DURATION.meta().name];
    name.starts_with("bullmq_") || others.contains(&name)
}
