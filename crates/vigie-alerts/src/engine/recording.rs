//! Recording rules.

use std::collections::HashSet;
use std::sync::Arc;

use vigie_promql::{Labels, METRIC_NAME};

use super::Sample;
use super::rule::{Pass, Produced, Produces, vector};

/// The state of a recording rule.
#[derive(Debug, Default)]
pub(super) struct Recording {
    /// The series of the last evaluation that succeeded.
    pub(super) series: HashSet<Labels>,
}

impl Recording {
    /// The samples of an evaluation.
    pub(super) fn evaluate(
        &mut self,
        rule: &Produces<'_>,
        pass: &Pass<'_>,
        context: &dyn super::Context,
    ) -> Result<Produced, String> {
        let found = vector(context.query(rule.expr, pass.query_at)?)?;
        let mut series = HashSet::with_capacity(found.len());
        let mut samples = Vec::with_capacity(found.len());
        let name: Arc<str> = METRIC_NAME.into();
        for one in found {
            let set = rule.labels.iter().map(|(name, text)| (name, &text.source));
            let set = [(&name, rule.name)].into_iter().chain(set);
            let own = one.labels.pairs().iter().map(|(name, value)| (name, value));
            let labels = own
                .chain(set)
                .map(|(name, value)| (Arc::clone(name), Arc::clone(value)));
            let labels = Labels::new(labels);
            if !series.insert(labels.clone()) {
                let reason =
                    "vector contains metrics with the same labelset after applying rule labels";
                return Err(reason.to_owned());
            }
            samples.push(Sample {
                labels,
                time: pass.query_at,
                value: one.value,
            });
        }
        let count = samples.len();
        if pass.limit > 0 && count as u64 > pass.limit {
            return Err(format!(
                "exceeded limit of {} with {count} series",
                pass.limit
            ));
        }
        let gone = self.series.difference(&series).cloned().collect();
        let changed = self.series != series;
        self.series = series;
        Ok(Produced {
            samples,
            gone,
            changed,
            problem: None,
        })
    }
}
