//! `topk` and `bottomk`: at each step some series of each group, with all their labels.

use std::cmp::Ordering;

use super::{
    Evaluation,
    aggregate::Members,
    column::{ABSENT, Series, Steps, is_absent},
    error::EvalError,
    meter::Cost,
    sort::sorted,
};
use crate::syntax::{Aggregate, AggregateOp, Span};

/// Bytes charged for a candidate sample, with its entry in the order.
const CANDIDATE: usize = 2 * size_of::<(f64, usize)>() + 2 * size_of::<usize>();

/// Up to so many samples of a group are picked in one pass over its series.
const FEW: usize = 64;

impl Evaluation<'_> {
    pub(super) fn pick(
        &mut self,
        aggregate: &Aggregate,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let counts = self.param(aggregate, steps)?;
        let mut input = self.vector(&aggregate.expr, steps)?;
        let span = aggregate
            .param
            .as_ref()
            .map_or(aggregate.span, |param| param.span());
        if !counts.iter().any(|&count| count >= 1.0 || count.is_nan()) {
            return Ok(Vec::new());
        }
        check_counts(&counts, span)?;
        self.note_ignored(aggregate, &input, aggregate.span);
        let by_value = by_value(aggregate.op == AggregateOp::Topk);
        let groups = self.groups(&input, aggregate.grouping.as_ref())?;
        self.meter
            .charge(Cost::bytes(CANDIDATE).times(input.len()))?;
        if steps.count == 1 {
            return self.best_in_order(input, &groups, counts[0], by_value);
        }
        let counts: Vec<usize> = counts.iter().map(|count| count.max(0.0) as usize).collect();
        let picks = input.len().saturating_mul(steps.count);
        self.meter.charge(Cost::bytes(picks))?;
        let mut is_picked = vec![false; picks];
        let mut pick = |at: usize, step: usize| is_picked[at * steps.count + step] = true;
        let most = counts.iter().copied().max().unwrap_or(0);
        for group in &groups {
            match most <= FEW {
                true => self.pick_few(&input, group, &counts, by_value, &mut pick)?,
                false => self.pick_any(&input, group, &counts, by_value, &mut pick)?,
            }
        }
        for (series, picked) in input.iter_mut().zip(is_picked.chunks(steps.count)) {
            self.meter.work(8 + steps.count)?;
            series.histograms.clear();
            for (value, _) in series
                .values
                .iter_mut()
                .zip(picked)
                .filter(|(_, picked)| !**picked)
            {
                *value = ABSENT;
            }
        }
        input.retain(Series::has_samples);
        Ok(input)
    }

    /// The best series of each group, in order.
    fn best_in_order(
        &self,
        input: Vec<Series>,
        groups: &[Members],
        count: f64,
        by_value: impl Fn(&Candidate, &Candidate) -> Ordering,
    ) -> Result<Vec<Series>, EvalError> {
        let count = count.max(0.0) as usize;
        let mut order = Vec::new();
        for group in groups {
            self.meter.work(8 + group.series.len())?;
            let mut best = candidates(&input, group, 0);
            truncate(&mut best, count, &by_value);
            let best = sorted(best, &self.meter, &by_value)?;
            order.extend(best.iter().map(|&(_, at)| at));
        }
        let mut input: Vec<Option<Series>> = input.into_iter().map(Some).collect();
        let picked = order.iter().filter_map(|&at| input[at].take());
        let mut picked: Vec<Series> = picked.collect();
        picked.iter_mut().for_each(|one| one.histograms.clear());
        Ok(picked)
    }

    /// Picks the best samples of a group at each step.
    fn pick_any(
        &self,
        input: &[Series],
        group: &Members,
        counts: &[usize],
        by_value: impl Fn(&Candidate, &Candidate) -> Ordering,
        pick: &mut impl FnMut(usize, usize),
    ) -> Result<(), EvalError> {
        for (step, &count) in counts.iter().enumerate() {
            self.meter.work(8 + group.series.len())?;
            let mut best = candidates(input, group, step);
            truncate(&mut best, count, &by_value);
            best.iter().for_each(|&(_, at)| pick(at, step));
        }
        Ok(())
    }

    /// As `pick_any`, in one pass over each series: most samples are compared only with the worst of the few that are best
    /// so far at their step.
    fn pick_few(
        &self,
        input: &[Series],
        group: &Members,
        counts: &[usize],
        by_value: impl Fn(&Candidate, &Candidate) -> Ordering,
        pick: &mut impl FnMut(usize, usize),
    ) -> Result<(), EvalError> {
        let steps = counts.len();
        let room = counts
            .iter()
            .copied()
            .max()
            .unwrap_or(0)
            .min(group.series.len());
        let place = size_of::<Candidate>();
        let lists = Cost::bytes(place).times(steps.saturating_mul(room + 1));
        self.meter.charge(lists)?;
        let mut best: Vec<Candidate> = vec![(ABSENT, 0); steps * room];
        let mut found = vec![0; steps];
        for &at in &group.series {
            self.meter.work(8 + steps)?;
            for (step, &value) in input[at].values.iter().enumerate() {
                let count = counts[step].min(room);
                if is_absent(value) || count == 0 {
                    continue;
                }
                let list = &mut best[step * room..][..count];
                let new = (value, at);
                if found[step] < count {
                    list[found[step]] = new;
                    found[step] += 1;
                    if found[step] < count {
                        continue;
                    }
                } else if by_value(&new, &list[0]).is_lt() {
                    list[0] = new;
                } else {
                    continue;
                }
                // The worst one comes first.
                let worst = (0..count).max_by(|&a, &b| by_value(&list[a], &list[b]));
                list.swap(0, worst.unwrap_or(0));
            }
        }
        for (step, &found) in found.iter().enumerate() {
            let list = &best[step * room..][..found];
            list.iter().for_each(|&(_, at)| pick(at, step));
        }
        self.meter.release(lists);
        Ok(())
    }
}

/// A sample, with the number of its series.
type Candidate = (f64, usize);

/// The order from the best to the worst. NaN is the worst; equal values keep their input order.
fn by_value(highest: bool) -> impl Fn(&Candidate, &Candidate) -> Ordering + Copy {
    move |a, b| {
        let ordered = match highest {
            true => b.0.partial_cmp(&a.0),
            false => a.0.partial_cmp(&b.0),
        };
        let by_nan = || a.0.is_nan().cmp(&b.0.is_nan());
        ordered.unwrap_or_else(by_nan).then(a.1.cmp(&b.1))
    }
}

/// The samples of a group at a step.
fn candidates(input: &[Series], group: &Members, step: usize) -> Vec<Candidate> {
    let samples = group.series.iter().map(|&at| (input[at].values[step], at));
    samples.filter(|(value, _)| !is_absent(*value)).collect()
}

/// Keeps the best candidates, in any order.
fn truncate(
    candidates: &mut Vec<Candidate>,
    count: usize,
    by_value: impl Fn(&Candidate, &Candidate) -> Ordering,
) {
    if count < candidates.len() {
        if count > 0 {
            candidates.select_nth_unstable_by(count - 1, by_value);
        }
        candidates.truncate(count);
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
