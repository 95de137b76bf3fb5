//! Aggregations: series are put into groups once, and each group is folded step by step.

use std::collections::HashMap;

use super::{
    Evaluation,
    call::text,
    column::{ABSENT, Column, Evaluated, Series, Steps, is_absent},
    error::EvalError,
    fold::{Count, Deviation, Fold, Highest, Lowest, Presence, Variance},
    signature::Signatures,
};
use crate::{
    format,
    functions::{
        quantile::{is_valid, quantile},
        sum::{Mean, Sum},
    },
    labels::{Labels, METRIC_NAME},
    syntax::{Aggregate, AggregateOp, Grouping},
};

/// The series of one group.
pub(super) struct Members {
    pub(super) labels: Labels,
    pub(super) series: Vec<usize>,
}

impl Evaluation<'_> {
    pub(super) fn aggregate(
        &mut self,
        aggregate: &Aggregate,
        steps: Steps,
    ) -> Result<Evaluated, EvalError> {
        let vector = match aggregate.op {
            AggregateOp::CountValues => self.count_values(aggregate, steps)?,
            AggregateOp::Topk | AggregateOp::Bottomk => self.pick(aggregate, steps)?,
            AggregateOp::Quantile => self.quantile(aggregate, steps)?,
            op => {
                let input = self.vector(&aggregate.expr, steps)?;
                let groups = groups(&input, aggregate.grouping.as_ref());
                match op {
                    AggregateOp::Sum => self.fold::<Sum>(&input, groups, steps)?,
                    AggregateOp::Avg => self.fold::<Mean>(&input, groups, steps)?,
                    AggregateOp::Count => self.fold::<Count>(&input, groups, steps)?,
                    AggregateOp::Min => self.fold::<Lowest>(&input, groups, steps)?,
                    AggregateOp::Max => self.fold::<Highest>(&input, groups, steps)?,
                    AggregateOp::Stdvar => self.fold::<Variance>(&input, groups, steps)?,
                    AggregateOp::Stddev => self.fold::<Deviation>(&input, groups, steps)?,
                    _ => self.fold::<Presence>(&input, groups, steps)?,
                }
            }
        };
        Ok(Evaluated::Vector(vector))
    }

    fn fold<F: Fold>(
        &mut self,
        input: &[Series],
        groups: Vec<Members>,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let mut folds: Vec<Option<F>> = Vec::with_capacity(steps.count);
        let mut output = Vec::with_capacity(groups.len());
        for group in groups {
            self.check()?;
            self.charge(steps.count)?;
            folds.clear();
            folds.resize(steps.count, None);
            for &series in &group.series {
                for (fold, &value) in folds.iter_mut().zip(&input[series].values) {
                    if is_absent(value) {
                        continue;
                    }
                    match fold {
                        Some(fold) => fold.add(value),
                        None => *fold = Some(F::first(value)),
                    }
                }
            }
            let values = folds.iter().map(|fold| fold.map_or(ABSENT, F::value));
            let values = values.collect();
            group.series(values, input, &mut output);
        }
        Ok(output)
    }

    fn quantile(&mut self, aggregate: &Aggregate, steps: Steps) -> Result<Vec<Series>, EvalError> {
        let ranks = self.param(aggregate, steps)?;
        let span = aggregate
            .param
            .as_ref()
            .map_or(aggregate.span, |param| param.span());
        let highest = ranks.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let lowest = ranks.iter().copied().fold(f64::INFINITY, f64::min);
        if ranks.iter().any(|rank| rank.is_nan()) {
            self.annotations.invalid_quantile(span, f64::NAN);
        }
        for extreme in [highest, lowest] {
            if !is_valid(extreme) && ranks.contains(&extreme) {
                self.annotations.invalid_quantile(span, extreme);
            }
        }
        let input = self.vector(&aggregate.expr, steps)?;
        let mut values = Vec::new();
        let mut output = Vec::new();
        for group in groups(&input, aggregate.grouping.as_ref()) {
            self.check()?;
            self.charge(steps.count)?;
            let column = (0..steps.count).map(|step| {
                values.clear();
                let samples = group.series.iter().map(|&at| input[at].values[step]);
                values.extend(samples.filter(|&value| !is_absent(value)));
                match values.is_empty() {
                    true => ABSENT,
                    false => quantile(ranks[step], &mut values),
                }
            });
            let column = column.collect();
            group.series(column, &input, &mut output);
        }
        Ok(output)
    }

    /// The scalar argument at each step.
    pub(super) fn param(
        &mut self,
        aggregate: &Aggregate,
        steps: Steps,
    ) -> Result<Column, EvalError> {
        match &aggregate.param {
            Some(param) => self.scalar(param, steps),
            None => Ok(vec![f64::NAN; steps.count]),
        }
    }

    fn count_values(
        &mut self,
        aggregate: &Aggregate,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let label = aggregate.param.as_deref().map_or("", text);
        if label.is_empty() {
            let message = "invalid label name \"\"";
            return Err(EvalError::execution(aggregate.span, message));
        }
        let input = self.vector(&aggregate.expr, steps)?;
        let grouping = aggregate.grouping.as_ref();
        let without = grouping.is_some_and(|grouping| grouping.without);
        let mut output: Vec<Series> = Vec::new();
        let mut places = Signatures::new(|_: &str| true);
        let mut values: HashMap<u64, usize, foldhash::fast::RandomState> = HashMap::default();
        for series in &input {
            self.check()?;
            values.clear();
            for (step, &value) in series.values.iter().enumerate() {
                if is_absent(value) {
                    continue;
                }
                let place = match values.get(&value.to_bits()) {
                    Some(&place) => place,
                    None => {
                        let labels = series.labels.with(label, &format::plain(value));
                        let labels = labels
                            .filter(|name| (name == label && !without) || is_kept(grouping, name));
                        let place = places.number(&labels);
                        if place == output.len() {
                            self.charge(steps.count)?;
                            output.push(Series::new(labels, vec![ABSENT; steps.count]));
                        }
                        values.insert(value.to_bits(), place);
                        place
                    }
                };
                let count = &mut output[place].values[step];
                *count = if is_absent(*count) { 1.0 } else { *count + 1.0 };
            }
        }
        Ok(output)
    }
}

/// Whether a group keeps a label.
fn is_kept(grouping: Option<&Grouping>, name: &str) -> bool {
    let Some(grouping) = grouping else {
        return false;
    };
    let named = grouping.labels.iter().any(|label| label.text == name);
    match grouping.without {
        true => !named && name != METRIC_NAME,
        false => named,
    }
}

/// The groups in the order in which their first series come.
pub(super) fn groups(input: &[Series], grouping: Option<&Grouping>) -> Vec<Members> {
    let mut signatures = Signatures::new(|name: &str| is_kept(grouping, name));
    let mut groups: Vec<Members> = Vec::new();
    for (at, series) in input.iter().enumerate() {
        let number = signatures.number(&series.labels);
        if number == groups.len() {
            groups.push(Members {
                labels: signatures.labels(number),
                series: Vec::new(),
            });
        }
        groups[number].series.push(at);
    }
    groups
}

impl Members {
    /// The group's result. Where it keeps a name that for some members is to go, and for others not, it is two series: at
    /// each step the name goes if it goes for any member that is there.
    fn series(self, mut values: Column, input: &[Series], output: &mut Vec<Series>) {
        let members = self.series.iter().map(|&at| &input[at]);
        let nameless = members.clone().filter(|one| one.nameless).count();
        let mixed =
            nameless > 0 && nameless < self.series.len() && !self.labels.metric().is_empty();
        if mixed {
            let goes = |step: usize| {
                let mut going = members.clone().filter(|one| one.nameless);
                going.any(|one| !is_absent(one.values[step]))
            };
            let mut named = vec![ABSENT; values.len()];
            for (step, named) in named.iter_mut().enumerate() {
                if !goes(step) {
                    std::mem::swap(named, &mut values[step]);
                }
            }
            output.push(Series::new(self.labels.clone(), named));
        }
        output.push(Series {
            labels: self.labels,
            nameless: nameless > 0,
            values,
        });
    }
}
