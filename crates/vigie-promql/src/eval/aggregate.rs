//! Aggregations. Series are grouped once; each group is then folded step by step.

use std::collections::HashMap;

use super::{
    Evaluation,
    call::text,
    column::{ABSENT, Cell, Column, Evaluated, Histograms, Series, Steps, is_absent},
    error::EvalError,
    fold::{Count, Fold, Maximum, Minimum, Presence, StandardDeviation, Variance},
    meter::Cost,
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

/// Bytes charged for a member of a group, in a list that doubles as it grows.
const MEMBER: usize = 2 * size_of::<usize>();

/// Bytes charged for an entry of a hash table that doubles as it grows.
const ENTRY: usize = 2 * size_of::<(u64, usize)>() + 2;

/// The series of one group.
#[derive(Debug)]
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
            AggregateOp::Limitk | AggregateOp::LimitRatio => self.limit(aggregate, steps)?,
            AggregateOp::Quantile => self.quantile(aggregate, steps)?,
            AggregateOp::Sum => self.folded::<Sum>(aggregate, steps)?,
            AggregateOp::Avg => self.folded::<Mean>(aggregate, steps)?,
            AggregateOp::Count => self.folded::<Count>(aggregate, steps)?,
            AggregateOp::Min => self.folded::<Minimum>(aggregate, steps)?,
            AggregateOp::Max => self.folded::<Maximum>(aggregate, steps)?,
            AggregateOp::Stdvar => self.folded::<Variance>(aggregate, steps)?,
            AggregateOp::Stddev => self.folded::<StandardDeviation>(aggregate, steps)?,
            AggregateOp::Group => self.folded::<Presence>(aggregate, steps)?,
        };
        Ok(Evaluated::Vector(vector))
    }

    /// Folds the series of each group, one by one if that is possible.
    fn folded<F: Fold>(
        &mut self,
        aggregate: &Aggregate,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        if let Some(vector) = self.streamed::<F>(aggregate, steps)? {
            return Ok(vector);
        }
        let input = self.vector(&aggregate.expr, steps)?;
        self.note_ignored(aggregate, &input, aggregate.expr.span());
        let groups = self.groups(&input, aggregate.grouping.as_ref())?;
        let native = input.iter().any(|series| !series.histograms.is_empty());
        match native && !aggregate.op.ignores_histograms() {
            true => self.fold_mixed(aggregate, &input, groups, steps),
            false => self.fold::<F>(&input, groups, steps),
        }
    }

    fn fold<F: Fold>(
        &mut self,
        input: &[Series],
        groups: Vec<Members>,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let scratch = steps.count.saturating_mul(size_of::<Option<F>>());
        self.meter.charge(Cost::bytes(scratch))?;
        let mut folds: Vec<Option<F>> = Vec::with_capacity(steps.count);
        let mut output = Vec::with_capacity(groups.len());
        for group in groups {
            self.meter.charge(Cost::column(steps.count))?;
            folds.clear();
            folds.resize(steps.count, None);
            for &series in &group.series {
                self.meter.work(8 + steps.count)?;
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
            self.group_result(group, values, input, &mut output)?;
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
        self.note_ignored(aggregate, &input, aggregate.expr.span());
        self.meter.charge(Cost::column(input.len()))?;
        let mut values = Vec::new();
        let mut output = Vec::new();
        for group in self.groups(&input, aggregate.grouping.as_ref())? {
            self.meter.charge(Cost::column(steps.count))?;
            let column = (0..steps.count).map(|step| {
                self.meter.work(8 + group.series.len())?;
                values.clear();
                let samples = group.series.iter().map(|&at| input[at].values[step]);
                values.extend(samples.filter(|&value| !is_absent(value)));
                Ok(match values.is_empty() {
                    true => ABSENT,
                    false => quantile(ranks[step], &mut values),
                })
            });
            let column: Result<Column, EvalError> = column.collect();
            self.group_result(group, column?, &input, &mut output)?;
        }
        Ok(output)
    }

    /// The value of the scalar argument at each step.
    pub(super) fn param(
        &mut self,
        aggregate: &Aggregate,
        steps: Steps,
    ) -> Result<Column, EvalError> {
        match &aggregate.param {
            Some(param) => self.scalar(param, steps),
            None => self.same(f64::NAN, steps),
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
        let mut output: Vec<Series> = Vec::new();
        let mut label_sets = Signatures::new(|_: &str| true);
        // The values of one series: at most one entry per step.
        self.meter.charge(Cost::bytes(ENTRY).times(steps.count))?;
        let mut values: HashMap<u64, usize, foldhash::fast::RandomState> = HashMap::default();
        for series in &input {
            values.clear();
            for (step, histogram) in series.histograms.iter() {
                let text = histogram.to_string();
                self.meter.work(series.label_work() + text.len())?;
                self.count_value(
                    &mut output,
                    &mut label_sets,
                    (series, &text),
                    aggregate,
                    steps,
                )
                .map(|number| count_one(&mut output[number].values[step]))?;
            }
            for (step, &value) in series.values.iter().enumerate() {
                self.meter.work(1)?;
                if is_absent(value) {
                    continue;
                }
                let number = match values.get(&value.to_bits()) {
                    Some(&number) => number,
                    None => {
                        self.meter.work(series.label_work())?;
                        let text = format::plain(value);
                        let number = self.count_value(
                            &mut output,
                            &mut label_sets,
                            (series, &text),
                            aggregate,
                            steps,
                        )?;
                        values.insert(value.to_bits(), number);
                        number
                    }
                };
                count_one(&mut output[number].values[step]);
            }
        }
        Ok(output)
    }

    /// The number of the result series that counts a value of a series.
    fn count_value<K: Fn(&str) -> bool>(
        &self,
        output: &mut Vec<Series>,
        label_sets: &mut Signatures<K>,
        (series, value): (&Series, &str),
        aggregate: &Aggregate,
        steps: Steps,
    ) -> Result<usize, EvalError> {
        let label = aggregate.param.as_deref().map_or("", text);
        let grouping = aggregate.grouping.as_ref();
        let without = grouping.is_some_and(|grouping| grouping.without);
        let labels = series.labels().with(label, value);
        let labels = labels.filter(|name| (name == label && !without) || is_kept(grouping, name));
        let number = label_sets.number(&labels);
        if number == output.len() {
            let mut counts = series.derived(labels, Vec::new());
            self.charge_output(&counts, steps)?;
            counts.drops_name = false;
            counts.values = vec![ABSENT; steps.count];
            output.push(counts);
        }
        Ok(number)
    }
}

fn count_one(count: &mut f64) {
    *count = if is_absent(*count) { 1.0 } else { *count + 1.0 };
}

/// Whether the grouping keeps a label.
pub(super) fn is_kept(grouping: Option<&Grouping>, name: &str) -> bool {
    let Some(grouping) = grouping else {
        return false;
    };
    let named = grouping.labels.iter().any(|label| label.text == name);
    match grouping.without {
        true => !named && name != METRIC_NAME,
        false => named,
    }
}

impl Evaluation<'_> {
    /// The groups, in the order of their first series.
    pub(super) fn groups(
        &self,
        input: &[Series],
        grouping: Option<&Grouping>,
    ) -> Result<Vec<Members>, EvalError> {
        let mut signatures = Signatures::new(|name: &str| is_kept(grouping, name));
        let mut groups: Vec<Members> = Vec::new();
        self.meter.charge(Cost::bytes(MEMBER).times(input.len()))?;
        let named = grouping.map_or(0, |grouping| grouping.labels.len());
        for (at, series) in input.iter().enumerate() {
            let labels = series.labels();
            self.meter
                .work(series.label_work() + named * labels.len())?;
            let number = signatures.number(labels);
            if number == groups.len() {
                let labels = signatures.labels(number);
                let made = series.derived(labels, Vec::new());
                self.meter.charge(Cost::series(&made))?;
                groups.push(Members {
                    labels: made.labels().clone(),
                    series: Vec::new(),
                });
            }
            groups[number].series.push(at);
        }
        Ok(groups)
    }

    /// Charges a result series whose values are not computed yet.
    pub(super) fn charge_output(&self, series: &Series, steps: Steps) -> Result<(), EvalError> {
        let values = Cost::column(steps.count);
        self.meter.charge(Cost::series(series).and(values))
    }

    /// The result of a group. If the group keeps the metric name and the name is to be dropped for only some members,
    /// the result is two series: at each step the name is dropped if it is dropped for any member present.
    fn group_result(
        &self,
        group: Members,
        values: Column,
        input: &[Series],
        output: &mut Vec<Series>,
    ) -> Result<(), EvalError> {
        self.group_results(group, (values, Histograms::default()), input, output)
    }

    /// As `group_result`, with histograms.
    pub(super) fn group_results(
        &self,
        group: Members,
        (mut values, mut histograms): (Column, Histograms),
        input: &[Series],
        output: &mut Vec<Series>,
    ) -> Result<(), EvalError> {
        let members = group.series.iter().map(|&at| &input[at]);
        let dropping = members.clone().filter(|one| one.drops_name).count();
        let mixed =
            dropping > 0 && dropping < group.series.len() && !group.labels.metric().is_empty();
        let first = &input[group.series[0]];
        if mixed {
            let is_dropped = |step: usize| {
                let mut dropping = members.clone().filter(|one| one.drops_name);
                dropping.any(|one| one.is_present(step))
            };
            self.meter.charge(Cost::column(values.len()))?;
            let named = vec![ABSENT; values.len()];
            let mut series = first.derived(group.labels.clone(), named);
            series.drops_name = false;
            for (step, value) in values.iter_mut().enumerate() {
                self.meter.work(group.series.len())?;
                if is_dropped(step) {
                    continue;
                }
                std::mem::swap(&mut series.values[step], value);
                if let Some(histogram) = histograms.take(step) {
                    series.set(step, Cell::Histogram(histogram));
                }
            }
            output.push(series);
        }
        let mut series = first.derived(group.labels, values);
        series.histograms = histograms;
        series.drops_name = dropping > 0;
        output.push(series);
        Ok(())
    }
}
