//! The metrics of readiness checks.

use vigie_metrics::{Desc, Gauge, descriptions};

descriptions! {
    /// The last verdict of a check.
    CHECK_UP: Gauge, 1 = Desc::gauge(
        "vigie_check_up",
        "Last verdict of a readiness check: 1 passed, 0 failed or stale.",
        &["check"],
    ).max_series(2_000);

    /// The duration of the last run of a check.
    CHECK_DURATION: Gauge, 1 = Desc::gauge(
        "vigie_check_duration_seconds",
        "How long the last run of a readiness check took.",
        &["check"],
    ).max_series(2_000);

    /// The time of the last successful run of a check.
    CHECK_LAST_SUCCESS: Gauge, 1 = Desc::gauge(
        "vigie_check_last_success_timestamp_seconds",
        "Unix time at which a readiness check last passed.",
        &["check"],
    ).max_series(2_000);
}
