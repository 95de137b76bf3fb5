//! The data of a rule for the API and for the metrics.

use std::sync::Arc;
use std::time::Duration;

use super::super::Time;
use super::super::alerting::{ActiveAlert, Alerting, Durations};
use super::{Health, Rule};

impl Rule {
    /// The name of the alert or of the recorded metric.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is an alerting rule.
    #[must_use]
    pub fn is_alert(&self) -> bool {
        self.alerting().is_some()
    }

    /// The expression as Prometheus prints it.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.query
    }

    /// `for`; zero for a recording rule.
    #[must_use]
    pub fn hold(&self) -> Duration {
        self.duration_of(|durations| durations.hold)
    }

    /// `keep_firing_for`; zero for a recording rule.
    #[must_use]
    pub fn keep_firing(&self) -> Duration {
        self.duration_of(|durations| durations.keep_firing)
    }

    fn duration_of(&self, field: impl Fn(&Durations) -> i64) -> Duration {
        let millis = self.alerting().map_or(0, |rule| field(&rule.durations));
        Duration::from_millis(millis.max(0).unsigned_abs())
    }

    /// The labels as in the file, sorted by name; those of the group are among them.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.labels
            .iter()
            .map(|(name, text)| (&**name, &*text.source))
    }

    /// The annotations as in the file, sorted by name.
    pub fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        let annotations = self.alerting().map(|rule| &rule.annotations);
        let annotations = annotations.into_iter().flatten();
        annotations.map(|(name, text)| (&**name, &*text.source))
    }

    /// Whether the last evaluation succeeded.
    #[must_use]
    pub fn health(&self) -> Health {
        self.outcome.health
    }

    /// The error of the last evaluation, if it failed.
    #[must_use]
    pub fn last_error(&self) -> Option<&str> {
        self.outcome.error.as_deref()
    }

    /// The time of the last evaluation.
    #[must_use]
    pub fn last_evaluation(&self) -> Option<Time> {
        self.outcome.at
    }

    /// How long the last evaluation took.
    #[must_use]
    pub fn evaluation_duration(&self) -> Duration {
        self.outcome.took
    }

    /// The selectors that selected no series when they were last looked up, at most five minutes before the last
    /// evaluation. The expression may be empty because of them.
    pub fn unmatched_selectors(&self) -> impl Iterator<Item = &str> {
        let indices = self.outcome.unmatched.iter();
        indices.map(|index| &*self.selectors[*index].text)
    }

    /// The alerts that are pending, fire or are unknown, sorted by labels.
    pub fn alerts(&self) -> impl Iterator<Item = ActiveAlert<'_>> {
        self.alerting().into_iter().flat_map(Alerting::active)
    }

    /// The URL that shows the expression.
    pub(in crate::engine) fn generator_url(&self) -> &Arc<str> {
        &self.generator_url
    }
}
