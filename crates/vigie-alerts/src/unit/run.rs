//! Runs the tests of a file.

use std::time::Duration;

use vigie_promql::Labels;

use super::file::{Alert, AlertTest, ExprTest, Test, UnitFile};
use super::input::Input;
use super::outcome::{Failure, Outcome};
use super::samples::Samples;
use crate::engine::{AlertState, Context as _, Defaults, Group, Limits, millis};
use crate::rules::RuleFile;

/// The most evaluations of a test: a week of seconds.
const MAX_EVALUATIONS: i64 = 604_800;

/// Runs all tests of a file with the rules of its files, each with its path.
#[must_use]
pub fn run(file: &UnitFile, rules: &[(&str, &RuleFile)]) -> Vec<Outcome> {
    let tests = file.tests.iter();
    let outcomes = tests.map(|test| Outcome {
        span: test.span.clone(),
        name: test.name.as_ref().map(|name| name.to_string()),
        failures: Run::new(file, test, rules).run(),
    });
    outcomes.collect()
}

/// A test that runs.
struct Run<'a> {
    file: &'a UnitFile,
    test: &'a Test,
    groups: Vec<Group>,
    samples: Samples,
    input: Input<'a>,
    failures: Vec<Failure>,
}

impl<'a> Run<'a> {
    fn new(file: &'a UnitFile, test: &'a Test, rules: &[(&str, &RuleFile)]) -> Self {
        let defaults = Defaults {
            interval: file.interval,
            external_labels: test.external_labels.clone(),
            external_url: test.external_url.trim_end_matches('/').into(),
            features: file.features,
            limits: Limits::UNLIMITED,
            ..Defaults::default()
        };
        let mut groups = Vec::new();
        for (path, rules) in rules {
            let groups_of_file = rules.groups.iter();
            groups.extend(groups_of_file.map(|group| Group::new(path, group, &defaults)));
        }
        // As in Prometheus, groups that are not listed come first, together with the first one that is.
        let place = |group: &Group| {
            let mut order = file.order.iter();
            order.position(|name| **name == *group.id().1).unwrap_or(0)
        };
        groups.sort_by_key(place);
        Self {
            file,
            test,
            groups,
            samples: Samples::new(file.interval),
            input: Input::new(test),
            failures: Vec::new(),
        }
    }

    fn run(mut self) -> Vec<Failure> {
        let alerts = self.test.alerts.iter().map(|test| test.at);
        let exprs = self.test.exprs.iter().map(|test| test.at);
        let last = millis(alerts.chain(exprs).max().unwrap_or_default());
        let interval = millis(self.file.interval);
        if last / interval >= MAX_EVALUATIONS {
            return vec![Failure::TooLong];
        }
        let mut tests: Vec<_> = self.test.alerts.iter().collect();
        tests.sort_by_key(|test| test.at);
        let mut tests = tests.into_iter().peekable();
        for since in (0..=last).step_by(usize::try_from(interval).unwrap_or(1)) {
            if !self.evaluate(since) {
                return self.failures;
            }
            let next = since.saturating_add(interval);
            while let Some(test) = tests.next_if(|test| millis(test.at) < next) {
                self.check_alerts(test);
            }
        }
        for test in &self.test.exprs {
            self.check_samples(test);
        }
        self.failures
    }

    /// Evaluates all groups; `false` if a rule failed.
    fn evaluate(&mut self, since: i64) -> bool {
        let at = self.test.start.saturating_add(since);
        if let Err(error) = self.input.load(since, &mut self.samples) {
            self.failures.push(Failure::Input { error });
        }
        let mut passed = true;
        for group in &mut self.groups {
            group.evaluate(at, &mut self.samples);
            for rule in group.rules() {
                if let Some(error) = rule.last_error() {
                    passed = false;
                    self.failures.push(Failure::Rule {
                        rule: rule.name().to_owned(),
                        at: duration(since),
                        error: error.to_owned(),
                    });
                }
            }
        }
        passed
    }

    fn check_alerts(&mut self, test: &AlertTest) {
        let rules = self.groups.iter().flat_map(Group::rules);
        let alerts = rules.filter(|rule| rule.is_alert() && *rule.name() == *test.name);
        let firing = alerts
            .flat_map(|rule| rule.alerts())
            .filter(|alert| alert.state == Some(AlertState::Firing));
        let mut found: Vec<_> = firing
            .map(|alert| {
                let annotations = alert.annotations.iter();
                let annotations =
                    annotations.map(|(name, value)| (name.to_string(), value.to_string()));
                let labels = alert.labels.iter();
                let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
                Alert {
                    labels: labels.collect(),
                    annotations: annotations.collect(),
                }
            })
            .collect();
        found.sort();
        let (missing, unexpected) = difference(&test.expected, found, |a, b| a == b);
        if !missing.is_empty() || !unexpected.is_empty() {
            self.failures.push(Failure::Alerts {
                span: test.span.clone(),
                name: test.name.to_string(),
                at: test.at,
                missing,
                unexpected,
            });
        }
    }

    fn check_samples(&mut self, test: &ExprTest) {
        let at = self.test.start.saturating_add(millis(test.at));
        let value = self.samples.query(&test.expr, at);
        let found = value.and_then(|value| {
            let samples = value.into_vector();
            samples.ok_or_else(|| "the result is not a vector or scalar".to_owned())
        });
        let (span, expr) = (test.span.clone(), test.text.to_string());
        match found {
            Err(error) => self.failures.push(Failure::Query {
                span,
                expr,
                at: test.at,
                error,
            }),
            Ok(found) => {
                let found = found.into_iter().map(|one| (one.labels, one.value));
                let found = found.collect();
                let fuzzy = self.file.fuzzy;
                let same =
                    |a: &(Labels, f64), b: &(Labels, f64)| a.0 == b.0 && equal(a.1, b.1, fuzzy);
                let (missing, unexpected) = difference(&test.expected, found, same);
                if !missing.is_empty() || !unexpected.is_empty() {
                    self.failures.push(Failure::Samples {
                        span,
                        expr,
                        at: test.at,
                        missing,
                        unexpected,
                    });
                }
            }
        }
    }
}

/// The expected items that were not found, and the found ones that were not expected.
fn difference<T: Clone>(
    expected: &[T],
    mut found: Vec<T>,
    same: impl Fn(&T, &T) -> bool,
) -> (Vec<T>, Vec<T>) {
    let mut missing = Vec::new();
    for wanted in expected {
        match found.iter().position(|one| same(wanted, one)) {
            Some(at) => {
                found.remove(at);
            }
            None => missing.push(wanted.clone()),
        }
    }
    (missing, found)
}

/// Whether two values are the same; NaN is not the same as NaN.
fn equal(a: f64, b: f64, fuzzy: bool) -> bool {
    a == b || (fuzzy && (a.next_up() == b || a.next_down() == b))
}

fn duration(millis: i64) -> Duration {
    Duration::from_millis(millis.max(0).unsigned_abs())
}
