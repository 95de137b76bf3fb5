//! Dispatch of function calls.

use super::{
    Evaluation,
    column::{ABSENT, Column, Evaluated, Series, Steps, is_absent},
    error::EvalError,
    meter::Cost,
    sort::sorted,
};
use crate::{
    functions::{date::Date, math, quantile::nan_first},
    labels::Labels,
    syntax::{Call, Expr, Function, Span, ValueType},
};

impl Evaluation<'_> {
    pub(super) fn call(&mut self, call: &Call, steps: Steps) -> Result<Evaluated, EvalError> {
        let range = call.args.iter().map(Expr::unwrap_parens);
        let mut range = range.filter(|arg| arg.value_type() == ValueType::Matrix);
        if let Some(arg) = range.next() {
            return self.ranged(call, arg, steps);
        }
        if let Some(function) = math::of_one(call.function) {
            let vector = self.vector(&call.args[0], steps)?;
            return self.mapped(vector, call.span, |_, value| function(value));
        }
        if let Some(function) = math::of_date(call.function) {
            return self.date(call, steps, function);
        }
        match call.function {
            Function::Pi => self.constant(std::f64::consts::PI, steps),
            Function::Time => {
                self.meter.charge(Cost::column(steps.count))?;
                Ok(Evaluated::Scalar(times(steps)))
            }
            Function::ScalarOf => self.scalar_of(call, steps),
            Function::VectorOf => {
                let column = self.scalar(&call.args[0], steps)?;
                self.vector_of(column)
            }
            Function::Timestamp => self.timestamp(call, steps),
            Function::Absent => self.absent(call, steps),
            Function::Sort | Function::SortDesc => self.sort(call, steps),
            Function::Round => {
                let vector = self.vector(&call.args[0], steps)?;
                let nearest = match call.args.get(1) {
                    Some(nearest) => self.scalar(nearest, steps)?,
                    None => self.same(1.0, steps)?,
                };
                self.mapped(vector, call.span, |step, value| {
                    math::round(value, nearest[step])
                })
            }
            Function::Clamp | Function::ClampMin | Function::ClampMax => self.clamp(call, steps),
            Function::LabelReplace => self.label_replace(call, steps),
            Function::LabelJoin => self.label_join(call, steps),
            Function::HistogramAvg
            | Function::HistogramCount
            | Function::HistogramStddev
            | Function::HistogramStdvar
            | Function::HistogramSum => {
                // Defined for native histograms only: float samples are dropped.
                self.vector(&call.args[0], steps)?;
                Ok(Evaluated::Vector(Vec::new()))
            }
            Function::HistogramQuantile => self.histogram_quantile(call, steps),
            Function::HistogramFraction => self.histogram_fraction(call, steps),
            other => {
                let message = format_args!("{}() cannot be evaluated", other.name());
                Err(EvalError::execution(call.span, message))
            }
        }
    }

    /// Applies a function to every sample and drops the metric name.
    pub(super) fn mapped(
        &self,
        mut vector: Vec<Series>,
        span: Span,
        value: impl Fn(usize, f64) -> f64,
    ) -> Result<Evaluated, EvalError> {
        for series in &mut vector {
            self.meter.work(8 + series.values.len())?;
            for (step, sample) in series.values.iter_mut().enumerate() {
                if !is_absent(*sample) {
                    *sample = value(step, *sample);
                }
            }
        }
        self.without_names(vector, span)
    }

    /// Drops the metric name of every series, immediately or at the end of the query.
    pub(super) fn without_names(
        &self,
        vector: Vec<Series>,
        span: Span,
    ) -> Result<Evaluated, EvalError> {
        let names = self.engine.name_removal;
        let vector = names.remove_all(vector, span, &self.meter)?;
        Ok(Evaluated::Vector(vector))
    }

    /// A column with the same value at every step.
    pub(super) fn same(&self, value: f64, steps: Steps) -> Result<Column, EvalError> {
        self.meter.charge(Cost::column(steps.count))?;
        Ok(vec![value; steps.count])
    }

    /// A vector of one series without labels.
    fn vector_of(&self, column: Column) -> Result<Evaluated, EvalError> {
        let series = Series::new(Labels::empty(), column);
        self.meter.charge(Cost::bytes(series.overhead()))?;
        Ok(Evaluated::Vector(vec![series]))
    }

    /// The single sample of each step as a number; NaN if there is none or more than one.
    fn scalar_of(&mut self, call: &Call, steps: Steps) -> Result<Evaluated, EvalError> {
        let vector = self.vector(&call.args[0], steps)?;
        self.meter.charge(Cost::column(steps.count))?;
        let only = |step: usize| {
            self.meter.work(vector.len() + 1)?;
            let values = vector.iter().map(|series| series.values[step]);
            let mut present = values.filter(|&value| !is_absent(value));
            Ok(match (present.next(), present.next()) {
                (Some(value), None) => value,
                _ => f64::NAN,
            })
        };
        let column: Result<Column, EvalError> = (0..steps.count).map(only).collect();
        Ok(Evaluated::Scalar(column?))
    }

    fn date(
        &mut self,
        call: &Call,
        steps: Steps,
        part: fn(Date) -> i64,
    ) -> Result<Evaluated, EvalError> {
        // A time that is not finite has no date. Prometheus' result for it depends on the processor.
        let part = |seconds: f64| match seconds.is_finite() {
            true => part(Date::of(seconds as i64)) as f64,
            false => f64::NAN,
        };
        let Some(arg) = call.args.first() else {
            self.meter.charge(Cost::column(steps.count))?;
            let seconds = steps.times().map(|time| time.div_euclid(1000) as f64);
            return self.vector_of(seconds.map(part).collect());
        };
        let vector = self.vector(arg, steps)?;
        self.mapped(vector, call.span, |_, value| part(value))
    }

    /// For a selector, the time of each sample; for any other expression, the time of the step.
    fn timestamp(&mut self, call: &Call, steps: Steps) -> Result<Evaluated, EvalError> {
        let arg = call.args[0].unwrap_parens();
        if let Expr::Selector(selector) = arg {
            let vector = self.newest(selector, steps, |sample| seconds(sample.time))?;
            return self.mapped(vector, call.span, |_, value| value);
        }
        let vector = self.vector(arg, steps)?;
        self.mapped(vector, call.span, |step, _| seconds(steps.at(step)))
    }

    fn absent(&mut self, call: &Call, steps: Steps) -> Result<Evaluated, EvalError> {
        let vector = self.vector(&call.args[0], steps)?;
        let series = self.absent_of(&vector, call.args[0].unwrap_parens(), steps)?;
        Ok(Evaluated::Vector(match series.has_samples() {
            true => vec![series],
            false => Vec::new(),
        }))
    }

    /// Sorts by value, NaN last. A range query is always sorted by labels instead.
    fn sort(&mut self, call: &Call, steps: Steps) -> Result<Evaluated, EvalError> {
        if steps.count > 1 {
            let message =
                "sort is ineffective for range queries since results are always ordered by labels";
            self.annotations.warn(call.span, message);
        }
        let mut vector = self.vector(&call.args[0], steps)?;
        if steps.count == 1 {
            vector.retain(Series::has_samples);
            let descending = call.function == Function::SortDesc;
            vector = sorted(vector, &self.meter, |a, b| {
                let (a, b) = (a.values[0], b.values[0]);
                match (a.is_nan() || b.is_nan(), descending) {
                    (true, _) => nan_first(&a, &b).reverse(),
                    (false, true) => nan_first(&b, &a),
                    (false, false) => nan_first(&a, &b),
                }
            })?;
        }
        Ok(Evaluated::Vector(vector))
    }

    fn clamp(&mut self, call: &Call, steps: Steps) -> Result<Evaluated, EvalError> {
        let mut vector = self.vector(&call.args[0], steps)?;
        let first = self.scalar(&call.args[1], steps)?;
        let (lowest, highest) = match call.function {
            Function::ClampMin => (first, self.same(f64::INFINITY, steps)?),
            Function::ClampMax => (self.same(f64::NEG_INFINITY, steps)?, first),
            _ => (first, self.scalar(&call.args[2], steps)?),
        };
        // `clamp` with its minimum above its maximum returns an empty vector.
        for series in &mut vector {
            self.meter.work(8 + series.values.len())?;
            for (step, value) in series.values.iter_mut().enumerate() {
                if highest[step] < lowest[step] {
                    *value = ABSENT;
                }
            }
        }
        vector.retain(Series::has_samples);
        self.mapped(vector, call.span, |step, value| {
            math::clamp(value, lowest[step], highest[step])
        })
    }
}

/// The value of a string argument.
pub(super) fn text(arg: &Expr) -> &str {
    match arg.unwrap_parens() {
        Expr::Text(text) => &text.value,
        _ => "",
    }
}

fn times(steps: Steps) -> Column {
    steps.times().map(seconds).collect()
}

fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}
