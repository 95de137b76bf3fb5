//! The result of a test.

use std::time::Duration;

use vigie_promql::Labels;

use super::file::Alert;
use crate::finding::Span;

/// The result of one test.
#[derive(Debug)]
pub struct Outcome {
    /// The position of the test.
    pub span: Span,
    /// Its name.
    pub name: Option<String>,
    /// Empty if the test passed.
    pub failures: Vec<Failure>,
}

/// A failure of a test.
#[derive(Debug)]
pub enum Failure {
    /// A rule failed, which ends the test.
    Rule {
        /// The name of the rule.
        rule: String,
        /// The time since the start of the test.
        at: Duration,
        /// The reason.
        error: String,
    },
    /// Other alerts fire than expected.
    Alerts {
        /// The position of the alert's name.
        span: Span,
        /// The name of the alerts.
        name: String,
        /// The time since the start of the test.
        at: Duration,
        /// The expected alerts that do not fire.
        missing: Vec<Alert>,
        /// The firing alerts that are not expected.
        unexpected: Vec<Alert>,
    },
    /// An expression returns other samples than expected.
    Samples {
        /// The position of the expression.
        span: Span,
        /// The expression.
        expr: String,
        /// The time since the start of the test.
        at: Duration,
        /// The expected samples that are not returned.
        missing: Vec<(Labels, f64)>,
        /// The samples that are not expected.
        unexpected: Vec<(Labels, f64)>,
    },
    /// An expression cannot be evaluated.
    Query {
        /// The position of the expression.
        span: Span,
        /// The expression.
        expr: String,
        /// The time since the start of the test.
        at: Duration,
        /// The reason.
        error: String,
    },
    /// The test needs more evaluations than a test may have.
    TooLong,
    /// An input series cannot be loaded.
    Input {
        /// The reason.
        error: String,
    },
}
