//! `info()`, which adds the labels of info metrics such as `target_info`.

use std::sync::Arc;

use super::{
    Evaluation,
    column::{ABSENT, Cell, Evaluated, Series, Steps, is_absent},
    error::EvalError,
    meter::Cost,
    selector::Native,
    signature::Signatures,
    window::References,
};
use crate::{
    labels::{Labels, METRIC_NAME},
    matcher::{MatchOp, Matcher},
    syntax::{Call, Expr, Selector, Visitor, walk},
};

/// The labels that identify the target of a series.
const IDENTIFYING: [&str; 2] = ["instance", "job"];

const SAME_LABELS: &str = "vector cannot contain metrics with the same labelset";

/// The conditions on info metrics.
struct Wanted {
    names: Vec<Matcher>,
    /// The conditions on other labels, and thereby the labels to add; none adds all.
    labels: Vec<Matcher>,
}

/// The info series of one target, by metric.
type Metrics = Vec<(String, Vec<usize>)>;

/// Bytes charged for a series: its entries in the list of series, among the targets, and in their hash table, all of which
/// double as they grow.
const SERIES: usize =
    2 * (size_of::<(bool, Option<usize>)>() + size_of::<(Labels, bool)>() + 2 * size_of::<usize>());

/// Bytes charged for an info series of a target: its number and, without its name, its metric.
const INFO: usize = 2 * (size_of::<(String, Vec<usize>)>() + 4 * size_of::<usize>());

impl Evaluation<'_> {
    pub(super) fn info(&mut self, call: &Call, steps: Steps) -> Result<Evaluated, EvalError> {
        let base = self.vector(&call.args[0], steps)?;
        let wanted = Wanted::of(call.args.get(1));
        let references = self.info_references(&call.args[0], steps)?;
        let identifies = |name: &str| IDENTIFYING.contains(&name);
        let mut targets = Signatures::new(identifies);
        self.meter.charge(Cost::bytes(SERIES).times(base.len()))?;
        let mut of_base = Vec::with_capacity(base.len());
        for series in &base {
            self.meter.work(series.label_work())?;
            let labels = series.labels();
            let ignored = wanted
                .names
                .iter()
                .all(|name| name.matches(labels.metric()));
            let identified = IDENTIFYING.iter().any(|name| !labels.get(name).is_empty());
            let target = (!ignored && identified).then(|| targets.number(labels));
            of_base.push((ignored, target));
        }
        let count = targets.len();
        let mut infos = Vec::new();
        if count > 0 {
            let matchers: Vec<Matcher> =
                wanted.names.iter().chain(&wanted.labels).cloned().collect();
            let time = |sample: &crate::value::Sample| sample.time as f64;
            infos = self.newest_of(&matchers, references, time, Native::Kept)?;
            if infos.iter().any(|info| !info.histograms.is_empty()) {
                let message = "info sample should be float";
                return Err(EvalError::execution(call.span, message));
            }
        }
        let metrics = Cost::bytes(size_of::<Metrics>()).times(count);
        let infos_and_targets = Cost::bytes(SERIES + INFO).times(infos.len());
        self.meter.charge(metrics.and(infos_and_targets))?;
        let mut by_target: Vec<Metrics> = vec![Metrics::new(); count];
        for (at, info) in infos.iter().enumerate() {
            self.meter.work(info.label_work())?;
            let Some(metrics) = by_target.get_mut(targets.number(info.labels())) else {
                continue;
            };
            let name = info.labels().metric();
            match metrics.iter_mut().find(|(known, _)| known == name) {
                Some((_, series)) => series.push(at),
                None => {
                    self.meter.charge(Cost::bytes(name.len()))?;
                    metrics.push((name.to_owned(), vec![at]));
                }
            }
        }
        let mut output: Vec<Series> = Vec::new();
        let mut label_sets = Signatures::new(|_: &str| true);
        for (series, (ignored, target)) in base.iter().zip(of_base) {
            let metrics = target.map_or(&[][..], |target| &*by_target[target]);
            // The info series at the last step, and the number of their result.
            let mut last: Option<(Vec<usize>, Option<usize>)> = None;
            for step in 0..steps.count {
                self.meter.work(1 + metrics.len())?;
                let Some(cell) = series.at(step) else {
                    continue;
                };
                let found = newest(&infos, metrics, step, call)?;
                if last.as_ref().is_none_or(|(known, _)| *known != found) {
                    let labels = match ignored {
                        true => Some(series.labels().clone()),
                        false => joined(series, &infos, &found, &wanted, call)?,
                    };
                    let number = match labels {
                        Some(labels) => {
                            let mut result = series.derived(labels, Vec::new());
                            let number = label_sets.number_of(result.labels(), result.drops_name);
                            if number == output.len() {
                                self.charge_output(&result, steps)?;
                                self.meter.charge(Cost::bytes(SERIES))?;
                                result.values = vec![ABSENT; steps.count];
                                output.push(result);
                            }
                            Some(number)
                        }
                        None => None,
                    };
                    last = Some((found, number));
                }
                let Some((_, Some(number))) = last else {
                    continue;
                };
                if output[number].is_present(step) {
                    return Err(EvalError::execution(call.span, SAME_LABELS));
                }
                let cell = match cell {
                    Cell::Float(value) => Cell::Float(value),
                    Cell::Histogram(histogram) => Cell::Histogram(Arc::clone(histogram)),
                };
                output[number].set(step, cell);
            }
        }
        Ok(Evaluated::Vector(output))
    }

    /// The times at which info series are read: those of the first selector in the argument.
    fn info_references(&self, arg: &Expr, steps: Steps) -> Result<References, EvalError> {
        #[derive(Default)]
        struct First<'a>(Option<(&'a Selector, Vec<&'a Expr>)>);
        impl<'a> Visitor<'a> for First<'a> {
            fn selector(&mut self, selector: &'a Selector, ancestors: &[&'a Expr]) {
                self.0.get_or_insert_with(|| (selector, ancestors.to_vec()));
            }
        }
        let mut first = First::default();
        walk(arg, &mut first);
        let Some((selector, ancestors)) = first.0 else {
            return Ok(References::new(steps, None, 0));
        };
        let (mut at, mut offset) = self.shifted(&selector.shift)?;
        for ancestor in ancestors.iter().rev() {
            if let (None, Expr::Subquery(subquery)) = (at, ancestor) {
                let (outer, more) = self.shifted(&subquery.shift)?;
                at = outer;
                offset = offset.saturating_add(more);
            }
        }
        Ok(References::new(steps, at, offset))
    }
}

impl Wanted {
    fn of(selector: Option<&Expr>) -> Self {
        let matchers = match selector {
            Some(Expr::Selector(selector)) => selector.all_matchers().collect(),
            _ => Vec::new(),
        };
        let (mut names, labels): (Vec<Matcher>, Vec<Matcher>) = matchers
            .into_iter()
            .partition(|one| one.name() == METRIC_NAME);
        let positive = |one: &Matcher| matches!(one.op(), MatchOp::Equal | MatchOp::Match);
        if names.is_empty() {
            names.push(Matcher::equal(METRIC_NAME, "target_info"));
        } else if !names.iter().any(positive)
            && let Ok(any) = Matcher::new(METRIC_NAME, MatchOp::Match, ".+_info")
        {
            names.insert(0, any);
        }
        Self { names, labels }
    }
}

/// For each metric, the info series with the newest sample at a step.
fn newest(
    infos: &[Series],
    metrics: &[(String, Vec<usize>)],
    step: usize,
    call: &Call,
) -> Result<Vec<usize>, EvalError> {
    let mut found = Vec::new();
    for (_, series) in metrics {
        let mut best: Option<usize> = None;
        for &at in series {
            let time = infos[at].values[step];
            if is_absent(time) {
                continue;
            }
            let known = best.map(|best| (best, infos[best].values[step]));
            match known {
                Some((known, before)) if before == time => {
                    let message = format_args!(
                        "found duplicate series for info metric: existing {} @ {before}, new {} @ {time}",
                        infos[known].labels(),
                        infos[at].labels(),
                    );
                    return Err(EvalError::execution(call.span, message));
                }
                Some((_, before)) if before > time => {}
                _ => best = Some(at),
            }
        }
        found.extend(best);
    }
    Ok(found)
}

/// The labels of a series with those of its info series; `None` if it is left out because no info series satisfies the
/// conditions.
fn joined(
    series: &Series,
    infos: &[Series],
    found: &[usize],
    wanted: &Wanted,
    call: &Call,
) -> Result<Option<Labels>, EvalError> {
    if found.is_empty() && wanted.labels.iter().any(|label| !label.matches("")) {
        return Ok(None);
    }
    let mut added: Vec<(&str, &str)> = Vec::new();
    for &at in found {
        for (name, value) in infos[at].labels().iter() {
            let is_wanted =
                wanted.labels.is_empty() || wanted.labels.iter().any(|label| label.name() == name);
            if name == METRIC_NAME || !is_wanted {
                continue;
            }
            match added.iter().find(|(known, _)| *known == name) {
                Some((_, known)) if *known != value => {
                    let message = format_args!("conflicting label: {name}");
                    return Err(EvalError::execution(call.span, message));
                }
                Some(_) => {}
                None if !series.labels().get(name).is_empty() => {}
                None => added.push((name, value)),
            }
        }
    }
    let labels = added
        .iter()
        .fold(series.labels().clone(), |labels, (name, value)| {
            labels.with(name, value)
        });
    Ok(Some(labels))
}
