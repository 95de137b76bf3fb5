//! The content of a unit-test file.

use std::time::Duration;

use vigie_promql::script::notation::Point;
use vigie_promql::{Expr, Features, Labels};

use crate::engine::Time;
use crate::finding::{Finding, Span};
use crate::yaml::Text;

/// A unit-test file.
#[derive(Debug)]
pub struct UnitFile {
    /// The paths of the rule files, possibly with wildcards, relative to the file.
    pub rule_files: Vec<Text>,
    pub(super) interval: Duration,
    /// The names of groups in the order of their evaluation.
    pub(super) order: Vec<Text>,
    /// Whether neighbouring numbers are equal.
    pub(super) fuzzy: bool,
    /// The part of PromQL that expressions may use.
    pub(super) features: Features,
    /// The tests, in the order of the file.
    pub tests: Vec<Test>,
}

/// A test: series, and the expected alerts and samples.
#[derive(Debug)]
pub struct Test {
    /// Its position.
    pub span: Span,
    /// Its name.
    pub name: Option<Text>,
    pub(super) interval: Duration,
    pub(super) start: Time,
    pub(super) series: Vec<(Labels, Vec<Point>)>,
    pub(super) alerts: Vec<AlertTest>,
    pub(super) exprs: Vec<ExprTest>,
    pub(super) external_labels: Labels,
    pub(super) external_url: String,
}

/// The firing alerts of one name that are expected at some time.
#[derive(Debug)]
pub(super) struct AlertTest {
    pub(super) span: Span,
    pub(super) at: Duration,
    pub(super) name: Text,
    pub(super) expected: Vec<Alert>,
}

/// Labels and annotations, sorted; empty values are kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alert {
    /// The labels, with `alertname`.
    pub labels: Vec<(String, String)>,
    /// The annotations.
    pub annotations: Vec<(String, String)>,
}

/// The samples that an expression is expected to return at some time.
#[derive(Debug)]
pub(super) struct ExprTest {
    pub(super) span: Span,
    pub(super) at: Duration,
    pub(super) text: Text,
    pub(super) expr: Expr,
    pub(super) expected: Vec<(Labels, f64)>,
}

/// The result of loading a file.
#[derive(Debug)]
pub struct Loaded {
    /// The file; without the parts that have mistakes.
    pub file: UnitFile,
    /// The mistakes, in the order of the file.
    pub findings: Vec<Finding>,
    /// Whether this is a rule file, and not a unit-test file.
    pub is_rule_file: bool,
}
