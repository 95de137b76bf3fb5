//! Intended exceptions to the rules, with reasons.

use crate::model::Dashboard;

/// Findings that are intended.
pub(super) struct Exception {
    /// The rule.
    pub(super) rule: &'static str,
    /// The dashboard.
    pub(super) file: &'static str,
    /// Panels, by their titles; `""` is the dashboard itself.
    pub(super) places: &'static [&'static str],
    /// The reason.
    #[expect(dead_code, reason = "people read it")]
    reason: &'static str,
}

impl Exception {
    pub(super) fn covers(&self, rule: &str, dashboard: &Dashboard, place: &str) -> bool {
        self.rule == rule && self.file == dashboard.file && self.places.contains(&place)
    }
}

const OVERVIEW: &str = "vigie.json";
const ALL_EIGHT: &[&str] = &[
    "HTTP p95",
    "Error rate",
    "Jobs by state",
    "Failed jobs",
    "Mean duration",
    "Tick p99",
    "Active connections",
    "Variations",
];
const VERBATIM: &str = "The specification's expression is used verbatim and has no such matcher. The ad hoc variable `filters` adds \
     job, instance or any other to every query when it is run.";
pub(super) const EXCEPTIONS: &[Exception] = &[
    Exception {
        rule: "target-job",
        file: OVERVIEW,
        places: ALL_EIGHT,
        reason: VERBATIM,
    },
    Exception {
        rule: "target-instance",
        file: OVERVIEW,
        places: ALL_EIGHT,
        reason: VERBATIM,
    },
    Exception {
        rule: "target-rate-interval",
        file: OVERVIEW,
        places: &[
            "HTTP p95",
            "Error rate",
            "Failed jobs",
            "Mean duration",
            "Tick p99",
        ],
        reason: "The specification says 5m, which the alerts look back too: the panel shows what the alert sees, whatever the zoom.",
    },
    Exception {
        rule: "target-counter-agg",
        file: OVERVIEW,
        places: &["Jobs by state"],
        reason: "queue_jobs_total is not a counter but untyped: the states a job stays in are levels, and the panel shows them as they are.",
    },
];
