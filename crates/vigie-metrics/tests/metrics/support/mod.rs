//! Metrics of all types for the tests.
#![allow(dead_code, missing_docs, unreachable_pub)]

use vigie_metrics::{Buckets, Counter, Desc, Gauge, Histogram, States, buckets, descriptions};

pub static BUCKETS: Buckets = buckets![
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0
];

pub static STATES: States = States {
    label: "state",
    levels: &["waiting", "active"],
    counts: &["completed", "failed"],
};

descriptions! {
    REQUESTS: Histogram, 3 = Desc::histogram(
        "http_request_duration_seconds",
        "Request latency.",
        &["method", "route", "code"],
        &BUCKETS,
    );
    ERRORS: Counter, 3 = Desc::counter(
        "http_requests_errors_total",
        "Failed requests.",
        &["method", "route", "code"],
    );
    JOBS: Gauge, 2 = Desc::untyped(
        "queue_jobs_total",
        "Jobs by queue and state.",
        &["queue", "state"],
    ).states(&STATES);
    TICK: Histogram, 0 = Desc::histogram(
        "production_tick_duration_seconds",
        "Tick duration.",
        &[],
        &BUCKETS,
    );
    PAUSED: Gauge, 2 = Desc::gauge(
        "bullmq_queue_paused",
        "Whether a queue is paused.",
        &["prefix", "queue"],
    ).scoped_by("database");
    RUNS: Histogram, 4 = Desc::histogram(
        "bullmq_job_run_seconds",
        "Run time of an attempt.",
        &["prefix", "queue", "name", "outcome"],
        &BUCKETS,
    ).scoped_by("database");
    BUILD: Gauge, 2 = Desc::gauge(
        "build_info",
        "Version and compiler.",
        &["version", "rustc"],
    ).max_series(1);
}
