//! Functions of range vectors, evaluated window by window over a selector's samples or a subquery's results.

use super::{
    Evaluation,
    column::{ABSENT, Column, Evaluated, Series, Steps, is_absent},
    error::EvalError,
    meter::{Cost, Meter},
    names::{NameRemoval, refuse_same_labels},
    ranges::extension,
    selector::seconds,
    window::{Window, Windows},
};
use crate::{
    format::shortened,
    functions::{
        over_time, quantile,
        rate::{self, Plan, Rate},
        smoothing, trend,
    },
    labels::{Labels, METRIC_NAME, is_metadata},
    syntax::{Call, Expr, Extension, Function, Span, ValueType},
    value::Sample,
};

/// The work of finding an annotation in the list, in the meter's unit.
const LOOK_UP: usize = 64;

/// A range function with its further arguments.
pub(super) struct Ranged<'a> {
    pub(super) function: Function,
    pub(super) steps: Steps,
    pub(super) windows: Windows<'a>,
    /// The scalar arguments.
    pub(super) params: Vec<Column>,
    /// Reused buffers.
    pub(super) plan: Plan,
    pub(super) resets: Vec<usize>,
    pub(super) values: Vec<f64>,
}

impl<'e> Evaluation<'e> {
    /// Calls a function with the range-vector argument `arg`.
    pub(super) fn ranged(
        &mut self,
        call: &Call,
        arg: &Expr,
        steps: Steps,
    ) -> Result<Evaluated, EvalError> {
        let keeps_name = keeps_name(call.function);
        let mut found: Vec<Series> = Vec::new();
        // Series of one metric stay different without its name, unless they lose another label.
        let mut differ = match arg {
            Expr::Range(range) => range.selector.metric().is_some(),
            _ => false,
        };
        let ranged = self.each_ranged(call, arg, steps, |evaluation, mut series| {
            if !keeps_name || series.drops_name {
                differ &= !has_more_metadata(series.labels());
                let names = evaluation.engine.name_removal;
                names.remove(&mut series, &evaluation.meter)?;
            }
            found.push(series);
            Ok(())
        })?;
        if call.function == Function::QuantileOverTime {
            for (step, &rank) in ranged.params[0].iter().enumerate() {
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
        if self.engine.name_removal == NameRemoval::Immediate && !keeps_name && !differ {
            refuse_same_labels(&found, call.span, &self.meter)?;
        }
        Ok(Evaluated::Vector(found))
    }

    /// Passes each series of the result that has samples to `each`, with its name. It is charged; if it is not kept, `each`
    /// releases it.
    pub(super) fn each_ranged(
        &mut self,
        call: &Call,
        arg: &Expr,
        steps: Steps,
        mut each: impl FnMut(&mut Self, Series) -> Result<(), EvalError>,
    ) -> Result<Ranged<'e>, EvalError> {
        let scalars = call.args.iter();
        let scalars = scalars.filter(|other| other.value_type() == ValueType::Scalar);
        let params: Result<Vec<Column>, EvalError> =
            scalars.map(|scalar| self.scalar(scalar, steps)).collect();
        let mut ranged = Ranged {
            function: call.function,
            steps,
            windows: self.windows(arg, steps)?,
            params: params?,
            plan: Plan::default(),
            resets: Vec::new(),
            values: Vec::new(),
        };
        let extension = extension(arg);
        if let Some(extension) = extension {
            check_extension(extension, call, arg)?;
        }
        self.each_range(arg, ranged.windows, |evaluation, source, samples| {
            evaluation.meter.work(8 + steps.count)?;
            let mut series = source.without_values();
            evaluation.charge_output(&series, steps)?;
            if extension.is_some() {
                evaluation.extended(&ranged, call, source, samples, &mut series)?;
            } else if samples.histograms.is_empty() {
                ranged.check_factors(call)?;
                ranged.charge_plan(samples.floats.len(), &evaluation.meter)?;
                series.values = ranged.column(samples.floats);
            } else {
                ranged.check_factors(call)?;
                evaluation.mixed(&ranged, call, source, samples, &mut series)?;
            }
            // An interrupted pass leaves windows out, so the result must be discarded.
            evaluation.meter.check()?;
            if !series.has_samples() {
                evaluation.meter.release(Cost::series(&series));
                return Ok(());
            }
            if series.has_floats() {
                evaluation.suspect_gauge(call.function, series.labels(), arg);
            }
            each(evaluation, series)
        })?;
        Ok(ranged)
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
}

/// Whether the results are samples of the metric itself.
pub(super) fn keeps_name(function: Function) -> bool {
    matches!(function, Function::FirstOverTime | Function::LastOverTime)
}

/// Whether labels other than the name are removed with it.
pub(super) fn has_more_metadata(labels: &Labels) -> bool {
    let mut names = labels.iter().map(|(name, _)| name);
    names.any(|name| is_metadata(name) && name != METRIC_NAME)
}

/// Prometheus checks this during evaluation as well.
fn check_extension(extension: Extension, call: &Call, arg: &Expr) -> Result<(), EvalError> {
    let permitted = match (extension, call.function) {
        (_, Function::Rate | Function::Increase | Function::Delta) => return Ok(()),
        (Extension::Anchored, Function::Changes | Function::Resets) => return Ok(()),
        (Extension::Anchored, _) => "changes, delta, increase, rate, resets",
        (Extension::Smoothed, _) => "delta, increase, rate",
    };
    let (word, name) = (extension.text(), call.function.name());
    let message =
        format_args!("{word} modifier can only be used with: {permitted} - not with {name}");
    Err(EvalError::execution(arg.span(), message))
}

impl Ranged<'_> {
    /// The variant of `rate` that the function is.
    pub(super) fn rate(&self) -> Option<Rate> {
        let (counter, per_second) = match self.function {
            Function::Rate | Function::Irate => (true, true),
            Function::Increase => (true, false),
            Function::Delta | Function::Idelta => (false, false),
            _ => return None,
        };
        Some(Rate {
            counter,
            per_second,
        })
    }

    /// Charges the plan of the rate of a series with so many samples, as far as it grows.
    fn charge_plan(&self, samples: usize, meter: &Meter<'_>) -> Result<(), EvalError> {
        let is_planned = matches!(
            self.function,
            Function::Rate | Function::Increase | Function::Delta
        );
        let longest = self.plan.longest();
        if !is_planned || samples <= longest {
            return Ok(());
        }
        let steps = match longest {
            0 => Cost::bytes(Plan::STEP).times(self.steps.count),
            _ => Cost::default(),
        };
        let more = Cost::bytes(Plan::SAMPLE).times(samples - longest);
        meter.charge(steps.and(more))
    }

    /// The smoothing factors must be between 0 and 1.
    fn check_factors(&self, call: &Call) -> Result<(), EvalError> {
        if self.function != Function::DoubleExponentialSmoothing {
            return Ok(());
        }
        let named = [("smoothing factor", "sf"), ("trend factor", "tf")];
        for ((name, short), (at, factors)) in named.into_iter().zip(self.params.iter().enumerate())
        {
            let inside = |factor: &&f64| **factor > 0.0 && **factor < 1.0;
            if let Some(factor) = factors.iter().find(|factor| !inside(factor)) {
                let message =
                    format_args!("invalid {name}. Expected: 0 < {short} < 1, got: {factor:.6}");
                return Err(EvalError::execution(call.args[at + 1].span(), message));
            }
        }
        Ok(())
    }

    /// Evaluates the function over all windows of one series of floats.
    pub(super) fn column(&mut self, samples: &[Sample]) -> Column {
        let windows = self.windows;
        let (params, steps) = (&self.params, self.steps);
        let each = |value: &dyn Fn(&[Sample]) -> f64| {
            windows.map(samples, |window: Window<'_>| value(window.samples))
        };
        let rate = self.rate().unwrap_or_default();
        match self.function {
            Function::Rate | Function::Increase | Function::Delta => {
                rate::extrapolated(rate, samples, windows, &mut self.plan, &mut self.resets)
            }
            Function::Irate | Function::Idelta => rate::instant(rate, samples, windows),
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
                    line.slope * params[0][window.step] + line.intercept
                })
            }),
            Function::QuantileOverTime => windows.map(samples, |window| {
                over_time::quantile_of(window.samples, params[0][window.step], &mut self.values)
            }),
            Function::MadOverTime => windows.map(samples, |window| {
                over_time::median_deviation(window.samples, &mut self.values)
            }),
            Function::DoubleExponentialSmoothing => windows.map(samples, |window| {
                let [smoothing, trend] = [0, 1].map(|at: usize| params[at][window.step]);
                smoothing::smoothed(window.samples, smoothing, trend).unwrap_or(ABSENT)
            }),
            Function::TsOfFirstOverTime => each(&|samples| seconds(samples[0].time)),
            Function::TsOfLastOverTime => each(&|samples| seconds(samples[samples.len() - 1].time)),
            Function::TsOfMaxOverTime => {
                each(&|samples| seconds(over_time::last_best(samples, |a, b| a >= b).time))
            }
            Function::TsOfMinOverTime => {
                each(&|samples| seconds(over_time::last_best(samples, |a, b| a <= b).time))
            }
            _ => vec![ABSENT; steps.count],
        }
    }
}
