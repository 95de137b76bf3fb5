//! Conversion of columns into the result of a query.

use std::sync::Arc;

use super::{
    Evaluation,
    column::{Evaluated, Series, Steps, is_absent},
    error::EvalError,
    meter::Cost,
    mixed::within,
    ranges::extension,
    sort::sorted,
};
use crate::{
    functions::{
        extended::{self, Frame},
        rate::Rate,
    },
    syntax::{Expr, Extension, ValueType},
    value::{HistogramSample, MatrixSeries, Sample, Samples, Value, VectorSample},
};

impl Evaluation<'_> {
    pub(super) fn instant_value(&mut self, query: &Expr) -> Result<Value, EvalError> {
        let steps = Steps {
            start: self.times.start,
            step: 1,
            count: 1,
        };
        let bare = query.unwrap_parens();
        if matches!(bare, Expr::Range(_) | Expr::Subquery(_)) {
            return self.samples_of(bare, steps);
        }
        Ok(match self.eval(query, steps)? {
            Evaluated::Scalar(column) => Value::Scalar(column[0]),
            Evaluated::Text(text) => Value::Text(text),
            Evaluated::Vector(series) => {
                let series = self.finished(series)?;
                let samples = series.into_iter().map(|one| {
                    let (labels, values, mut histograms) = one.into_parts();
                    VectorSample {
                        labels,
                        value: values[0],
                        histogram: histograms.take(0),
                    }
                });
                Value::Vector(samples.collect())
            }
        })
    }

    pub(super) fn range_value(&mut self, query: &Expr) -> Result<Value, EvalError> {
        let steps = self.steps()?;
        if !matches!(query.value_type(), ValueType::Scalar | ValueType::Vector) {
            let message = format_args!(
                "a range query is evaluated for a scalar or an instant vector, this is {}",
                query.value_type().described()
            );
            return Err(EvalError::execution(query.span(), message));
        }
        let series = match self.eval(query, steps)? {
            Evaluated::Scalar(column) => vec![Series::new(crate::Labels::empty(), column)],
            Evaluated::Vector(series) => self.finished(series)?,
            Evaluated::Text(_) => Vec::new(),
        };
        let mut matrix = Vec::with_capacity(series.len());
        for one in series {
            self.meter.work(8 + steps.count)?;
            let column = Cost::column(one.values.len());
            let (labels, values, native) = one.into_parts();
            let count = values.iter().filter(|value| !is_absent(**value)).count();
            self.meter
                .check_available(Cost::bytes(count * size_of::<Sample>()))?;
            let values = steps.times().zip(values);
            let present = values.filter(|(_, value)| !is_absent(*value));
            let mut samples = Vec::with_capacity(count);
            samples.extend(present.map(|(time, value)| Sample { time, value }));
            let mut histograms = Vec::with_capacity(native.iter().count());
            histograms.extend(native.iter().map(|(step, histogram)| HistogramSample {
                time: steps.at(step),
                histogram: Arc::clone(histogram),
            }));
            matrix.push(MatrixSeries {
                labels,
                samples,
                histograms,
            });
            self.meter.release(column);
            self.meter
                .charge(Cost::bytes(count * size_of::<Sample>()))?;
        }
        self.sorted(matrix)
    }

    fn steps(&self) -> Result<Steps, EvalError> {
        let times = self.times;
        if times.step <= 0 {
            return Err(EvalError::BadRange("the step must be greater than 0"));
        }
        if times.end < times.start {
            return Err(EvalError::BadRange("the end lies before the start"));
        }
        let span = times.end.abs_diff(times.start);
        let requested = (span / times.step.unsigned_abs()).saturating_add(1);
        let limit = self.engine.limits.points;
        let count = usize::try_from(requested)
            .ok()
            .filter(|&count| count <= limit);
        let Some(count) = count else {
            return Err(EvalError::TooManyPoints { requested, limit });
        };
        Ok(Steps {
            start: times.start,
            step: times.step,
            count,
        })
    }

    /// The series with their final labels, without those that have no samples.
    fn finished(&self, mut series: Vec<Series>) -> Result<Vec<Series>, EvalError> {
        series.retain(Series::has_samples);
        let series = self.engine.name_removal.finish(series, &self.meter)?;
        let (found, limit) = (series.len(), self.engine.limits.series);
        if found > limit {
            return Err(EvalError::TooManySeries { found, limit });
        }
        Ok(series)
    }

    /// The samples of a query that is a range selector or a subquery.
    fn samples_of(&mut self, range: &Expr, steps: Steps) -> Result<Value, EvalError> {
        let windows = self.windows(range, steps)?;
        let mut found = Vec::new();
        let end = windows.references.first;
        let start = end.saturating_sub(windows.range);
        self.each_range(range, windows, |evaluation, source, samples| {
            evaluation.meter.work(8 + samples.len())?;
            let charge = Cost::samples(samples.len() + 2);
            evaluation.meter.check_available(charge)?;
            let (floats, histograms) = match extension(range) {
                None => {
                    let Samples { floats, histograms } = within(samples, start, end);
                    (floats.to_vec(), histograms)
                }
                Some(_) if !samples.histograms.is_empty() => {
                    let message =
                        "anchored and smoothed ranges of native histograms need a function";
                    return Err(EvalError::execution(range.span(), message));
                }
                Some(extension) => {
                    let frame = Frame {
                        start,
                        end,
                        smoothed: extension == Extension::Smoothed,
                        rate: Rate::default(),
                    };
                    (extended::points(frame, samples.floats), samples.histograms)
                }
            };
            evaluation.add_queried((floats.len() + histograms.len()) as u64);
            if !floats.is_empty() || !histograms.is_empty() {
                let mut series = source.without_values();
                if series.drops_name {
                    series.relabel(series.labels().without_metadata());
                }
                let made = Cost::bytes(series.overhead());
                let read = Cost::read(Samples {
                    floats: &floats,
                    histograms,
                });
                evaluation.meter.charge(made.and(read))?;
                found.push(MatrixSeries {
                    labels: series.into_parts().0,
                    samples: floats,
                    histograms: histograms.to_vec(),
                });
            }
            let (found, limit) = (found.len(), evaluation.engine.limits.series);
            match found > limit {
                true => Err(EvalError::TooManySeries { found, limit }),
                false => Ok(()),
            }
        })?;
        self.sorted(found)
    }

    fn sorted(&self, series: Vec<MatrixSeries>) -> Result<Value, EvalError> {
        let sorted = sorted(series, &self.meter, |a, b| a.labels.cmp(&b.labels))?;
        Ok(Value::Matrix(sorted))
    }
}
