//! The metrics of the rules.

use vigie_metrics::{Counter, Desc, Gauge, descriptions};

/// The maximum number of groups with series of their own.
const MAX_GROUPS: usize = 1_000;

descriptions! {
    /// Evaluations.
    RULE_EVALUATIONS: Counter, 1 = Desc::counter(
        "vigie_rule_evaluations_total",
        "Evaluations of rules, by group (FILE;GROUP).",
        &["rule_group"],
    ).max_series(MAX_GROUPS);

    /// Failed evaluations.
    RULE_EVALUATION_FAILURES: Counter, 1 = Desc::counter(
        "vigie_rule_evaluation_failures_total",
        "Evaluations of rules that failed, by group. /api/v1/rules has the reason. Firing alerts of a rule that fails become unknown.",
        &["rule_group"],
    ).max_series(MAX_GROUPS);

    /// Missed evaluations.
    RULE_GROUP_MISSED: Counter, 1 = Desc::counter(
        "vigie_rule_group_iterations_missed_total",
        "Evaluations of a group that did not take place, because the one before took too long or the machine was suspended. They are not made up for.",
        &["rule_group"],
    ).max_series(MAX_GROUPS);

    /// Duration.
    RULE_GROUP_DURATION: Gauge, 1 = Desc::gauge(
        "vigie_rule_group_last_duration_seconds",
        "How long the last evaluation of a group took.",
        &["rule_group"],
    ).max_series(MAX_GROUPS);

    /// Interval.
    RULE_GROUP_INTERVAL: Gauge, 1 = Desc::gauge(
        "vigie_rule_group_interval_seconds",
        "The time between two evaluations of a group.",
        &["rule_group"],
    ).max_series(MAX_GROUPS);

    /// The time of the last evaluation.
    RULE_GROUP_LAST_EVALUATION: Gauge, 1 = Desc::gauge(
        "vigie_rule_group_last_evaluation_timestamp_seconds",
        "Unix time of the last evaluation of a group.",
        &["rule_group"],
    ).max_series(MAX_GROUPS);

    /// Alerts.
    RULE_ALERTS: Gauge, 1 = Desc::gauge(
        "vigie_rule_alerts",
        "Alerts by state: pending, firing, and unknown (fired before its source became unreadable, or its rule fails).",
        &["state"],
    ).max_series(3);

    /// Refused alerts.
    RULE_ALERTS_REFUSED: Counter, 0 = Desc::counter(
        "vigie_rule_alerts_refused_total",
        "Alerts that were not kept, because there are alerts.max_alerts or their labels are too long, and alerts that the notifier refused.",
        &[],
    );

    /// Failed templates.
    RULE_TEMPLATE_FAILURES: Counter, 0 = Desc::counter(
        "vigie_rule_template_failures_total",
        "Labels and annotations of alerts whose template failed; they show the error.",
        &[],
    );

    /// Whether the state is written to disk.
    RULE_STATE_DISK_UP: Gauge, 0 = Desc::gauge(
        "vigie_rule_state_disk_up",
        "1 when the state of alerts is written to disk, 0 when it cannot be written. Absent without alerts.path and history.path.",
        &[],
    );

    /// Whether the last reload succeeded.
    RELOAD_SUCCESSFUL: Gauge, 0 = Desc::gauge(
        "vigie_config_last_reload_successful",
        "1 if the rule files and the receivers in use are those of the last reload or of the start, 0 if the last reload failed and the previous ones are in use.",
        &[],
    );

    /// The time of the last successful reload.
    RELOAD_SUCCESS_TIME: Gauge, 0 = Desc::gauge(
        "vigie_config_last_reload_success_timestamp_seconds",
        "Unix time at which the rule files and the receivers in use were read.",
        &[],
    );
}
