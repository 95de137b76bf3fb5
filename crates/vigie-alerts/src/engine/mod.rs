//! The rule engine: evaluates groups of rules, as a state machine over (time, samples).
//!
//! A [`Group`] holds the rules of one group of a file with their state. The caller evaluates it at the times that
//! [`Group::next`] gives, passes a [`Context`] through which the rules read and write samples, and passes the resulting
//! [`Update`]s to the notifier. The engine does no I/O and reads no clock.
//!
//! ```text
//! Group ─► Rule ─► recording: samples ──────────────────────────► Context::write
//!               └► alerting: alerts ─► verdict (Prometheus') ─► ALERTS ─┘
//!                                   └► report (unknown is not resolved) ─► Update
//! ```
//!
//! # Verdict and report
//!
//! An alert has two states. Its *verdict* is Prometheus': pending, firing or inactive; `ALERTS`, `ALERTS_FOR_STATE` and
//! Prometheus' API show it. Its *report* is the state passed to the notifier. They differ while a source cannot be read: a
//! firing alert whose series disappears, although a metric of its expression [cannot be
//! read](Context::unreadable_since), is inactive by verdict and *unknown* by report. It resolves once an evaluation
//! with readable metrics does not return it, and it continues, with the same start, if it is returned again. A failed
//! evaluation makes the reported alerts unknown, too.
//!
//! Metrics count as readable again only when the longest range of the expression holds as many samples as without the
//! outage: not before the range lies after the outage, unless it also extends to before it. `rate(x[5m]) > 1` selects a
//! single sample after an outage of an hour, and no sample says that the condition is false.
//!
//! # Updates
//!
//! An evaluation returns an [`Update`] for each alert whose report, value or annotations changed, and none for the
//! others: with 10,000 alerts, repeating all of them at every evaluation would cost more than evaluating them.
//! [`Group::updates`] returns all current ones, for a notifier that starts or takes over; it includes those resolved in
//! the last 15 minutes.
//!
//! # Time
//!
//! Evaluations that were missed are counted ([`Group::missed`]) and not made up for. Between a saved state and the first
//! evaluation after [`Group::restore`], more than one interval does not count towards `for` and `keep_firing_for`.

mod alerting;
mod group;
mod recording;
mod reload;
mod rule;
mod saved;
mod schedule;
mod select;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;
use std::time::Duration;

use vigie_promql::storage::Selection;
use vigie_promql::{Expr, Features, Labels, Matcher, Value};

pub use alerting::{ActiveAlert, AlertState};
pub use group::Group;
pub use reload::Closed;
pub use rule::{Health, Rule};
pub use saved::SavedGroup;
pub use select::metrics;

/// Milliseconds since the Unix epoch.
pub type Time = i64;

/// How long a resolved alert is kept in [`Group::updates`].
pub const RESOLVED_RETENTION: Duration = Duration::from_secs(15 * 60);

/// The source and destination of samples during an evaluation.
pub trait Context {
    /// Evaluates an instant query.
    ///
    /// # Errors
    /// The reason, for people.
    fn query(&self, expr: &Expr, at: Time) -> Result<Value, String>;

    /// Writes the samples of one rule, which the queries of later rules at the same time must see. Stale markers are
    /// among them.
    ///
    /// # Errors
    /// The reason for which some were refused. The rule is marked as failed; its alerts are not affected.
    fn write(&mut self, samples: &[Sample]) -> Result<(), String>;

    /// Since when the source of the selected series cannot be read, if it cannot be read at `at`. The results of a
    /// recording rule inherit from the [`metrics`] of its expression.
    fn unreadable_since(&self, matchers: &[Matcher], at: Time) -> Option<Time>;

    /// Whether any series has a sample in the selected time.
    fn has_series(&self, selection: &Selection<'_>) -> bool;

    /// A clock that never goes back, for the durations of evaluations.
    fn elapsed(&self) -> Duration;

    /// Takes the place of one more alert of a rule that has this many, if there is one left over all groups. The places of alerts
    /// that ended are given back by the caller, who counts the alerts of the group before and after.
    fn admit(&self, _alerts_of_rule: usize) -> bool {
        true
    }
}

/// The settings that all groups share.
#[derive(Clone, Debug)]
pub struct Defaults {
    /// The interval of groups without one.
    pub interval: Duration,
    /// The query offset of groups without one.
    pub query_offset: Duration,
    /// Labels that alerts get when they are reported, unless they have them.
    pub external_labels: Labels,
    /// The URL at which users reach the page, without a trailing slash.
    pub external_url: Arc<str>,
    /// The part of PromQL that the templates of labels and annotations may use.
    pub features: Features,
    /// The bounds.
    pub limits: Limits,
}

impl Default for Defaults {
    /// An interval of a minute, as in Prometheus.
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            query_offset: Duration::ZERO,
            external_labels: Labels::empty(),
            external_url: "".into(),
            features: Features::Stable,
            limits: Limits::default(),
        }
    }
}

/// The bounds of a rule. An alert that exceeds one is refused, and counted in [`Evaluation::refused`].
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The alerts of a rule.
    pub alerts: usize,
    /// The names and values of the labels of an alert, in bytes.
    pub label_bytes: usize,
    /// The expanded annotations of an alert, in bytes. An annotation that exceeds them shows an error.
    pub annotation_bytes: usize,
}

impl Limits {
    pub(crate) const UNLIMITED: Self = Self {
        alerts: usize::MAX,
        label_bytes: usize::MAX,
        annotation_bytes: 64 << 10,
    };
}

impl Default for Limits {
    /// 10,000 alerts of at most 4 KiB of labels and 16 KiB of annotations.
    fn default() -> Self {
        Self {
            alerts: 10_000,
            label_bytes: 4 << 10,
            annotation_bytes: 16 << 10,
        }
    }
}

/// A sample of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The labels, with the name of the metric.
    pub labels: Labels,
    /// The time.
    pub time: Time,
    /// The value, possibly a stale marker.
    pub value: f64,
}

/// Names and values.
pub type Pairs = Arc<[(Arc<str>, Arc<str>)]>;

/// A change of a reported alert, in the form that the notifier expects.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// The labels, which identify the alert; external labels are among them.
    pub labels: Labels,
    /// The annotations.
    pub annotations: Pairs,
    /// The time it began to fire.
    pub starts_at: Time,
    /// The time it resolved; `None` while it fires or is unknown.
    pub ends_at: Option<Time>,
    /// Since when its state is unknown. It counts as firing.
    pub unknown_since: Option<Time>,
    /// The value of the expression: while it fires the latest one; when it resolved, that of the compared operand at
    /// this time, if the expression is a comparison.
    pub value: Option<f64>,
    /// The URL that shows the expression.
    pub generator_url: Arc<str>,
}

/// The result of [`Group::evaluate`]. The samples were passed to [`Context::write`].
#[derive(Debug, Default)]
pub struct Evaluation {
    /// The changes of alerts, in the order of the rules.
    pub updates: Vec<Update>,
    /// The samples written, without stale markers.
    pub samples: usize,
    /// The rules that failed; [`Rule::last_error`] has the reasons.
    pub failures: usize,
    /// The templates that failed; their text is the error.
    pub template_failures: usize,
    /// The alerts that exceeded a bound.
    pub refused: usize,
    /// Whether the saved state differs from the one before, apart from values and annotations.
    pub changed: bool,
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
