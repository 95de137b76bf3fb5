//! One rule with its state.

mod outcome;
mod pass;
mod view;

use std::sync::Arc;

use vigie_promql::Expr;

use super::alerting::{Alerting, Durations};
use super::recording::Recording;
use super::select::{Selected, selectors};
use super::text::Text;
use super::{Context, Defaults, Evaluation, millis};
use crate::rules;
use crate::template::exec::table_link;
pub use outcome::Health;
use outcome::Outcome;
pub(super) use pass::{Pass, Produced, Produces, stale, vector};

/// A rule with its state.
#[derive(Debug)]
pub struct Rule {
    pub(super) name: Arc<str>,
    expr: Expr,
    pub(super) query: Arc<str>,
    /// The labels of the rule, and the labels of the group that the rule does not set.
    labels: Vec<(Arc<str>, Text)>,
    pub(super) kind: Kind,
    pub(super) generator_url: Arc<str>,
    selectors: Vec<Selected>,
    window: i64,
    pub(super) outcome: Outcome,
}

#[derive(Debug)]
pub(super) enum Kind {
    Record(Recording),
    Alert(Alerting),
}

impl Rule {
    pub(super) fn new(rule: &rules::Rule, group: &rules::Group, defaults: &Defaults) -> Self {
        let is_alert = matches!(rule.kind, rules::RuleKind::Alert { .. });
        let text = |entry: &rules::Entry| match is_alert {
            true => Text::template(entry),
            false => Text::literal(entry),
        };
        let named = |entry: &rules::Entry| (Arc::<str>::from(&*entry.key), text(entry));
        let inherited = group.labels.iter().filter(|label| {
            let mut own = rule.labels.iter();
            !own.any(|own| *own.key == *label.key)
        });
        let mut labels: Vec<_> = inherited.chain(&rule.labels).map(named).collect();
        labels.sort_by(|(a, _), (b, _)| a.cmp(b));
        let kind = match &rule.kind {
            rules::RuleKind::Record { .. } => Kind::Record(Recording::default()),
            rules::RuleKind::Alert {
                hold,
                keep_firing,
                annotations,
                ..
            } => {
                let mut annotations: Vec<_> = annotations.iter().map(named).collect();
                annotations.sort_by(|(a, _), (b, _)| a.cmp(b));
                let durations = Durations {
                    hold: millis(*hold),
                    keep_firing: millis(*keep_firing),
                };
                Kind::Alert(Alerting::new(durations, annotations))
            }
        };
        let expr = rule.expr.tree.clone();
        let query: Arc<str> = expr.to_string().into();
        let generator_url = format!("{}{}", defaults.external_url, table_link(&query));
        let selectors = selectors(&expr);
        let ranges = selectors.iter().filter(|selected| !selected.fixed);
        let window = ranges
            .map(|selected| selected.from)
            .max()
            .unwrap_or(0)
            .max(0);
        Self {
            name: (**rule.name()).into(),
            expr,
            query,
            labels,
            kind,
            generator_url: generator_url.into(),
            selectors,
            window,
            outcome: Outcome::default(),
        }
    }

    /// Whether both rules are the same, possibly with another expression, `for` or annotations, as in Prometheus.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.is_alert() == other.is_alert()
            && self.name == other.name
            && self.labels().eq(other.labels())
    }

    /// The state of an alerting rule.
    pub(super) fn alerting(&self) -> Option<&Alerting> {
        match &self.kind {
            Kind::Record(_) => None,
            Kind::Alert(alerting) => Some(alerting),
        }
    }

    pub(super) fn alerting_mut(&mut self) -> Option<&mut Alerting> {
        match &mut self.kind {
            Kind::Record(_) => None,
            Kind::Alert(alerting) => Some(alerting),
        }
    }

    pub(super) fn evaluate(
        &mut self,
        pass: &Pass<'_>,
        context: &mut dyn Context,
        out: &mut Evaluation,
    ) {
        let began = context.elapsed();
        let rule = Produces {
            name: &self.name,
            expr: &self.expr,
            labels: &self.labels,
            generator_url: &self.generator_url,
            selectors: &self.selectors,
            window: self.window,
        };
        let produced = match &mut self.kind {
            Kind::Record(recording) => recording.evaluate(&rule, pass, context),
            Kind::Alert(alerting) => {
                let produced = alerting.evaluate(&rule, pass, context, out);
                if produced.is_err() {
                    alerting.fail(&rule, pass, out);
                }
                produced
            }
        };
        let result = produced.and_then(|mut produced| {
            out.changed |= produced.changed;
            out.samples += produced.samples.len();
            let written = produced.write(pass.query_at, context);
            written.and(produced.problem.map_or(Ok(()), Err))
        });
        out.failures += usize::from(result.is_err());
        let outcome = &mut self.outcome;
        outcome.look_up(&self.selectors, pass.query_at, context);
        outcome.health = match result {
            Ok(()) => Health::Good,
            Err(_) => Health::Bad,
        };
        outcome.error = result.err();
        outcome.at = Some(pass.at);
        outcome.took = context.elapsed().saturating_sub(began);
    }
}
