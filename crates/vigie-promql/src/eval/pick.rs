//! `topk` and `bottomk`: some series of each group, step by step, with all their labels.

use super::{
    Evaluation,
    aggregate::groups,
    column::{ABSENT, Series, Steps, is_absent},
    error::EvalError,
};
use crate::syntax::{Aggregate, AggregateOp};

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
        for count in &counts {
            if count.is_nan() {
                return Err(EvalError::execution(span, "Parameter value is NaN"));
            }
            let too = match *count {
                count if count <= i64::MIN as f64 => "underflows",
                count if count >= i64::MAX as f64 => "overflows",
                _ => continue,
            };
            let message = format!("Scalar value {count} {too} int64");
            return Err(EvalError::execution(span, message));
        }
        let highest = aggregate.op == AggregateOp::Topk;
        let groups = groups(&input, aggregate.grouping.as_ref());
        self.charge(input.len().saturating_mul(steps.count))?;
        let mut output: Vec<Series> = input
            .iter()
            .map(|series| Series {
                values: vec![ABSENT; steps.count],
                ..series.clone()
            })
            .collect();
        // Of an instant query, the order in which the series are given.
        let mut order = Vec::new();
        let mut best = Vec::new();
        for (step, count) in counts.iter().enumerate() {
            self.check()?;
            let count = count.max(0.0) as usize;
            for group in &groups {
                best.clear();
                let samples = group.series.iter().map(|&at| (input[at].values[step], at));
                best.extend(samples.filter(|(value, _)| !is_absent(*value)));
                // NaN comes last; among equals, whichever came first.
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
                    best.sort_unstable_by(by_value);
                    order.extend(best.iter().map(|&(_, at)| at));
                }
            }
        }
        if steps.count == 1 {
            return Ok(order.iter().map(|&at| output[at].clone()).collect());
        }
        output.retain(Series::has_samples);
        Ok(output)
    }
}
