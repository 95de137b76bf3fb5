//! The input and the output of the evaluation of a rule.

use std::collections::HashSet;
use std::sync::Arc;

use vigie_promql::value::{VectorSample, stale_marker};
use vigie_promql::{Expr, Labels, Value};

use super::super::select::Selected;
use super::super::text::Text;
use super::super::{Context, Defaults, Sample, Time};

/// The data that the rules of a group share in one evaluation.
pub(in crate::engine) struct Pass<'a> {
    pub(in crate::engine) at: Time,
    pub(in crate::engine) query_at: Time,
    pub(in crate::engine) limit: u64,
    pub(in crate::engine) defaults: &'a Defaults,
}

/// The definition of a rule, as the evaluation needs it.
pub(in crate::engine) struct Produces<'a> {
    pub(in crate::engine) name: &'a Arc<str>,
    pub(in crate::engine) expr: &'a Expr,
    pub(in crate::engine) labels: &'a [(Arc<str>, Text)],
    pub(in crate::engine) generator_url: &'a Arc<str>,
    pub(super) selectors: &'a [Selected],
    /// The longest range before the evaluation that the expression selects, in milliseconds.
    pub(in crate::engine) window: i64,
}

impl Produces<'_> {
    /// Since when a metric of the expression cannot be read.
    pub(in crate::engine) fn unreadable_since(
        &self,
        context: &dyn Context,
        at: Time,
    ) -> Option<Time> {
        let selectors = self.selectors.iter();
        selectors
            .filter_map(|selected| context.unreadable_since(&selected.matchers, at))
            .min()
    }
}

/// The samples of an evaluation.
#[derive(Default)]
pub(in crate::engine) struct Produced {
    pub(in crate::engine) samples: Vec<Sample>,
    /// The series that ended.
    pub(in crate::engine) gone: Vec<Labels>,
    /// Whether the saved state differs.
    pub(in crate::engine) changed: bool,
    /// A problem of an evaluation that succeeded.
    pub(in crate::engine) problem: Option<String>,
}

impl Produced {
    /// Writes the samples, and stale markers for the series that ended.
    pub(super) fn write(&mut self, at: Time, context: &mut dyn Context) -> Result<(), String> {
        if !self.gone.is_empty() {
            // Two alerts can have one series, if they differ in the label `alertstate`.
            let written = self.samples.iter().map(|sample| sample.labels.clone());
            let written: HashSet<_> = written.collect();
            let ended = self
                .gone
                .drain(..)
                .filter(|labels| !written.contains(labels));
            self.samples.extend(ended.map(|labels| stale(labels, at)));
        }
        match self.samples.is_empty() {
            true => Ok(()),
            false => context.write(&self.samples),
        }
    }
}

/// The stale marker of a series.
pub(in crate::engine) fn stale(labels: Labels, at: Time) -> Sample {
    Sample {
        labels,
        time: at,
        value: stale_marker(),
    }
}

/// The result of a rule's expression: a vector, or a scalar without labels.
pub(in crate::engine) fn vector(value: Value) -> Result<Vec<VectorSample>, String> {
    let samples = value.into_vector();
    samples.ok_or_else(|| "rule result is not a vector or scalar".to_owned())
}
