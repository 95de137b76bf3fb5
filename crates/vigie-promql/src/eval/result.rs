//! From columns to the result of a query.

use super::{
    Evaluation,
    column::{Evaluated, Series, Steps, is_absent},
    error::EvalError,
};
use crate::{
    syntax::{Expr, ValueType},
    value::{MatrixSeries, Sample, Value, VectorSample},
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
                let samples = series.into_iter().map(|one| VectorSample {
                    labels: one.labels,
                    value: one.values[0],
                });
                Value::Vector(samples.collect())
            }
        })
    }

    pub(super) fn range_value(&mut self, query: &Expr) -> Result<Value, EvalError> {
        let steps = self.steps()?;
        if !matches!(query.value_type(), ValueType::Scalar | ValueType::Vector) {
            let message = format!(
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
        let series = series.into_iter().map(|one| {
            let values = steps.times().zip(one.values);
            let present = values.filter(|(_, value)| !is_absent(*value));
            let samples = present.map(|(time, value)| Sample { time, value });
            MatrixSeries {
                labels: one.labels,
                samples: samples.collect(),
            }
        });
        Ok(Value::Matrix(sorted(series.collect())))
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
        let asked = (span / times.step.unsigned_abs()).saturating_add(1);
        let limit = self.engine.limits.points;
        let count = usize::try_from(asked).ok().filter(|&count| count <= limit);
        let Some(count) = count else {
            return Err(EvalError::TooManyPoints { asked, limit });
        };
        Ok(Steps {
            start: times.start,
            step: times.step,
            count,
        })
    }

    /// Series with their final labels, those without any sample left out.
    fn finished(&self, mut series: Vec<Series>) -> Result<Vec<Series>, EvalError> {
        series.retain(Series::has_samples);
        let series = self.engine.name_removal.finish(series)?;
        let (found, limit) = (series.len(), self.engine.limits.series);
        if found > limit {
            return Err(EvalError::TooManySeries { found, limit });
        }
        Ok(series)
    }

    /// The samples of a range that is itself the query.
    fn samples_of(&mut self, range: &Expr, steps: Steps) -> Result<Value, EvalError> {
        let windows = self.windows(range, steps)?;
        let mut found = Vec::new();
        self.each_range(range, windows, |evaluation, labels, nameless, samples| {
            let mut inside = Vec::new();
            windows.map(samples, |window| {
                inside.extend_from_slice(window.samples);
                0.0
            });
            evaluation.check()?;
            evaluation.charge(inside.len())?;
            if !inside.is_empty() {
                let labels = match nameless {
                    true => labels.without_metadata(),
                    false => labels.clone(),
                };
                found.push(MatrixSeries {
                    labels,
                    samples: inside,
                });
            }
            let (found, limit) = (found.len(), evaluation.engine.limits.series);
            match found > limit {
                true => Err(EvalError::TooManySeries { found, limit }),
                false => Ok(()),
            }
        })?;
        Ok(Value::Matrix(sorted(found)))
    }
}

fn sorted(mut series: Vec<MatrixSeries>) -> Vec<MatrixSeries> {
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    series
}
