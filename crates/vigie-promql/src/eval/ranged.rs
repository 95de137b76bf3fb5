//! Functions of range vectors, evaluated window by window over a selector's samples or a subquery's results.

use super::{
    Evaluation,
    column::{ABSENT, Column, Evaluated, Series, Steps, is_absent},
    error::EvalError,
    meter::Cost,
    names::{NameRemoval, refuse_same_labels},
    window::{Window, Windows, any_present},
};
use crate::{
    format::shortened,
    functions::{
        over_time, quantile,
        rate::{self, Rate},
        trend,
    },
    labels::Labels,
    syntax::{Call, Expr, Function, Selector, Span, Subquery},
    value::{Sample, is_stale},
};

/// The work of finding an annotation in the list, in the meter's unit.
const LOOK_UP: usize = 64;

/// A range function with its further arguments.
struct Ranged<'a> {
    function: Function,
    steps: Steps,
    windows: Windows<'a>,
    /// The scalar argument, if the function has one.
    param: Column,
    /// A reused buffer.
    resets: Vec<usize>,
    values: Vec<f64>,
}

impl<'e> Evaluation<'e> {
    /// Calls a function with the range-vector argument `arg`.
    pub(super) fn ranged(
        &mut self,
        call: &Call,
        arg: &Expr,
        steps: Steps,
    ) -> Result<Evaluated, EvalError> {
        let param = call
            .args
            .iter()
            .find(|other| other.value_type() == crate::syntax::ValueType::Scalar);
        let param = match param {
            Some(param) => self.scalar(param, steps)?,
            None => Vec::new(),
        };
        let mut ranged = Ranged {
            function: call.function,
            steps,
            windows: self.windows(arg, steps)?,
            param,
            resets: Vec::new(),
            values: Vec::new(),
        };
        let keeps_name = matches!(
            call.function,
            Function::FirstOverTime | Function::LastOverTime
        );
        let mut found: Vec<Series> = Vec::new();
        self.each_range(arg, ranged.windows, |evaluation, source, samples| {
            evaluation.meter.work(8 + steps.count)?;
            let mut series = source.without_values();
            evaluation.charge_output(&series, steps)?;
            series.values = ranged.column(samples);
            // An interrupted pass leaves windows out, so the result must be discarded.
            evaluation.meter.check()?;
            if any_present(&series.values) {
                evaluation.suspect_gauge(call.function, series.labels(), arg);
                if !keeps_name || series.drops_name {
                    let names = evaluation.engine.name_removal;
                    names.remove(&mut series, &evaluation.meter)?;
                }
                found.push(series);
            } else {
                evaluation.meter.release(Cost::series(&series));
            }
            Ok(())
        })?;
        if call.function == Function::QuantileOverTime {
            for (step, &rank) in ranged.param.iter().enumerate() {
                let used = |one: &Series| !is_absent(one.values[step]);
                if !quantile::is_valid(rank) {
                    self.meter.work(found.len())?;
                    if found.iter().any(used) {
                        self.check_quantiles(&[rank], call.args[0].span())?;
                    }
                }
            }
        }
        if call.function == Function::AbsentOverTime {
            found = vec![self.absent_of(&found, arg, steps)?];
            found.retain(Series::has_samples);
            return Ok(Evaluated::Vector(found));
        }
        if self.engine.name_removal == NameRemoval::Immediate && !keeps_name {
            refuse_same_labels(&found, call.span, &self.meter)?;
        }
        Ok(Evaluated::Vector(found))
    }

    /// Warns about quantiles outside of 0 to 1.
    pub(super) fn check_quantiles(
        &mut self,
        quantiles: &[f64],
        span: Span,
    ) -> Result<(), EvalError> {
        let invalid = quantiles
            .iter()
            .filter(|value| !quantile::is_valid(**value));
        for &invalid in invalid {
            self.meter.work(LOOK_UP)?;
            self.annotations.invalid_quantile(span, invalid);
        }
        Ok(())
    }

    fn suspect_gauge(&mut self, function: Function, labels: &Labels, arg: &Expr) {
        let name = labels.metric();
        let counts = ["_total", "_sum", "_count", "_bucket"];
        if matches!(function, Function::Rate | Function::Increase)
            && !name.is_empty()
            && !counts.iter().any(|suffix| name.ends_with(suffix))
        {
            let message = shortened(format_args!(
                "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {name:?}"
            ));
            self.annotations.info(arg.span(), message);
        }
    }

    pub(super) fn windows(&self, arg: &Expr, steps: Steps) -> Result<Windows<'e>, EvalError> {
        let (shift, range) = match arg {
            Expr::Range(node) => (&node.selector.shift, &node.range),
            Expr::Subquery(node) => (&node.shift, &node.range),
            other => {
                return Err(EvalError::execution(
                    other.span(),
                    "this is not a range vector",
                ));
            }
        };
        Ok(Windows {
            references: self.references(shift, steps)?,
            range: self.positive_millis(range)?,
            interrupted: self.meter.interrupted(),
            queried: self.queried,
        })
    }

    /// Passes each series of a range to `each`, with its samples and without stale markers. The values of the series
    /// passed are unspecified.
    pub(super) fn each_range(
        &mut self,
        arg: &Expr,
        windows: Windows<'_>,
        mut each: impl FnMut(&mut Self, &Series, &[Sample]) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        match arg {
            Expr::Subquery(subquery) => self.each_of_subquery(subquery, windows, each),
            Expr::Range(range) => {
                self.each_of_selector(&range.selector, windows, |evaluation, labels, samples| {
                    let series = Series::stored(labels, Vec::new());
                    each(evaluation, &series, samples)
                })
            }
            _ => Ok(()),
        }
    }

    fn each_of_selector(
        &mut self,
        selector: &Selector,
        windows: Windows<'_>,
        mut each: impl FnMut(&mut Self, &Labels, &[Sample]) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let mut kept = Vec::new();
        self.select(selector, windows.bounds(), |evaluation, labels, samples| {
            if !samples.iter().any(|sample| is_stale(sample.value)) {
                return each(evaluation, labels, samples);
            }
            let copy = Cost::bytes(2 * size_of_val(samples));
            evaluation.meter.check_available(copy)?;
            kept.clear();
            kept.extend(samples.iter().filter(|sample| !is_stale(sample.value)));
            each(evaluation, labels, &kept)
        })
    }

    fn each_of_subquery(
        &mut self,
        subquery: &Subquery,
        windows: Windows<'_>,
        mut each: impl FnMut(&mut Self, &Series, &[Sample]) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let step = match &subquery.step {
            Some(step) => self.positive_millis(step)?.max(1),
            None => super::millis(self.engine.subquery_step).max(1),
        };
        let (after, end) = windows.bounds();
        // Steps are multiples of the step; the first is the first one inside of the first window.
        let aligned = after.div_euclid(step).saturating_mul(step);
        let start = if aligned < after {
            aligned.saturating_add(step)
        } else {
            aligned
        };
        if end < start {
            return Ok(());
        }
        let count = end.saturating_sub(start) / step + 1;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        // Checked before anything of that size is allocated.
        self.meter.check_available(Cost::column(count))?;
        let inner = Steps { start, step, count };
        // Samples of a subquery are counted as samples of its windows.
        let before = self.queried.get();
        let series = self.vector(&subquery.expr, inner)?;
        let scratch = Cost::bytes(size_of::<Sample>()).times(count).times(2);
        self.meter.check_available(scratch)?;
        self.queried.set(before);
        let mut samples = Vec::new();
        for one in &series {
            self.meter.work(8 + count)?;
            samples.clear();
            let values = inner.times().zip(&one.values);
            let present = values.filter(|(_, value)| !is_absent(**value));
            samples.extend(present.map(|(time, &value)| Sample { time, value }));
            each(self, one, &samples)?;
        }
        Ok(())
    }
}

impl Ranged<'_> {
    /// Evaluates the function over all windows of one series.
    fn column(&mut self, samples: &[Sample]) -> Column {
        let windows = self.windows;
        let (param, steps) = (&self.param, self.steps);
        let rate = |counter, per_second| Rate {
            counter,
            per_second,
        };
        let each = |value: &dyn Fn(&[Sample]) -> f64| {
            windows.map(samples, |window: Window<'_>| value(window.samples))
        };
        match self.function {
            Function::Rate => {
                rate::extrapolated(rate(true, true), samples, windows, &mut self.resets)
            }
            Function::Increase => {
                rate::extrapolated(rate(true, false), samples, windows, &mut self.resets)
            }
            Function::Delta => {
                rate::extrapolated(rate(false, false), samples, windows, &mut self.resets)
            }
            Function::Irate => rate::instant(rate(true, true), samples, windows),
            Function::Idelta => rate::instant(rate(false, false), samples, windows),
            Function::SumOverTime => each(&over_time::sum),
            Function::AvgOverTime => each(&over_time::avg),
            Function::CountOverTime => each(&|samples| samples.len() as f64),
            Function::MaxOverTime => over_time::best(samples, windows, |a, b| a > b),
            Function::MinOverTime => over_time::best(samples, windows, |a, b| a < b),
            Function::FirstOverTime => each(&|samples| samples[0].value),
            Function::LastOverTime => each(&|samples| samples[samples.len() - 1].value),
            Function::PresentOverTime | Function::AbsentOverTime => each(&|_| 1.0),
            Function::StddevOverTime => each(&|samples| over_time::variance(samples).sqrt()),
            Function::StdvarOverTime => each(&over_time::variance),
            Function::Changes => each(&over_time::changes),
            Function::Resets => each(&over_time::resets),
            Function::Deriv => each(&|samples| {
                trend::line(samples, samples[0].time).map_or(ABSENT, |line| line.slope)
            }),
            Function::PredictLinear => windows.map(samples, |window| {
                let line = trend::line(window.samples, steps.at(window.step));
                line.map_or(ABSENT, |line| {
                    line.slope * param[window.step] + line.intercept
                })
            }),
            Function::QuantileOverTime => windows.map(samples, |window| {
                over_time::quantile_of(window.samples, param[window.step], &mut self.values)
            }),
            _ => vec![ABSENT; steps.count],
        }
    }
}
