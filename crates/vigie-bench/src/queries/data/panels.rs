//! Series that the panels of the dashboard `vigie-details` query and that [`Backend::like_ours`] lacks.

use super::{BEFORE, Backend, QUEUES, RUN, RUNS, Source};

/// Levels of each queue.
const OF_QUEUES: [&str; 12] = [
    "bullmq_active_without_lock",
    "bullmq_concurrency_limit",
    "bullmq_concurrency_reached",
    "bullmq_delayed_overdue",
    "bullmq_oldest_waiting_age_seconds",
    "bullmq_oldest_waiting_children_age_seconds",
    "bullmq_queue_paused",
    "bullmq_queue_paused_seconds",
    "bullmq_rate_limit_reset_seconds",
    "bullmq_rate_limited",
    "bullmq_scheduler_late_seconds",
    "bullmq_schedulers",
];
/// Counts of each queue.
const COUNTS_OF_QUEUES: [&str; 3] = [
    "bullmq_events_lost_total",
    "bullmq_events_read_total",
    "bullmq_job_runs_unmeasured_total",
];
/// Counts by the name of the job.
const COUNTS_OF_JOBS: [&str; 5] = [
    "bullmq_attempts_failed_total",
    "bullmq_jobs_added_total",
    "bullmq_jobs_deduplicated_total",
    "bullmq_jobs_removed_total",
    "bullmq_jobs_stalled_total",
];
/// Other levels, with a label and its values.
const LEVELS: [(&str, &str, &[&str]); 21] = [
    ("bullmq_queues", "", &[""]),
    ("process_max_fds", "", &[""]),
    ("process_open_fds", "", &[""]),
    ("process_resident_memory_bytes", "", &[""]),
    ("process_start_time_seconds", "", &[""]),
    (
        "socketio_connections",
        "transport",
        &["polling", "websocket"],
    ),
    ("vigie_build_info", "version", &["0.1.0"]),
    ("vigie_check_duration_seconds", "check", CHECKS),
    (
        "vigie_check_last_success_timestamp_seconds",
        "check",
        CHECKS,
    ),
    ("vigie_check_up", "check", CHECKS),
    ("vigie_gateway_connections", "", &[""]),
    ("vigie_gateway_requests_in_flight", "", &[""]),
    ("vigie_gateway_routes", "", &[""]),
    ("vigie_history_bytes", "", &[""]),
    ("vigie_history_oldest_timestamp_seconds", "", &[""]),
    ("vigie_history_series", "", &[""]),
    ("vigie_notifications_outbox_messages", "", &[""]),
    ("vigie_notifications_receiver_up", "receiver", RECEIVERS),
    ("vigie_rule_alerts", "state", &["pending", "firing"]),
    (
        "vigie_rule_group_last_duration_seconds",
        "rule_group",
        GROUPS,
    ),
    ("vigie_source_up", "source", SOURCES),
];
/// Other counts.
const COUNTS: [(&str, &str, &[&str]); 13] = [
    ("bullmq_queues_refused_total", "", &[""]),
    ("process_cpu_seconds_total", "", &[""]),
    ("socketio_sessions_adopted_total", "", &[""]),
    ("socketio_sessions_untracked_total", "", &[""]),
    ("vigie_gateway_errors_total", "reason", REASONS),
    ("vigie_gateway_route_overflow_total", "folded_into", REASONS),
    ("vigie_history_samples_refused_total", "reason", REASONS),
    ("vigie_history_samples_total", "", &[""]),
    ("vigie_notifications_failed_total", "receiver", RECEIVERS),
    ("vigie_notifications_total", "receiver", RECEIVERS),
    ("vigie_rule_evaluation_failures_total", "rule_group", GROUPS),
    (
        "vigie_rule_group_iterations_missed_total",
        "rule_group",
        GROUPS,
    ),
    ("vigie_series_refused_total", "metric", REASONS),
];
const CHECKS: &[&str] = &["app", "database", "queues", "redis"];
const GROUPS: &[&str] = &["app", "gateway", "production", "queues", "sockets", "vigie"];
const REASONS: &[&str] = &["closed", "reset", "slow", "timeout", "unknown"];
const RECEIVERS: &[&str] = &["mail", "team", "webhook"];
const SOURCES: &[&str] = &["gateway", "postgres", "redis"];

impl Backend {
    pub(super) fn of_panels(&mut self) {
        for queue in 0..QUEUES {
            let name = format!("queue-{queue}");
            let labels = [("prefix", "bull"), ("queue", &*name)];
            for metric in OF_QUEUES {
                self.one(metric, &labels, Source::Level(1.0));
            }
            for metric in COUNTS_OF_QUEUES {
                self.one(metric, &labels, Source::Count(2.0, BEFORE));
            }
            for (metric, states) in [
                (
                    "bullmq_jobs",
                    &["waiting", "active", "delayed", "paused"][..],
                ),
                ("bullmq_jobs_retained", &["completed", "failed"]),
            ] {
                for state in states {
                    let labels = [&labels[..], &[("state", *state)]].concat();
                    self.one(metric, &labels, Source::Level(10.0));
                }
            }
        }
        for run in 0..RUNS {
            let name = format!("job-{run}");
            let labels = [
                ("prefix", "bull"),
                ("queue", "production"),
                ("name", &*name),
            ];
            for metric in COUNTS_OF_JOBS {
                self.one(metric, &labels, Source::Count(1.0, BEFORE));
            }
            for outcome in ["completed", "failed"] {
                let labels = [&labels[..], &[("outcome", outcome)]].concat();
                let source = Source::Count(1.0, BEFORE);
                self.one("bullmq_jobs_finished_total", &labels, source);
            }
            self.histogram("bullmq_job_wait_seconds", &labels, (3.0, RUN), false);
        }
        for (metric, label, values) in LEVELS {
            self.by_label((metric, label, values), || Source::Level(100.0));
        }
        for (metric, label, values) in COUNTS {
            self.by_label((metric, label, values), || Source::Count(1.0, BEFORE));
        }
    }

    /// A series for each value of a label; one without the label if it is empty.
    fn by_label(
        &mut self,
        (metric, label, values): (&str, &'static str, &[&str]),
        source: impl Fn() -> Source,
    ) {
        for value in values {
            let labels = [(label, *value)];
            let labels = if label.is_empty() { &[] } else { &labels[..] };
            self.one(metric, labels, source());
        }
    }
}
