//! Dispatch of function calls.

use std::cmp::Ordering;

use super::{
    Evaluation,
    column::{ABSENT, Column, Evaluated, Series, Steps, is_absent},
    error::EvalError,
    meter::Cost,
    selector::seconds,
    sort::sorted,
};
use crate::{
    functions::{date::Date, math, natural::natural, quantile::nan_first},
    labels::Labels,
    syntax::{Call, Expr, Function, Span, ValueType},
};

const SORT_IN_RANGE: &str =
    "sort is ineffective for range queries since results are always ordered by labels";

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
            Function::SortByLabel | Function::SortByLabelDesc => self.sort_by_label(call, steps),
            Function::Info => self.info(call, steps),
            Function::StartOf => self.constant(seconds(self.times.start), steps),
            Function::EndOf => self.constant(seconds(self.times.end), steps),
            Function::RangeOf => {
                let range = self.times.end.saturating_sub(self.times.start);
                self.constant(seconds(range), steps)
            }
            Function::StepOf => {
                let step = if self.instant { 0 } else { self.times.step };
                self.constant(seconds(step), steps)
            }
            Function::MaxOf => self.of_two(call, steps, math::max),
            Function::MinOf => self.of_two(call, steps, math::min),
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
            | Function::HistogramSum => self.histogram_figure(call, steps),
            Function::HistogramQuantiles => self.histogram_quantiles(call, steps),
            Function::HistogramQuantile => self.histogram_quantile(call, steps),
            Function::HistogramFraction => self.histogram_fraction(call, steps),
            other => {
                let message = format_args!("{}() cannot be evaluated", other.name());
                Err(EvalError::execution(call.span, message))
            }
        }
    }

    /// Applies a function to every float and drops the metric name. Histograms are dropped.
    pub(super) fn mapped(
        &self,
        mut vector: Vec<Series>,
        span: Span,
        value: impl Fn(usize, f64) -> f64,
    ) -> Result<Evaluated, EvalError> {
        for series in &mut vector {
            self.meter.work(8 + series.values.len())?;
            series.histograms.clear();
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
            let vector = self.newest_times(selector, steps)?;
            return self.mapped(vector, call.span, |_, value| value);
        }
        let mut vector = self.vector(arg, steps)?;
        for series in &mut vector {
            for (step, _) in series.histograms.iter() {
                series.values[step] = 0.0;
            }
        }
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
            self.annotations.warn(call.span, SORT_IN_RANGE);
        }
        let mut vector = self.vector(&call.args[0], steps)?;
        for series in &mut vector {
            series.histograms.clear();
        }
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

    /// Sorts by the values of labels, in natural order, and then by all labels.
    fn sort_by_label(&mut self, call: &Call, steps: Steps) -> Result<Evaluated, EvalError> {
        if steps.count > 1 {
            self.annotations.warn(call.span, SORT_IN_RANGE);
        }
        let mut vector = self.vector(&call.args[0], steps)?;
        if steps.count == 1 {
            vector.retain(Series::has_samples);
            let names: Vec<&str> = call.args[1..].iter().map(text).collect();
            let descending = call.function == Function::SortByLabelDesc;
            vector = sorted(vector, &self.meter, |a, b| {
                let (a, b) = (a.labels(), b.labels());
                let by_label = names.iter().map(|name| natural(a.get(name), b.get(name)));
                let order = by_label.fold(Ordering::Equal, Ordering::then);
                let order = order.then_with(|| a.cmp(b));
                if descending { order.reverse() } else { order }
            })?;
        }
        Ok(Evaluated::Vector(vector))
    }

    fn of_two(
        &mut self,
        call: &Call,
        steps: Steps,
        pick: fn(f64, f64) -> f64,
    ) -> Result<Evaluated, EvalError> {
        let mut first = self.scalar(&call.args[0], steps)?;
        let second = self.scalar(&call.args[1], steps)?;
        self.meter.work(steps.count)?;
        for (first, second) in first.iter_mut().zip(second) {
            *first = pick(*first, second);
        }
        Ok(Evaluated::Scalar(first))
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
