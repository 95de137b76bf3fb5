//! `limitk` and `limit_ratio`: some series of each group, whatever their values.

use std::sync::Arc;

use xxhash_rust::xxh64::xxh64;

use super::{
    Evaluation,
    column::{ABSENT, Series, Steps},
    error::EvalError,
    meter::Cost,
};
use crate::{
    format::go_general,
    labels::Labels,
    syntax::{Aggregate, AggregateOp},
};

impl Evaluation<'_> {
    pub(super) fn limit(
        &mut self,
        aggregate: &Aggregate,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let limits = self.param(aggregate, steps)?;
        let input = self.vector(&aggregate.expr, steps)?;
        let span = aggregate
            .param
            .as_ref()
            .map_or(aggregate.span, |param| param.span());
        let ratio = aggregate.op == AggregateOp::LimitRatio;
        match ratio {
            true => {
                if limits.iter().any(|limit| limit.is_nan()) {
                    return Err(EvalError::execution(span, "Ratio value is NaN"));
                }
                let highest = limits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let lowest = limits.iter().copied().fold(f64::INFINITY, f64::min);
                for (extreme, cap) in [(highest, 1.0), (lowest, -1.0)] {
                    if extreme.abs() > 1.0 && extreme.signum() == cap {
                        let got = go_general(extreme);
                        let message = format_args!(
                            "ratio value should be between -1 and 1, got {got}, capping to {cap}"
                        );
                        self.annotations.warn(span, message);
                    }
                }
            }
            false if !limits.iter().any(|&limit| limit >= 1.0 || limit.is_nan()) => {
                return Ok(Vec::new());
            }
            false => super::pick::check_counts(&limits, span)?,
        }
        let mut output: Vec<Series> = Vec::with_capacity(input.len());
        for series in &input {
            self.meter.work(steps.count + series.label_work())?;
            self.meter.charge(Cost::series(series))?;
            output.push(series.derived(series.labels().clone(), vec![ABSENT; steps.count]));
        }
        for group in self.groups(&input, aggregate.grouping.as_ref())? {
            let mut taken = vec![0_usize; steps.count];
            self.meter.check_available(Cost::column(steps.count))?;
            for at in group.series {
                self.meter.work(8 + steps.count)?;
                let series = &input[at];
                let offset = if ratio {
                    position(series.labels())
                } else {
                    0.0
                };
                for (step, &limit) in limits.iter().enumerate() {
                    let keep = match ratio {
                        true if limit >= 0.0 => offset < limit,
                        true => offset >= 1.0 + limit,
                        false => (taken[step] as f64) < limit.max(0.0).floor(),
                    };
                    if !keep || !series.is_present(step) {
                        continue;
                    }
                    taken[step] += 1;
                    output[at].values[step] = series.values[step];
                    if let Some(histogram) = series.histograms.get(step) {
                        let histogram = Arc::clone(histogram);
                        output[at].histograms.set(step, steps.count, histogram);
                    }
                }
            }
        }
        output.retain(Series::has_samples);
        Ok(output)
    }
}

/// A number from 0 to 1 that depends on the labels only, the same as in Prometheus.
fn position(labels: &Labels) -> f64 {
    // Prometheus hashes its representation of labels in memory: lengths and texts.
    let mut bytes = Vec::new();
    for text in labels.iter().flat_map(|(name, value)| [name, value]) {
        let length = text.len().to_le_bytes();
        match text.len() {
            ..255 => bytes.push(length[0]),
            _ => bytes.extend([255, length[0], length[1], length[2]]),
        }
        bytes.extend_from_slice(text.as_bytes());
    }
    xxh64(&bytes, 0) as f64 / u64::MAX as f64
}
