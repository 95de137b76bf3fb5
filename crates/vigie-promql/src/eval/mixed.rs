//! Functions of range vectors over series with native histograms, and over extended ranges.

use std::{cell::Cell as Counter, sync::Arc};

use super::{
    Evaluation,
    column::{ABSENT, Cell, Column, Series, Steps, is_absent},
    error::EvalError,
    meter::Cost,
    ranged::Ranged,
    selector::seconds,
    window::{References, Windows},
};
use crate::{
    functions::{
        extended::{self, Frame},
        native::{
            Point, changes, merged,
            notes::{Note, Notes},
            rate,
            total::Total,
        },
        rate::Plan,
    },
    histogram::Histogram,
    syntax::{Call, Function},
    value::{HistogramSample, Sample, Samples},
};

impl Evaluation<'_> {
    /// Evaluates the function over all windows of one series with histograms.
    pub(super) fn mixed(
        &mut self,
        ranged: &Ranged<'_>,
        call: &Call,
        source: &Series,
        samples: Samples<'_>,
        series: &mut Series,
    ) -> Result<(), EvalError> {
        let windows = ranged.windows;
        self.each_window(ranged, call, source, series, |step, end, notes| {
            let window = within(samples, end.saturating_sub(windows.range), end);
            (window.len(), ranged.cell(window, step, end, notes))
        })
    }

    /// Evaluates the function over all windows of one series of a range that is `anchored` or `smoothed`.
    pub(super) fn extended(
        &mut self,
        ranged: &Ranged<'_>,
        call: &Call,
        source: &Series,
        samples: Samples<'_>,
        series: &mut Series,
    ) -> Result<(), EvalError> {
        let windows = ranged.windows;
        let (before, after) = windows.margins;
        self.each_window(ranged, call, source, series, |_, end, notes| {
            let start = end.saturating_sub(windows.range);
            let around = within(
                samples,
                start.saturating_sub(before),
                end.saturating_add(after),
            );
            let frame = Frame {
                start,
                end,
                smoothed: after > 0,
                rate: ranged.rate().unwrap_or_default(),
            };
            let cell = match ranged.function {
                Function::Changes => anchored(around, start)
                    .map(changes::changes)
                    .map(Cell::Float),
                Function::Resets => anchored(around, start)
                    .map(changes::resets)
                    .map(Cell::Float),
                _ => extended_rate(frame, around, notes),
            };
            (around.len(), cell)
        })
    }

    /// Sets the samples that `cell` computes, with the number of samples it uses, for each window.
    fn each_window(
        &mut self,
        ranged: &Ranged<'_>,
        call: &Call,
        source: &Series,
        series: &mut Series,
        mut cell: impl FnMut(usize, i64, &mut Notes) -> (usize, Option<Cell<Histogram>>),
    ) -> Result<(), EvalError> {
        series.values = vec![ABSENT; ranged.steps.count];
        let (name, span) = (source.labels().metric(), call.args[0].span());
        let mut notes = Notes::default();
        for step in 0..ranged.steps.count {
            let (used, cell) = cell(step, ranged.windows.references.at(step), &mut notes);
            self.meter.work(8 + used)?;
            self.add_queried(used as u64);
            for note in notes.take() {
                self.annotations.note(note, name, span);
            }
            if let Some(cell) = cell {
                let cell = self.charged(cell)?;
                series.set(step, cell);
            }
        }
        Ok(())
    }

    /// Charges a result.
    pub(super) fn charged(&self, cell: Cell<Histogram>) -> Result<Cell, EvalError> {
        Ok(match cell {
            Cell::Float(value) => Cell::Float(value),
            Cell::Histogram(histogram) => {
                self.meter.charge(Cost::histogram(&histogram))?;
                Cell::Histogram(Arc::new(histogram))
            }
        })
    }
}

impl Ranged<'_> {
    /// The result of one window.
    fn cell(
        &self,
        window: Samples<'_>,
        step: usize,
        end: i64,
        notes: &mut Notes,
    ) -> Option<Cell<Histogram>> {
        let Samples { floats, histograms } = window;
        if window.is_empty() {
            return None;
        }
        let (count, mix) = (window.len(), !floats.is_empty() && !histograms.is_empty());
        let value = |value| Some(Cell::Float(value));
        match self.function {
            Function::Rate
            | Function::Increase
            | Function::Delta
            | Function::SumOverTime
            | Function::AvgOverTime
                if mix =>
            {
                notes.add(Note::MixedFloats);
                None
            }
            Function::Rate | Function::Increase | Function::Delta if floats.is_empty() => {
                let rate = self.rate().unwrap_or_default();
                let window = (end, self.windows.range);
                rate::extrapolated(rate, histograms, window, notes).map(Cell::Histogram)
            }
            Function::SumOverTime | Function::AvgOverTime if floats.is_empty() => {
                total(histograms, self.function, notes).map(Cell::Histogram)
            }
            Function::Irate | Function::Idelta => {
                rate::instant(self.rate().unwrap_or_default(), window, notes)
            }
            Function::CountOverTime => value(count as f64),
            Function::PresentOverTime | Function::AbsentOverTime => value(1.0),
            Function::Changes => value(changes::changes(window)),
            Function::Resets => value(changes::resets(window)),
            Function::FirstOverTime => merged(window).next().map(cell),
            Function::LastOverTime => merged(window).last().map(cell),
            Function::TsOfFirstOverTime => merged(window).next().map(time),
            Function::TsOfLastOverTime => merged(window).last().map(time),
            _ => {
                let needs_two = matches!(
                    self.function,
                    Function::Deriv
                        | Function::PredictLinear
                        | Function::DoubleExponentialSmoothing
                );
                if mix {
                    notes.add(Note::Ignored);
                }
                match floats.len() {
                    0 => None,
                    1 if needs_two => None,
                    _ => self.of_floats(floats, step, end).map(Cell::Float),
                }
            }
        }
    }

    /// The result of one window of floats.
    fn of_floats(&self, floats: &[Sample], step: usize, end: i64) -> Option<f64> {
        let queried = Counter::new(0);
        let once = |params: &Column| vec![params[step]];
        let mut single = Ranged {
            function: self.function,
            steps: Steps {
                start: self.steps.at(step),
                step: 1,
                count: 1,
            },
            windows: Windows {
                references: References {
                    first: end,
                    step: 0,
                    count: 1,
                },
                queried: &queried,
                ..self.windows
            },
            params: self.params.iter().map(once).collect(),
            plan: Plan::default(),
            resets: Vec::new(),
            values: Vec::new(),
        };
        single
            .column(floats)
            .first()
            .copied()
            .filter(|value| !is_absent(*value))
    }
}

fn cell((_, point): (i64, Point<'_>)) -> Cell<Histogram> {
    match point {
        Point::Float(value) => Cell::Float(value),
        Point::Histogram(histogram) => Cell::Histogram(histogram.clone()),
    }
}

fn time<T>((time, _): (i64, T)) -> Cell<Histogram> {
    Cell::Float(seconds(time))
}

fn total(
    histograms: &[HistogramSample],
    function: Function,
    notes: &mut Notes,
) -> Option<Histogram> {
    let (first, rest) = histograms.split_first()?;
    let mut total = Total::of(&first.histogram);
    for one in rest {
        let added = match function {
            Function::SumOverTime => total.add(&one.histogram),
            _ => total.average(&one.histogram),
        };
        if added.is_err() {
            notes.add(Note::MixedBounds);
            return None;
        }
    }
    total.note(notes);
    Some(match function {
        Function::SumOverTime => total.sum(),
        _ => total.mean(),
    })
}

fn extended_rate(frame: Frame, around: Samples<'_>, notes: &mut Notes) -> Option<Cell<Histogram>> {
    match (around.floats, around.histograms) {
        (floats, []) => extended::float_rate(frame, floats).map(Cell::Float),
        ([], histograms) => extended::histogram_rate(frame, histograms, notes).map(Cell::Histogram),
        _ => {
            notes.add(Note::MixedFloats);
            None
        }
    }
}

/// The samples of a window that starts with the last sample before it; `None` if none is inside of it.
fn anchored(around: Samples<'_>, start: i64) -> Option<Samples<'_>> {
    let Samples { floats, histograms } = around;
    let float = floats.partition_point(|one| one.time <= start);
    let histogram = histograms.partition_point(|one| one.time <= start);
    if float == floats.len() && histogram == histograms.len() {
        return None;
    }
    let last_float = float.checked_sub(1).map(|at| floats[at].time);
    let last_histogram = histogram.checked_sub(1).map(|at| histograms[at].time);
    let (float, histogram) = match last_float >= last_histogram {
        true => (float.saturating_sub(1), histogram),
        false => (float, histogram.saturating_sub(1)),
    };
    Some(Samples {
        floats: &floats[float..],
        histograms: &histograms[histogram..],
    })
}

/// The samples after `start`, up to and including `end`.
pub(super) fn within(samples: Samples<'_>, start: i64, end: i64) -> Samples<'_> {
    let Samples { floats, histograms } = samples;
    let from = floats.partition_point(|one| one.time <= start);
    let to = floats.partition_point(|one| one.time <= end);
    let first = histograms.partition_point(|one| one.time <= start);
    let last = histograms.partition_point(|one| one.time <= end);
    Samples {
        floats: &floats[from..to.max(from)],
        histograms: &histograms[first..last.max(first)],
    }
}
