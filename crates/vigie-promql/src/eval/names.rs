//! Removal of metric names, and merging of series left with equal labels.

use std::sync::Arc;

use super::{
    column::{Cell, Series, is_absent},
    error::EvalError,
    meter::{Cost, Meter},
    signature::Signatures,
};
use crate::syntax::Span;

const SAME_LABELS: &str = "vector cannot contain metrics with the same labelset";

/// When the metric name is removed from a result that is no longer that metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameRemoval {
    /// By the function or operator that changes the meaning: Prometheus' default.
    #[default]
    Immediate,
    /// At the end of the query, as with Prometheus' `--enable-feature=promql-delayed-name-removal`: until then
    /// `label_replace` and aggregations see the name.
    Delayed,
}

impl NameRemoval {
    /// Removes the name of one series, immediately or at the end of the query.
    pub(super) fn remove(self, series: &mut Series, meter: &Meter<'_>) -> Result<(), EvalError> {
        match self {
            Self::Immediate => strip(series, meter)?,
            Self::Delayed => series.drops_name = true,
        }
        Ok(())
    }

    /// Removes the names of all series of a vector, and merges series that become equal.
    pub(super) fn remove_all(
        self,
        mut series: Vec<Series>,
        span: Span,
        meter: &Meter<'_>,
    ) -> Result<Vec<Series>, EvalError> {
        let may_collide = self == Self::Immediate && has_several_names(&series);
        for one in &mut series {
            self.remove(one, meter)?;
        }
        if may_collide {
            return merge_same_labels(series, span, meter);
        }
        Ok(series)
    }

    /// Applies the delayed removals at the end of a query.
    pub(super) fn finish(
        self,
        mut series: Vec<Series>,
        meter: &Meter<'_>,
    ) -> Result<Vec<Series>, EvalError> {
        if self == Self::Delayed {
            for one in series.iter_mut().filter(|one| one.drops_name) {
                strip(one, meter)?;
                one.drops_name = false;
            }
            return merge_same_labels(series, Span::default(), meter);
        }
        Ok(series)
    }
}

fn strip(series: &mut Series, meter: &Meter<'_>) -> Result<(), EvalError> {
    meter.work(series.label_work())?;
    let before = series.overhead();
    series.relabel(series.labels().without_metadata());
    let allocated = series.overhead().saturating_sub(before);
    meter.charge(Cost::bytes(allocated))
}

fn has_several_names(series: &[Series]) -> bool {
    let mut names = series.iter().map(|one| one.labels().metric());
    let Some(first) = names.next() else {
        return false;
    };
    names.any(|name| name != first)
}

/// Fails if two series have the same labels.
pub(super) fn refuse_same_labels(
    series: &[Series],
    span: Span,
    meter: &Meter<'_>,
) -> Result<(), EvalError> {
    match has_same_labels(series, meter)? {
        true => Err(EvalError::execution(span, SAME_LABELS)),
        false => Ok(()),
    }
}

fn has_same_labels(series: &[Series], meter: &Meter<'_>) -> Result<bool, EvalError> {
    let mut signatures = Signatures::new(|_: &str| true);
    for (at, one) in series.iter().enumerate() {
        meter.work(one.label_work())?;
        if signatures.number_of(one.labels(), one.drops_name) != at {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Adds the histograms of another series with the same labels.
fn merge_histograms(series: &mut Series, other: &Series, span: Span) -> Result<(), EvalError> {
    if series.histograms.is_empty() && other.histograms.is_empty() {
        return Ok(());
    }
    for step in 0..series.values.len() {
        if !other.is_present(step) {
            continue;
        }
        let histogram = other.histograms.get(step);
        if series.histograms.get(step).is_some() || (histogram.is_some() && series.is_present(step))
        {
            return Err(EvalError::execution(span, SAME_LABELS));
        }
        if let Some(histogram) = histogram {
            series.set(step, Cell::Histogram(Arc::clone(histogram)));
        }
    }
    Ok(())
}

/// Merges series that have the same labels; fails if two of them have a sample at the same step.
pub(super) fn merge_same_labels(
    series: Vec<Series>,
    span: Span,
    meter: &Meter<'_>,
) -> Result<Vec<Series>, EvalError> {
    if !has_same_labels(&series, meter)? {
        return Ok(series);
    }
    let mut label_sets = Signatures::new(|_: &str| true);
    let mut joined: Vec<Series> = Vec::with_capacity(series.len());
    for one in series {
        meter.work(one.label_work() + one.values.len())?;
        if !one.has_samples() {
            continue;
        }
        let number = label_sets.number_of(one.labels(), one.drops_name);
        if number == joined.len() {
            joined.push(one);
            continue;
        }
        let first = &mut joined[number];
        for (value, &other) in first.values.iter_mut().zip(&one.values) {
            if is_absent(other) {
                continue;
            }
            if !is_absent(*value) {
                return Err(EvalError::execution(span, SAME_LABELS));
            }
            *value = other;
        }
        merge_histograms(first, &one, span)?;
    }
    Ok(joined)
}
