//! A group of rules with their state.

use std::sync::Arc;
use std::time::Duration;

use super::alerting::Alerting;
use super::rule::{Pass, Rule};
use super::schedule::Schedule;
use super::{Context, Defaults, Evaluation, Time, Update, millis};
use crate::rules;

/// The rules of a group, which are evaluated one after the other at the same time.
#[derive(Debug)]
pub struct Group {
    pub(super) file: Arc<str>,
    pub(super) name: Arc<str>,
    schedule: Schedule,
    query_offset: i64,
    limit: u64,
    pub(super) defaults: Defaults,
    pub(super) rules: Vec<Rule>,
    pub(super) last: Option<Time>,
    took: Duration,
    /// The last evaluation before a restart, until the first one after it.
    pub(super) resumed: Option<Time>,
}

impl Group {
    /// A group of the file of this name, without alerts.
    #[must_use]
    pub fn new(file: &str, group: &rules::Group, defaults: &Defaults) -> Self {
        let interval = millis(group.interval.unwrap_or(defaults.interval));
        let query_offset = group.query_offset.unwrap_or(defaults.query_offset);
        let rules = group.rules.iter();
        Self {
            file: file.into(),
            name: (*group.name).into(),
            schedule: Schedule::new(file, &group.name, interval),
            query_offset: millis(query_offset),
            limit: group.limit,
            defaults: defaults.clone(),
            rules: rules.map(|rule| Rule::new(rule, group, defaults)).collect(),
            last: None,
            took: Duration::ZERO,
            resumed: None,
        }
    }

    /// The file and the name, which identify the group.
    #[must_use]
    pub fn id(&self) -> (&str, &str) {
        (&self.file, &self.name)
    }

    /// The interval of evaluations.
    #[must_use]
    pub fn interval(&self) -> Duration {
        Duration::from_millis(self.schedule.interval().unsigned_abs())
    }

    /// The maximum number of alerts or series of a rule; 0 is unlimited.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// The first evaluation after `after`. Groups are spread over their interval, always in the same way.
    #[must_use]
    pub fn next(&self, after: Time) -> Time {
        self.schedule.next(after)
    }

    /// The number of evaluations that were missed between one at `last` and one at `now`.
    #[must_use]
    pub fn missed(&self, last: Time, now: Time) -> u64 {
        self.schedule.missed(last, now)
    }

    /// The last evaluation, possibly before a restart.
    #[must_use]
    pub fn last_evaluation(&self) -> Option<Time> {
        self.last
    }

    /// How long the last evaluation took.
    #[must_use]
    pub fn evaluation_duration(&self) -> Duration {
        self.took
    }

    /// The rules, in the order of evaluation.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.rules.iter()
    }

    /// The number of alerts that are active or reported.
    #[must_use]
    pub fn alert_count(&self) -> usize {
        let alerts = self
            .alerting()
            .flat_map(|(_, alerting)| alerting.alerts.values());
        alerts.filter(|alert| alert.is_current()).count()
    }

    /// The current updates of all alerts: those that fire, are unknown, or resolved recently.
    pub fn updates(&self) -> impl Iterator<Item = Update> {
        let external = &self.defaults.external_labels;
        let alerting = self.alerting();
        alerting.flat_map(move |(rule, alerting)| alerting.updates(external, rule.generator_url()))
    }

    fn alerting(&self) -> impl Iterator<Item = (&Rule, &Alerting)> {
        let rules = self.rules.iter();
        rules.filter_map(|rule| Some((rule, rule.alerting()?)))
    }

    /// Evaluates all rules at `at`, which should be later than the last evaluation.
    pub fn evaluate(&mut self, at: Time, context: &mut dyn Context) -> Evaluation {
        let began = context.elapsed();
        let mut evaluation = Evaluation::default();
        self.resume(at);
        let pass = Pass {
            at,
            query_at: self.query_time(at),
            limit: self.limit,
            defaults: &self.defaults,
        };
        for rule in &mut self.rules {
            rule.evaluate(&pass, context, &mut evaluation);
        }
        self.last = Some(at);
        self.took = context.elapsed().saturating_sub(began);
        evaluation
    }

    pub(super) fn query_time(&self, at: Time) -> Time {
        at.saturating_sub(self.query_offset)
    }

    /// Excludes the time between a restart and the evaluation at `at` from `for` and `keep_firing_for`.
    fn resume(&mut self, at: Time) {
        let Some(before) = self.resumed.take() else {
            return;
        };
        let gap = at.saturating_sub(before);
        let pause = gap.saturating_sub(self.schedule.interval());
        if pause <= 0 {
            return;
        }
        for alerting in self.rules.iter_mut().filter_map(Rule::alerting_mut) {
            let alerts = alerting.alerts.values_mut();
            alerts.for_each(|alert| alert.state.pause(pause));
        }
    }
}
