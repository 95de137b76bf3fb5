//! Every metric Vigie exposes, with its type, labels, meaning and bound.
//!
//! The five metrics of the specification come first. `docs/METRICS.md` lists the same for people, and a
//! test holds the two against each other.

use crate::buckets;
use crate::desc::{Buckets, Desc, Meta, States};
use crate::value::{Counter, Gauge, Histogram};

/// Bounds for requests. 1 s is the threshold of the latency alert, so it is a bound.
pub static REQUEST_BUCKETS: Buckets = buckets![
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0
];
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

/// How many queues the bounds below have room for; `redis.max_queues` may not be more.
pub const QUEUES: usize = 10_000;

/// The label that the series of a metric have where several databases of a server are watched, and only there: what is of
/// one queue has it, for a prefix and a name are one queue in each of them.
#[must_use]
pub fn scope(meta: &Meta) -> Option<&'static str> {
    meta.labels.contains(&"prefix").then_some("database")
}

macro_rules! catalogue {
    ($($(#[$doc:meta])* $name:ident: $value:ty, $labels:literal = $desc:expr;)*) => {
        $($(#[$doc])* pub static $name: Desc<$value, $labels> = $desc;)*

        /// The descriptions of all metrics.
        #[must_use]
        pub fn all() -> Vec<&'static Meta> {
            vec![$($name.meta()),*]
        }
    };
}

catalogue! {
    /// Specification: requests by method, route and code.
    HTTP_REQUEST_DURATION: Histogram, 3 = Desc::histogram(
        "http_request_duration_seconds",
        "Time from the head of a request read to the last byte of its response sent, seen from in front of the app. Engine.IO traffic is not in it. Code 499: the client went away.",
        &["method", "route", "code"],
        &REQUEST_BUCKETS,
    );
    /// Specification: requests that ended in an error.
    HTTP_REQUESTS_ERRORS: Counter, 3 = Desc::counter(
        "http_requests_errors_total",
        "Requests answered with a code of 500 or above (of 400 or above when gateway.count_client_errors is set).",
        &["method", "route", "code"],
    );
    /// Specification: jobs by queue and state.
    QUEUE_JOBS: Gauge, 2 = Desc::untyped(
        "queue_jobs_total",
        "BullMQ jobs by queue and state. The states a job stays in (waiting, active, delayed, prioritized, paused, waiting-children) are levels; completed and failed are counts that only grow from 0 at start.",
        &["queue", "state"],
    ).states(&JOB_STATES).max_series(8 * QUEUES);
    /// Specification: duration of the production tick.
    PRODUCTION_TICK_DURATION: Histogram, 0 = Desc::histogram(
        "production_tick_duration_seconds",
        "Time a production tick ran, from the moment a worker took the job to the moment it ended.",
        &[],
        &TICK_BUCKETS,
    );
    /// Specification: Socket.IO connections.
    SOCKET_ACTIVE_CONNECTIONS: Gauge, 0 = Desc::gauge(
        "socket_active_connections",
        "Engine.IO sessions open through the gateway; equals the server's io.engine.clientsCount.",
        &[],
    );

    /// Sessions by transport.
    SOCKETIO_CONNECTIONS: Gauge, 1 = Desc::gauge(
        "socketio_connections",
        "Engine.IO sessions open through the gateway, by transport (polling, websocket).",
        &["transport"],
    ).max_series(2);
    /// Sessions that were taken over.
    SOCKETIO_ADOPTED: Counter, 0 = Desc::counter(
        "socketio_sessions_adopted_total",
        "Engine.IO sessions first seen in mid-life: opened before the gateway started, or past the gateway.",
        &[],
    );
    /// Sessions that were not tracked.
    SOCKETIO_REFUSED: Counter, 0 = Desc::counter(
        "socketio_sessions_untracked_total",
        "Engine.IO sessions not counted because the session table was full.",
        &[],
    );
    /// Requests under way.
    GATEWAY_IN_FLIGHT: Gauge, 0 = Desc::gauge(
        "vigie_gateway_requests_in_flight",
        "Requests whose response has not been sent to the end, Engine.IO traffic left out.",
        &[],
    );
    /// Client connections.
    GATEWAY_CONNECTIONS: Gauge, 0 = Desc::gauge(
        "vigie_gateway_connections",
        "Client connections open to the gateway, upgraded ones included.",
        &[],
    );
    /// What the gateway answered or ended itself.
    GATEWAY_ERRORS: Counter, 1 = Desc::counter(
        "vigie_gateway_errors_total",
        "Requests that failed between the gateway and the app or the client, by reason. Those answered 502 or 504 were answered by the gateway and not by the app.",
        &["reason"],
    ).max_series(32);
    /// Requests outside the learned routes.
    GATEWAY_ROUTE_OVERFLOW: Counter, 1 = Desc::counter(
        "vigie_gateway_route_overflow_total",
        "Requests without a route of their own, by the value they were folded into: <other> (not known yet, or past the bound), <unmatched> (404 and 405), _OTHER (a method outside the known set), code (a status outside 100 to 599).",
        &["folded_into"],
    ).max_series(4);
    /// How many routes exist.
    GATEWAY_ROUTES: Gauge, 0 = Desc::gauge(
        "vigie_gateway_routes",
        "Values the route label has now: configured patterns and learned templates.",
        &[],
    );

    /// Levels, with a type of their own.
    BULLMQ_JOBS: Gauge, 3 = Desc::gauge(
        "bullmq_jobs",
        "Jobs in a state they stay in: waiting, active, delayed, prioritized, paused, waiting-children. No job is in two. Counted within redis.levels_every of an event of the queue, and at least every 10 s: drain(), obliterate() and changePriority() leave no event. BullMQ 3 and 4 put a marker among the jobs that wait while others are delayed: it is not counted, unless more than 64 jobs were added with lifo after it.",
        &["prefix", "queue", "state"],
    ).max_series(6 * QUEUES);
    /// Finished jobs that are kept.
    BULLMQ_JOBS_RETAINED: Gauge, 3 = Desc::gauge(
        "bullmq_jobs_retained",
        "Finished jobs kept in Redis (completed, failed), which removeOnComplete and removeOnFail bound; not a count of what happened.",
        &["prefix", "queue", "state"],
    ).max_series(2 * QUEUES);
    /// Whether a queue is paused.
    BULLMQ_QUEUE_PAUSED: Gauge, 2 = Desc::gauge(
        "bullmq_queue_paused",
        "1 when the queue is paused, 0 when it is not.",
        &["prefix", "queue"],
    ).max_series(QUEUES);
    /// How long it has been so.
    BULLMQ_QUEUE_PAUSED_SECONDS: Gauge, 2 = Desc::gauge(
        "bullmq_queue_paused_seconds",
        "How long the queue has been paused, at least. Redis does not say since when, the event stream does: exact where Vigie saw the pause, or found it among the last 500 events when it started or had missed some; otherwise since the oldest of these. Absent when the queue is not paused, and for queues of Bull, which has no event stream. Read every 5 s.",
        &["prefix", "queue"],
    ).max_series(QUEUES);
    /// The bound of a whole queue.
    BULLMQ_CONCURRENCY_LIMIT: Gauge, 2 = Desc::gauge(
        "bullmq_concurrency_limit",
        "How many jobs of the queue may be active at once, whatever its workers could take (setGlobalConcurrency). Absent when there is no such limit; what a single worker takes at once is not in Redis.",
        &["prefix", "queue"],
    ).max_series(QUEUES);
    /// Whether it holds jobs back.
    BULLMQ_CONCURRENCY_REACHED: Gauge, 2 = Desc::gauge(
        "bullmq_concurrency_reached",
        "1 when as many jobs are active as bullmq_concurrency_limit, so that no worker takes another, 0 when fewer are. Absent when there is no such limit.",
        &["prefix", "queue"],
    ).max_series(QUEUES);
    /// Whether a rate limit holds jobs back.
    BULLMQ_RATE_LIMITED: Gauge, 2 = Desc::gauge(
        "bullmq_rate_limited",
        "1 when jobs are ready to run and no worker takes one before a time that is set: as many have begun as setGlobalRateLimit() allows, or rateLimit() was called, which workers without a limit do not heed. 0 when no job is held back so. The limit in a worker's own limiter option is not in Redis: while jobs begun are counted against one, this is absent. Absent for queues of Bull. Read every 5 s.",
        &["prefix", "queue"],
    ).max_series(QUEUES);
    /// Until when.
    BULLMQ_RATE_LIMIT_RESET: Gauge, 2 = Desc::gauge(
        "bullmq_rate_limit_reset_seconds",
        "How long until the rate limit's count of jobs begins anew, also of a limit that only workers know: then a worker that is held back goes on. Absent when none is counted, when no job is ready to run, and for queues of Bull. Read every 5 s.",
        &["prefix", "queue"],
    ).max_series(QUEUES);
    /// How long the first in line waits.
    BULLMQ_OLDEST_WAITING_AGE: Gauge, 2 = Desc::gauge(
        "bullmq_oldest_waiting_age_seconds",
        "How long the oldest of the jobs that are ready to run has been so, those held back by a pause included; 0 when there is none. A delay, a backoff and the wait for children are not in it. Looked at are the 8 jobs next in line and the one last in line of a list, and the first 2 of each of 32 priorities. Read every 5 s.",
        &["prefix", "queue"],
    ).max_series(QUEUES);
    /// How long the first parent waits.
    BULLMQ_OLDEST_WAITING_CHILDREN_AGE: Gauge, 2 = Desc::gauge(
        "bullmq_oldest_waiting_children_age_seconds",
        "How long the oldest flow parent has been waiting for its children, since it was added or went back to wait for more, by the clock of who did that; 0 when none is. A parent whose child failed waits for good, unless the child was told to fail or to leave it. Read every 5 s.",
        &["prefix", "queue"],
    ).max_series(QUEUES);
    /// How long the longest runs.
    BULLMQ_OLDEST_ACTIVE_AGE: Gauge, 2 = Desc::gauge(
        "bullmq_oldest_active_age_seconds",
        "How long the job that was taken first of those now active has been running; 0 when none is. Read every 5 s.",
        &["prefix", "queue"],
    ).max_series(QUEUES);
    /// Jobs whose worker is gone.
    BULLMQ_ACTIVE_WITHOUT_LOCK: Gauge, 2 = Desc::gauge(
        "bullmq_active_without_lock",
        "Active jobs, of the 100 that were taken first, that no worker holds a lock on: it died or its event loop is blocked. They stay so until another worker of the queue finds them stalled. Read every 5 s.",
        &["prefix", "queue"],
    ).max_series(QUEUES);
    /// Delayed jobs nobody promotes.
    BULLMQ_DELAYED_OVERDUE: Gauge, 2 = Desc::gauge(
        "bullmq_delayed_overdue",
        "Delayed jobs that were due more than 5 s ago: no worker is there, or free, to take them up. Read every 5 s.",
        &["prefix", "queue"],
    ).max_series(QUEUES);
    /// Schedulers.
    BULLMQ_SCHEDULERS: Gauge, 2 = Desc::gauge(
        "bullmq_schedulers",
        "Job schedulers of the queue, called repeatable jobs in older versions; BullMQ leaves there those that reached their limit or their end. Read every 5 s.",
        &["prefix", "queue"],
    ).max_series(QUEUES);
    /// Schedulers behind their time.
    BULLMQ_SCHEDULER_LATE: Gauge, 2 = Desc::gauge(
        "bullmq_scheduler_late_seconds",
        "How long ago the next run of a job scheduler should have begun, of the one that is latest; 0 when none is late. One that reached its limit or its end is not late. Read every 5 s.",
        &["prefix", "queue"],
    ).max_series(QUEUES);
    /// Workers.
    BULLMQ_WORKERS: Gauge, 2 = Desc::gauge(
        "bullmq_workers",
        "Workers connected to the queue, by the names of Redis' clients (CLIENT LIST), in a cluster at the master that holds the queue; absent where the server does not tell them. Read every 15 s.",
        &["prefix", "queue"],
    ).max_series(QUEUES);
    /// Arrivals.
    BULLMQ_JOBS_ADDED: Counter, 3 = Desc::counter(
        "bullmq_jobs_added_total",
        "Jobs added to the queue, by job name, counted from the event stream since start. A job that was not stored, because it was deduplicated or its id exists, is not in it; a retry neither.",
        &["prefix", "queue", "name"],
    ).max_series(2 * QUEUES);
    /// Failures, final or not.
    BULLMQ_ATTEMPTS_FAILED: Counter, 3 = Desc::counter(
        "bullmq_attempts_failed_total",
        "Attempts that failed, by job name, whether the job is tried again or not, counted from the event stream since start. A job that its processor puts back (rateLimit, moveToDelayed, moveToWait) leaves the same events as one that is tried again, and is in it; a stalled attempt is not.",
        &["prefix", "queue", "name"],
    ).max_series(2 * QUEUES);
    /// Stalls.
    BULLMQ_JOBS_STALLED: Counter, 3 = Desc::counter(
        "bullmq_jobs_stalled_total",
        "Times an active job was found without its worker and put back to wait, by job name, counted from the event stream since start. A stall that is the first thing heard of its name is counted as unknown, which is there at 0 from the start, so that increase() sees it.",
        &["prefix", "queue", "name"],
    ).max_series(3 * QUEUES);
    /// Removals.
    BULLMQ_JOBS_REMOVED: Counter, 3 = Desc::counter(
        "bullmq_jobs_removed_total",
        "Jobs removed by remove(), clean(), a job scheduler's end or a deduplication that replaces, by job name, counted from the event stream since start. The name is unknown of what clean() removes, and of jobs that are not remembered: they had ended, were added before Vigie started and not taken since, or were too many. drain(), obliterate(), removeOnComplete and removeOnFail leave no event, and are not in it. A name has a series once it is not 0.",
        &["prefix", "queue", "name"],
    ).max_series(3 * QUEUES);
    /// Deduplications.
    BULLMQ_JOBS_DEDUPLICATED: Counter, 3 = Desc::counter(
        "bullmq_jobs_deduplicated_total",
        "Jobs that were handed to the queue while another with their deduplication id was there, and that were dropped or took its place, by the name of the job that is there then, counted from the event stream since start. A name has a series once it is not 0.",
        &["prefix", "queue", "name"],
    ).max_series(3 * QUEUES);
    /// Outcomes.
    BULLMQ_JOBS_FINISHED: Counter, 4 = Desc::counter(
        "bullmq_jobs_finished_total",
        "Jobs that ended, by job name and outcome (completed, failed), counted from the event stream since start.",
        &["prefix", "queue", "name", "outcome"],
    ).max_series(4 * QUEUES);
    /// Run times.
    BULLMQ_JOB_RUN: Histogram, 4 = Desc::histogram(
        "bullmq_job_run_seconds",
        "Time of one attempt, from the moment a worker took the job to the moment the attempt ended, by outcome (completed, failed, retried). Its count with outcome retried is how many attempts were followed by another.",
        &["prefix", "queue", "name", "outcome"],
        &JOB_BUCKETS,
    ).max_series(2 * QUEUES);
    /// Wait times.
    BULLMQ_JOB_WAIT: Histogram, 3 = Desc::histogram(
        "bullmq_job_wait_seconds",
        "Time an attempt waited, from the moment its job was last ready to run to the moment a worker took it. A delay, a backoff and the wait for children are not in it; a pause of the queue and a rate limit are.",
        &["prefix", "queue", "name"],
        &JOB_BUCKETS,
    ).max_series(QUEUES);
    /// Runs without a duration.
    BULLMQ_RUNS_UNMEASURED: Counter, 2 = Desc::counter(
        "bullmq_job_runs_unmeasured_total",
        "Jobs that ended without a known start: they never ran, ran before Vigie started, their start was missed, or more ran than are remembered.",
        &["prefix", "queue"],
    );
    /// What the reader missed.
    BULLMQ_EVENTS_LOST: Counter, 2 = Desc::counter(
        "bullmq_events_lost_total",
        "Entries of the event stream that were trimmed before they were read. 0 means that every count of this queue is exact, unless Redis is older than version 7, cannot tell, and bullmq_outcomes_exact is absent. Where every worker has BullMQ's metrics on, what ended in them is counted all the same, under the name unknown.",
        &["prefix", "queue"],
    );
    /// Whether outcomes are complete.
    BULLMQ_OUTCOMES_EXACT: Gauge, 2 = Desc::gauge(
        "bullmq_outcomes_exact",
        "1 while every job that ended since start is in bullmq_jobs_finished_total, by name or as unknown; 0 once events were missed and could not be made up for by the workers' own metrics, which some or all have off. Absent where it cannot be proven: before version 7 Redis does not count what was added to a stream, a stream that was deleted may have held more than was read, and so may a server whose successor has less than it had. Absent for queues of Bull, whose outcomes are not known.",
        &["prefix", "queue"],
    ).max_series(QUEUES);
    /// What the reader read.
    BULLMQ_EVENTS_READ: Counter, 2 = Desc::counter(
        "bullmq_events_read_total",
        "Entries of the event stream that were read.",
        &["prefix", "queue"],
    );
    /// Levels under BullMQ's own name.
    BULLMQ_JOB_COUNT: Gauge, 2 = Desc::gauge(
        "bullmq_job_count",
        "What BullMQ's exportPrometheusMetrics() shows under this name: jobs by state, completed and failed being those kept in Redis. Only with queues.compatible.",
        &["queue", "state"],
    ).max_series(8 * QUEUES);
    /// Completions under BullMQ's own name.
    BULLMQ_JOB_COMPLETED: Counter, 1 = Desc::counter(
        "bullmq_job_completed_total",
        "Jobs that completed, under the name of BullMQ's exportPrometheusMetrics(), but counted from the event stream since start, whether the workers collect metrics or not. Only with queues.compatible.",
        &["queue"],
    ).max_series(QUEUES);
    /// Failures under BullMQ's own name.
    BULLMQ_JOB_FAILED: Counter, 1 = Desc::counter(
        "bullmq_job_failed_total",
        "Jobs that failed for good, under the name of BullMQ's exportPrometheusMetrics(), but counted from the event stream since start, whether the workers collect metrics or not. Only with queues.compatible.",
        &["queue"],
    ).max_series(QUEUES);
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

    /// Which replica shows the queues.
    QUEUES_EXPORTER: Gauge, 0 = Desc::gauge(
        "vigie_queues_exporter",
        "1 when this Vigie shows what it knows of the queues, 0 when another one does (queues.exporter). Absent without Redis.",
        &[],
    );
    /// Whether a source can be read.
    SOURCE_UP: Gauge, 1 = Desc::gauge(
        "vigie_source_up",
        "1 when the source (app, redis, events, database) answered at the last try, 0 when it did not. A source that is not configured has no series.",
        &["source"],
    ).max_series(16);
    /// Last verdict of a check.
    CHECK_UP: Gauge, 1 = Desc::gauge(
        "vigie_check_up",
        "Last verdict of a readiness check: 1 passed, 0 failed or stale.",
        &["check"],
    ).max_series(2_000);
    /// How long the last run of a check took.
    CHECK_DURATION: Gauge, 1 = Desc::gauge(
        "vigie_check_duration_seconds",
        "How long the last run of a readiness check took.",
        &["check"],
    ).max_series(2_000);
    /// When a check last passed.
    CHECK_LAST_SUCCESS: Gauge, 1 = Desc::gauge(
        "vigie_check_last_success_timestamp_seconds",
        "Unix time at which a readiness check last passed.",
        &["check"],
    ).max_series(2_000);

    /// Series of the history.
    HISTORY_SERIES: Gauge, 0 = Desc::gauge(
        "vigie_history_series",
        "Series that have samples in the history.",
        &[],
    );
    /// Memory of the history.
    HISTORY_BYTES: Gauge, 0 = Desc::gauge(
        "vigie_history_bytes",
        "Memory that the history takes, about; past history.max_bytes its oldest hours go.",
        &[],
    );
    /// Where the history begins.
    HISTORY_OLDEST: Gauge, 0 = Desc::gauge(
        "vigie_history_oldest_timestamp_seconds",
        "Unix time of the oldest sample in the history, or a little before it.",
        &[],
    );
    /// Samples that the history took.
    HISTORY_SAMPLES: Gauge, 0 = Desc::copied_counter(
        "vigie_history_samples_total",
        "Samples that the history took.",
        &[],
    );
    /// Samples that it did not take.
    HISTORY_REFUSED: Gauge, 1 = Desc::copied_counter(
        "vigie_history_samples_refused_total",
        "Samples that the history did not take, by reason: out_of_order and duplicate (the series has a later one, or one of this time), too_old (its time is sealed), series_limit (there are history.max_series).",
        &["reason"],
    ).max_series(4);
    /// Whether the history outlives the process.
    HISTORY_DISK_UP: Gauge, 0 = Desc::gauge(
        "vigie_history_disk_up",
        "1 when the history is written to disk, 0 when this fails, or reading it takes longer than 5 s, and it is kept in memory alone. Without history.path there is no series.",
        &[],
    );

    /// Series turned away.
    SERIES_REFUSED: Counter, 1 = Desc::counter(
        "vigie_series_refused_total",
        "Recordings of a metric that were dropped because the metric has as many series as it may have.",
        &["metric"],
    ).max_series(500);
    /// Version.
    BUILD_INFO: Gauge, 2 = Desc::gauge(
        "vigie_build_info",
        "Always 1; the labels tell the version of Vigie and of the compiler that built it.",
        &["version", "rustc"],
    ).max_series(1);
    /// CPU time.
    PROCESS_CPU: Gauge, 0 = Desc::copied_counter(
        "process_cpu_seconds_total",
        "CPU time Vigie used, user and system.",
        &[],
    );
    /// Memory.
    PROCESS_RESIDENT_MEMORY: Gauge, 0 = Desc::gauge(
        "process_resident_memory_bytes",
        "Memory of Vigie that is resident.",
        &[],
    );
    /// Address space.
    PROCESS_VIRTUAL_MEMORY: Gauge, 0 = Desc::gauge(
        "process_virtual_memory_bytes",
        "Address space of Vigie.",
        &[],
    );
    /// File descriptors.
    PROCESS_OPEN_FDS: Gauge, 0 = Desc::gauge(
        "process_open_fds",
        "File descriptors Vigie has open.",
        &[],
    );
    /// The limit of file descriptors.
    PROCESS_MAX_FDS: Gauge, 0 = Desc::gauge(
        "process_max_fds",
        "File descriptors Vigie may have open.",
        &[],
    );
    /// Threads.
    PROCESS_THREADS: Gauge, 0 = Desc::gauge(
        "process_threads",
        "Threads of Vigie.",
        &[],
    );
    /// Start.
    PROCESS_START_TIME: Gauge, 0 = Desc::gauge(
        "process_start_time_seconds",
        "Unix time at which Vigie started.",
        &[],
    );
}
