//! Aggregations that fold the series of a selector or of a range function one by one, so that their columns are not held.

use super::{
    Evaluation,
    aggregate::is_kept,
    column::{ABSENT, Column, Evaluated, Series, Steps, is_absent},
    error::EvalError,
    fold::Fold,
    invariant::is_invariant,
    meter::{Cost, Meter},
    names::NameRemoval,
    ranged::{has_more_metadata, keeps_name},
    ranges::extension,
    selector::Native,
    signature::Signatures,
};
use crate::{
    labels::is_metadata,
    syntax::{Aggregate, Call, Expr, Function},
    value::Sample,
};

/// A group of the result.
pub(super) struct Group<F> {
    /// The result, without values.
    pub(super) series: Series,
    pub(super) members: Members<F>,
}

/// The samples of a group so far.
pub(super) enum Members<F> {
    /// Those of its only series: a fold takes more memory than a column.
    One(Column),
    Several(Vec<Option<F>>),
}

impl<F: Fold> Members<F> {
    /// Adds the samples of a further series.
    fn join(&mut self, values: &[f64], meter: &Meter<'_>) -> Result<(), EvalError> {
        for (fold, &value) in self.folds(meter)?.iter_mut().zip(values) {
            if is_absent(value) {
                continue;
            }
            match fold {
                Some(fold) => fold.add(value),
                None => *fold = Some(F::first(value)),
            }
        }
        Ok(())
    }

    /// Adds the samples of further series, which follow those of this one.
    pub(super) fn append(&mut self, other: Self, meter: &Meter<'_>) -> Result<(), EvalError> {
        let others = match other {
            Self::One(column) => return self.join(&column, meter),
            Self::Several(others) => others,
        };
        for (fold, other) in self.folds(meter)?.iter_mut().zip(others) {
            *fold = match (*fold, other) {
                (Some(fold), Some(other)) => Some(fold.and(other)),
                (fold, other) => fold.or(other),
            };
        }
        Ok(())
    }

    fn folds(&mut self, meter: &Meter<'_>) -> Result<&mut [Option<F>], EvalError> {
        if let Self::One(column) = self {
            meter.charge(Self::cost_of_several(column.len()))?;
            let folds = column
                .iter()
                .map(|&value| (!is_absent(value)).then(|| F::first(value)));
            let folds = folds.collect();
            meter.release(Cost::column(column.len()));
            *self = Self::Several(folds);
        }
        Ok(match self {
            Self::Several(folds) => folds,
            // It was replaced above.
            Self::One(_) => &mut [],
        })
    }

    pub(super) fn cost(&self) -> Cost {
        match self {
            Self::One(column) => Cost::column(column.len()),
            Self::Several(folds) => Self::cost_of_several(folds.len()),
        }
    }

    fn cost_of_several(steps: usize) -> Cost {
        Cost::bytes(size_of::<Option<F>>()).times(steps)
    }
}

impl Evaluation<'_> {
    /// The result of an aggregation; `None` if its operand must be evaluated as a whole: it is another expression, has
    /// native histograms, or may have series that become equal without their names.
    pub(super) fn streamed<F: Fold>(
        &mut self,
        aggregate: &Aggregate,
        steps: Steps,
    ) -> Result<Option<Vec<Series>>, EvalError> {
        let operand = aggregate.expr.unwrap_parens();
        if !is_streamable(operand) || steps.count > 1 && is_invariant(operand) {
            return Ok(None);
        }
        self.meter.check()?;
        let groups = match self.shared_out::<F>(aggregate, steps)? {
            None => self.folded_series::<F>(aggregate, steps)?,
            groups => groups,
        };
        let Some(groups) = groups else {
            return Ok(None);
        };
        let mut output = Vec::with_capacity(groups.len());
        for Group {
            mut series,
            members,
        } in groups
        {
            self.meter.work(8 + steps.count)?;
            series.values = match members {
                Members::One(mut column) => {
                    for value in column.iter_mut().filter(|value| !is_absent(**value)) {
                        *value = F::first(*value).value();
                    }
                    column
                }
                Members::Several(folds) => {
                    self.meter.charge(Cost::column(steps.count))?;
                    let values = folds.iter().map(|fold| fold.map_or(ABSENT, F::value));
                    values.collect()
                }
            };
            output.push(series);
        }
        Ok(Some(output))
    }

    /// The groups of a streamable operand; `None` if it must be evaluated as a whole, and then nothing is changed.
    pub(super) fn folded_series<F: Fold>(
        &mut self,
        aggregate: &Aggregate,
        steps: Steps,
    ) -> Result<Option<Vec<Group<F>>>, EvalError> {
        let operand = aggregate.expr.unwrap_parens();
        let held = self.meter.held();
        let (queried, annotations) = (self.queried.get(), self.annotations.clone());
        let grouping = aggregate.grouping.as_ref();
        let named = grouping.map_or(0, |grouping| grouping.labels.len());
        let naming = self.naming(operand);
        let mut signatures = Signatures::new(|name: &str| {
            is_kept(grouping, name) && !(naming == Naming::Removed && is_metadata(name))
        });
        let mut groups: Vec<Group<F>> = Vec::new();
        let mut as_a_whole = false;
        let done = self.each_series(operand, steps, |evaluation, series| {
            let collides = naming == Naming::Removed && has_more_metadata(series.labels());
            if collides || !series.histograms.is_empty() {
                as_a_whole = true;
                return Err(EvalError::Interrupted);
            }
            let work = series.label_work() + named * series.labels().len();
            evaluation.meter.work(work + steps.count)?;
            let number = signatures.number(series.labels());
            match groups.get_mut(number) {
                Some(group) => {
                    group.members.join(&series.values, &evaluation.meter)?;
                    evaluation.meter.release(Cost::series(&series));
                }
                None => {
                    // The series stays charged: the list of signatures holds its labels.
                    let mut made = series.derived(signatures.labels(number), Vec::new());
                    made.drops_name = naming == Naming::RemovedLater;
                    evaluation.meter.charge(Cost::series(&made))?;
                    groups.push(Group {
                        series: made,
                        members: Members::One(series.into_parts().1),
                    });
                }
            }
            Ok(())
        });
        if as_a_whole {
            let nothing = Evaluated::Vector(Vec::new());
            self.meter.release_except(held, &nothing)?;
            self.queried.set(queried);
            self.annotations = annotations;
            return Ok(None);
        }
        done.map(|()| Some(groups))
    }

    /// Passes the series of a streamable expression to `each`, with their names.
    fn each_series(
        &mut self,
        expr: &Expr,
        steps: Steps,
        each: impl FnMut(&mut Self, Series) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        match expr {
            Expr::Selector(selector) => {
                let matchers: Vec<_> = selector.all_matchers().collect();
                let references = self.references(&selector.shift, steps)?;
                let value = |sample: &Sample| sample.value;
                self.each_newest(&matchers, references, value, Native::Kept, each)
            }
            Expr::Call(call) => match range_of(call) {
                Some(arg) => self.each_ranged(call, arg, steps, each).map(|_| ()),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// How a streamable expression changes the names of its series.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    Kept,
    Removed,
    /// Removed at the end of the query.
    RemovedLater,
}

impl Evaluation<'_> {
    fn naming(&self, expr: &Expr) -> Naming {
        match (expr, self.engine.name_removal) {
            (Expr::Call(call), _) if keeps_name(call.function) => Naming::Kept,
            (Expr::Call(_), NameRemoval::Immediate) => Naming::Removed,
            (Expr::Call(_), NameRemoval::Delayed) => Naming::RemovedLater,
            _ => Naming::Kept,
        }
    }
}

/// The argument of a range function.
pub(super) fn range_of(call: &Call) -> Option<&Expr> {
    let mut args = call.args.iter().map(Expr::unwrap_parens);
    args.find(|arg| matches!(arg, Expr::Range(_)))
}

/// Whether the series of an expression can be computed one by one, and none of them can get the labels of another when
/// its name is removed.
fn is_streamable(expr: &Expr) -> bool {
    match expr {
        Expr::Selector(selector) => selector.extension.is_none(),
        Expr::Call(call) => {
            // These look at all series.
            let as_a_whole = [Function::AbsentOverTime, Function::QuantileOverTime];
            let Some(arg @ Expr::Range(range)) = range_of(call) else {
                return false;
            };
            !as_a_whole.contains(&call.function)
                && extension(arg).is_none()
                && range.selector.metric().is_some()
        }
        _ => false,
    }
}
