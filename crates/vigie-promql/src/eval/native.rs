//! Aggregations and functions of native histograms.

use std::sync::Arc;

use super::{
    Evaluation,
    aggregate::Members,
    column::{ABSENT, Cell, Evaluated, Histograms, Series, Steps},
    error::EvalError,
    meter::Cost,
};
use crate::{
    functions::{
        native::{
            notes::{Note, Notes},
            total::Total,
        },
        sum::{Mean, Sum},
    },
    histogram::{Histogram, Nans},
    syntax::{Aggregate, AggregateOp, Call, Function, Span},
};

/// The samples of a group at a step.
#[derive(Default)]
struct Fold {
    count: f64,
    floats: Option<(Sum, Mean)>,
    histograms: Option<Total>,
    incompatible: bool,
}

impl Evaluation<'_> {
    /// Tells that an aggregation ignores histograms, if there are any.
    pub(super) fn note_ignored(&mut self, aggregate: &Aggregate, input: &[Series], span: Span) {
        let native = input.iter().any(|series| !series.histograms.is_empty());
        if native && aggregate.op.ignores_histograms() {
            self.annotations.ignored(span, aggregate.op.text());
        }
    }

    /// `sum`, `avg`, `count` and `group` of series with histograms.
    pub(super) fn fold_mixed(
        &mut self,
        aggregate: &Aggregate,
        input: &[Series],
        groups: Vec<Members>,
        steps: Steps,
    ) -> Result<Vec<Series>, EvalError> {
        let mut output = Vec::with_capacity(groups.len());
        for group in groups {
            self.meter.charge(Cost::column(steps.count))?;
            let mut values = vec![ABSENT; steps.count];
            let mut histograms = Histograms::default();
            for (step, value) in values.iter_mut().enumerate() {
                self.meter.work(8 + group.series.len())?;
                let fold = self.folded_cells(aggregate, input, &group, step)?;
                match self.result_of(fold, aggregate)? {
                    Some(Cell::Float(result)) => *value = result,
                    Some(Cell::Histogram(histogram)) => {
                        histograms.set(step, steps.count, histogram);
                    }
                    None => {}
                }
            }
            self.group_results(group, (values, histograms), input, &mut output)?;
        }
        Ok(output)
    }

    fn folded_cells(
        &mut self,
        aggregate: &Aggregate,
        input: &[Series],
        group: &Members,
        step: usize,
    ) -> Result<Fold, EvalError> {
        let mut fold = Fold::default();
        for series in group.series.iter().map(|&at| &input[at]) {
            let Some(cell) = series.at(step) else {
                continue;
            };
            fold.count += 1.0;
            let histogram = match cell {
                Cell::Float(value) => {
                    match &mut fold.floats {
                        Some((sum, mean)) => {
                            sum.add(value);
                            mean.add(value);
                        }
                        floats => *floats = Some((Sum::of(value), Mean::of(value))),
                    }
                    continue;
                }
                Cell::Histogram(histogram) => histogram,
            };
            self.meter.work(histogram.bytes() / 8)?;
            let added = match (&mut fold.histograms, aggregate.op) {
                _ if fold.incompatible => continue,
                (Some(total), AggregateOp::Sum) => total.add(histogram),
                (Some(total), AggregateOp::Avg) => total.average(histogram),
                (Some(_), _) => Ok(()),
                (total, _) => {
                    *total = Some(Total::of(histogram));
                    Ok(())
                }
            };
            if added.is_err() {
                fold.incompatible = true;
                let name = series.labels().metric();
                let span = aggregate.expr.span();
                self.annotations.note(Note::MixedBounds, name, span);
            }
        }
        Ok(fold)
    }

    fn result_of(&mut self, fold: Fold, aggregate: &Aggregate) -> Result<Option<Cell>, EvalError> {
        let value = match aggregate.op {
            _ if fold.count == 0.0 => return Ok(None),
            AggregateOp::Count => fold.count,
            AggregateOp::Group => 1.0,
            op => {
                let span = aggregate.expr.span();
                match (fold.floats, fold.histograms) {
                    (Some(_), Some(_)) => {
                        let message = "encountered a mix of histograms and floats for aggregation";
                        self.annotations.warn(span, message);
                        return Ok(None);
                    }
                    (None, Some(total)) => {
                        let mut notes = Notes::default();
                        total.note(&mut notes);
                        for note in notes.take() {
                            self.annotations.note(note, "", span);
                        }
                        if fold.incompatible {
                            return Ok(None);
                        }
                        let result = match op {
                            AggregateOp::Sum => total.sum(),
                            _ => total.mean(),
                        };
                        return self.charged(Cell::Histogram(result)).map(Some);
                    }
                    (Some((sum, _)), None) if op == AggregateOp::Sum => sum.value(),
                    (Some((_, mean)), None) => mean.value(),
                    (None, None) => return Ok(None),
                }
            }
        };
        Ok(Some(Cell::Float(value)))
    }

    /// Replaces the histograms of a series.
    pub(super) fn map_histograms(
        &self,
        series: &mut Series,
        change: impl Fn(&Histogram) -> Option<Histogram>,
    ) -> Result<(), EvalError> {
        if series.histograms.is_empty() {
            return Ok(());
        }
        let mut changed = vec![None; series.values.len()];
        for (step, histogram) in series.histograms.iter() {
            self.meter.work(histogram.bytes() / 8)?;
            if let Some(histogram) = change(histogram) {
                self.meter.charge(Cost::histogram(&histogram))?;
                changed[step] = Some(Arc::new(histogram));
            }
        }
        series.histograms = Histograms::new(changed);
        Ok(())
    }

    /// `histogram_count` and similar functions, which are defined for native histograms only: floats are dropped.
    pub(super) fn histogram_figure(
        &mut self,
        call: &Call,
        steps: Steps,
    ) -> Result<Evaluated, EvalError> {
        let figure: fn(&Histogram) -> f64 = match call.function {
            Function::HistogramCount => |histogram| histogram.count,
            Function::HistogramSum => |histogram| histogram.sum,
            Function::HistogramAvg => |histogram| histogram.sum / histogram.count,
            Function::HistogramStdvar => Histogram::variance,
            _ => |histogram| histogram.variance().sqrt(),
        };
        let figures_only = matches!(
            call.function,
            Function::HistogramCount | Function::HistogramSum | Function::HistogramAvg
        );
        let figures_only = figures_only || self.figures_only;
        let mut vector =
            self.with_figures(figures_only, |this| this.vector(&call.args[0], steps))?;
        vector.retain(|series| !series.histograms.is_empty());
        for series in &mut vector {
            self.meter.work(8 + series.values.len())?;
            series.values.fill(ABSENT);
            for (step, histogram) in series.histograms.iter() {
                self.meter.work(histogram.bytes() / 8)?;
                series.values[step] = figure(histogram);
            }
        }
        self.mapped(vector, call.span, |_, value| value)
    }

    /// For each series with histograms, the values that `figure` computes from them, in place of its samples.
    pub(super) fn figures_of_histograms(
        &mut self,
        input: &[Series],
        steps: Steps,
        mut figure: impl FnMut(&mut Self, &Series, usize, &Histogram) -> Option<f64>,
    ) -> Result<Vec<Series>, EvalError> {
        let mut vector = Vec::new();
        for series in input.iter().filter(|series| !series.histograms.is_empty()) {
            self.meter.work(8 + steps.count)?;
            let mut figures = series.without_values();
            self.charge_output(&figures, steps)?;
            figures.values = vec![ABSENT; steps.count];
            for (step, histogram) in series.histograms.iter() {
                self.meter.work(histogram.bytes() / 8)?;
                if let Some(value) = figure(self, series, step, histogram) {
                    figures.values[step] = value;
                }
            }
            vector.push(figures);
        }
        Ok(vector)
    }

    /// Tells how observations that are NaN affect a result.
    pub(super) fn note_nans(&mut self, nans: Option<Nans>, name: &str, span: Span) {
        let message = match nans {
            None => return,
            Some(Nans::Result) => "input to histogram_quantile has NaN observations, result is NaN",
            Some(Nans::Skew) => {
                "input to histogram_quantile has NaN observations, result is skewed higher"
            }
            Some(Nans::Excluded) => {
                "input to histogram_fraction has NaN observations, which are excluded from all fractions"
            }
        };
        match name.is_empty() {
            true => self.annotations.info(span, message),
            false => {
                let message = format_args!("{message} for metric name {name:?}");
                self.annotations.info(span, message);
            }
        }
    }
}
