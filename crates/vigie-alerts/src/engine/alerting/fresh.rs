//! The alerts that the expression returns, with their labels and annotations.

use std::collections::BTreeMap;
use std::sync::Arc;

use vigie_promql::{Labels, METRIC_NAME};

use super::super::rule::{Pass, Produces, vector};
use super::super::text::{Expander, Text};
use super::super::{Context, Evaluation, Pairs};
use super::{ALERT_NAME, Alert, Alerting};

/// An alert as returned by an evaluation.
pub(super) struct Fresh {
    pub(super) annotations: Pairs,
    pub(super) value: f64,
}

impl Alerting {
    /// The alerts that the expression returns, and the number of those beyond the bounds.
    pub(super) fn fresh(
        &self,
        rule: &Produces<'_>,
        pass: &Pass<'_>,
        context: &dyn Context,
        out: &mut Evaluation,
    ) -> Result<(BTreeMap<Labels, Fresh>, usize), String> {
        let samples = vector(context.query(rule.expr, pass.query_at)?)?;
        let expander = Expander::new(rule.name, pass.defaults, pass.at, context);
        let limits = pass.defaults.limits;
        let current = self.alerts.values().filter(|alert| alert.is_current());
        let mut count = current.count();
        let mut fresh = BTreeMap::new();
        let mut refused = 0;
        let alert_name: Arc<str> = ALERT_NAME.into();
        let literal = self.literal_annotations();
        for sample in samples {
            let texts = expander.of(&sample);
            let set = rule.labels.iter().map(|(name, text)| {
                let value = texts.expand(text, limits.label_bytes);
                (Arc::clone(name), value)
            });
            let own = sample.labels.pairs().iter().cloned();
            let own = own.filter(|(name, _)| **name != *METRIC_NAME);
            let name = (Arc::clone(&alert_name), Arc::clone(rule.name));
            let labels = Labels::new(own.chain(set).chain([name]));
            let known = self.alerts.get(&labels).is_some_and(Alert::is_current);
            if fresh.contains_key(&labels) {
                let reason =
                    "vector contains metrics with the same labelset after applying alert labels";
                return Err(reason.to_owned());
            }
            let fits = |count| count < limits.alerts && bytes(&labels) <= limits.label_bytes;
            if !(known || fits(count) && context.admit(count)) {
                refused += 1;
                continue;
            }
            if !known {
                count += 1;
            }
            let annotations = match &literal {
                Some(literal) => Arc::clone(literal),
                None => {
                    let mut left = limits.annotation_bytes;
                    let annotations = self.annotations.iter().map(|(name, text)| {
                        let value = texts.expand(text, left);
                        if text.is_template() {
                            left = left.saturating_sub(value.len());
                        }
                        (Arc::clone(name), value)
                    });
                    annotations.collect()
                }
            };
            let value = sample.value;
            fresh.insert(labels, Fresh { annotations, value });
        }
        out.template_failures += expander.failures();
        Ok((fresh, refused))
    }

    /// The annotations, if they do not depend on the sample.
    fn literal_annotations(&self) -> Option<Pairs> {
        let literal = |(_, text): &(_, Text)| !text.is_template();
        let pairs = self.annotations.iter();
        let pairs = pairs.map(|(name, text)| (Arc::clone(name), Arc::clone(&text.source)));
        self.annotations
            .iter()
            .all(literal)
            .then(|| pairs.collect())
    }
}

fn bytes(labels: &Labels) -> usize {
    labels
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum()
}
