//! `topk` and `bottomk`: at each step some series of each group, with all their labels.

use super::{
    Evaluation,
    column::{ABSENT, Series, Steps, is_absent},
    error::EvalError,
    meter::Cost,
    sort::sorted,
};
use crate::syntax::{Aggregate, AggregateOp, Span};

/// Bytes charged for a candidate sample, with its entry in the order.
const CANDIDATE: usize = 2 * size_of::<(f64, usize)>() + 2 * size_of::<usize>();

impl Evaluation<'_> {
    pub(super) fn pick(
        &mut self,
        aggregate: &Aggregate,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let counts = self.param(aggregate, steps)?;
        let input = self.vector(&aggregate.expr, steps)?;
        let span = aggregate
            .param
            .as_ref()
            .map_or(aggregate.span, |param| param.span());
        if !counts.iter().any(|&count| count >= 1.0 || count.is_nan()) {
            return Ok(Vec::new());
        }
        check_counts(&counts, span)?;
        self.note_ignored(aggregate, &input, aggregate.span);
        let highest = aggregate.op == AggregateOp::Topk;
        let groups = self.groups(&input, aggregate.grouping.as_ref())?;
        let mut output: Vec<Series> = Vec::with_capacity(input.len());
        for series in &input {
            self.meter.work(steps.count)?;
            self.meter.charge(Cost::series(series))?;
            output.push(series.derived(series.labels().clone(), vec![ABSENT; steps.count]));
        }
        self.meter
            .charge(Cost::bytes(CANDIDATE).times(input.len()))?;
        // For an instant query, the order in which the series are returned.
        let mut order = Vec::new();
        let mut best = Vec::new();
        for (step, count) in counts.iter().enumerate() {
            let count = count.max(0.0) as usize;
            for group in &groups {
                self.meter.work(8 + group.series.len())?;
                best.clear();
                let samples = group.series.iter().map(|&at| (input[at].values[step], at));
                best.extend(samples.filter(|(value, _)| !is_absent(*value)));
                // NaN sorts last; equal values keep their input order.
                let by_value = |a: &(f64, usize), b: &(f64, usize)| {
                    let ordered = match highest {
                        true => b.0.partial_cmp(&a.0),
                        false => a.0.partial_cmp(&b.0),
                    };
                    let by_nan = || a.0.is_nan().cmp(&b.0.is_nan());
                    ordered.unwrap_or_else(by_nan).then(a.1.cmp(&b.1))
                };
                if count < best.len() {
                    if count > 0 {
                        best.select_nth_unstable_by(count - 1, by_value);
                    }
                    best.truncate(count);
                }
                for &(value, at) in &best {
                    output[at].values[step] = value;
                }
                if steps.count == 1 {
                    best = sorted(best, &self.meter, by_value)?;
                    order.extend(best.iter().map(|&(_, at)| at));
                }
            }
        }
        if steps.count == 1 {
            let mut output: Vec<Option<Series>> = output.into_iter().map(Some).collect();
            return Ok(order.iter().filter_map(|&at| output[at].take()).collect());
        }
        output.retain(Series::has_samples);
        Ok(output)
    }
}

/// Fails if a number of series is not an integer of 64 bits.
pub(super) fn check_counts(counts: &[f64], span: Span) -> Result<(), EvalError> {
    for count in counts {
        if count.is_nan() {
            return Err(EvalError::execution(span, "Parameter value is NaN"));
        }
        let too = match *count {
            count if count <= i64::MIN as f64 => "underflows",
            count if count >= i64::MAX as f64 => "overflows",
            _ => continue,
        };
        let message = format_args!("Scalar value {count} {too} int64");
        return Err(EvalError::execution(span, message));
    }
    Ok(())
}
