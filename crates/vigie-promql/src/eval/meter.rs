//! Accounting of a query: samples and memory held, and interruption.
//!
//! Everything that grows with the query or the data is charged before it is allocated. Evaluation is a tree of calls,
//! so memory is released by nesting: after an expression is evaluated, only its result stays charged ([`Meter::release_except`]).

use std::cell::Cell;

use super::{
    Limits,
    column::{Evaluated, Histograms, Series},
    error::EvalError,
};
use crate::{
    histogram::Histogram,
    value::{Sample, Samples},
};

/// Work between two calls of `interrupted`, in samples or in units of eight bytes of labels.
const CHECK_INTERVAL: usize = 1 << 10;

/// Samples and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    samples: usize,
    bytes: usize,
}

impl Cost {
    /// Memory without samples.
    pub(crate) fn bytes(bytes: usize) -> Self {
        Self { samples: 0, bytes }
    }

    /// A column of one value per step.
    pub(crate) fn column(count: usize) -> Self {
        Self {
            samples: count,
            bytes: count.saturating_mul(size_of::<f64>()),
        }
    }

    /// Samples with their times.
    pub(crate) fn samples(count: usize) -> Self {
        Self {
            samples: count,
            bytes: count.saturating_mul(size_of::<Sample>()),
        }
    }

    pub(crate) fn series(series: &Series) -> Self {
        let floats = Self::column(series.values.len()).and(Self::bytes(series.overhead()));
        match series.histograms.is_empty() {
            true => floats,
            false => floats.and(Self::histograms(&series.histograms)),
        }
    }

    /// A native histogram. As in Prometheus it counts as many samples as it has room for.
    pub(crate) fn histogram(histogram: &Histogram) -> Self {
        Self::histogram_bytes(histogram.bytes())
    }

    pub(crate) fn histograms(histograms: &Histograms) -> Self {
        Self::histogram_bytes(histograms.bytes())
    }

    /// Samples read from the storage.
    pub(crate) fn read(samples: Samples<'_>) -> Self {
        let histograms = samples.histograms.iter();
        let histograms = histograms.map(|sample| Self::histogram(&sample.histogram));
        histograms.fold(Self::samples(samples.floats.len()), Self::and)
    }

    fn histogram_bytes(bytes: usize) -> Self {
        Self {
            samples: bytes / size_of::<Sample>(),
            bytes,
        }
    }

    fn of(result: &Evaluated) -> Self {
        match result {
            Evaluated::Scalar(column) => Self::column(column.len()),
            Evaluated::Text(text) => Self::bytes(text.len()),
            Evaluated::Vector(series) => Self::vector(series),
        }
    }

    pub(crate) fn vector(series: &[Series]) -> Self {
        let costs = series.iter().map(Self::series);
        costs.fold(Self::default(), Self::and)
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            samples: self.samples.saturating_add(other.samples),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    fn without(self, other: Self) -> Self {
        Self {
            samples: self.samples.saturating_sub(other.samples),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    pub(crate) fn times(self, count: usize) -> Self {
        Self {
            samples: self.samples.saturating_mul(count),
            bytes: self.bytes.saturating_mul(count),
        }
    }
}

/// The usage of one query, checked against its limits.
pub(crate) struct Meter<'a> {
    limits: Limits,
    interrupted: &'a dyn Fn() -> bool,
    /// Work done since the last call of `interrupted`.
    work: Cell<usize>,
    held: Cell<Cost>,
    /// The largest number of samples held at a time.
    peak: Cell<usize>,
    /// The total number of samples read or computed.
    total: Cell<usize>,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(limits: Limits, interrupted: &'a dyn Fn() -> bool) -> Self {
        Self {
            limits,
            interrupted,
            work: Cell::default(),
            held: Cell::default(),
            peak: Cell::default(),
            total: Cell::default(),
        }
    }

    /// Charges memory that is about to be allocated.
    pub(crate) fn charge(&self, cost: Cost) -> Result<(), EvalError> {
        let held = self.within(cost)?;
        self.held.set(held);
        self.peak.set(self.peak.get().max(held.samples));
        self.total
            .set(self.total.get().saturating_add(cost.samples));
        Ok(())
    }

    /// Fails if `cost` exceeds what is left. For memory that is held only briefly.
    pub(crate) fn check_available(&self, cost: Cost) -> Result<(), EvalError> {
        self.within(cost).map(|_| ())
    }

    fn within(&self, cost: Cost) -> Result<Cost, EvalError> {
        let held = self.held.get().and(cost);
        if held.samples > self.limits.samples {
            let limit = self.limits.samples;
            return Err(EvalError::TooManySamples { limit });
        }
        if held.bytes > self.limits.bytes {
            let limit = self.limits.bytes;
            return Err(EvalError::TooMuchMemory { limit });
        }
        Ok(held)
    }

    /// Releases a charge.
    pub(crate) fn release(&self, cost: Cost) {
        self.held.set(self.held.get().without(cost));
    }

    /// The cost held now.
    pub(crate) fn held(&self) -> Cost {
        self.held.get()
    }

    /// Releases everything charged since `before`, except the result.
    pub(crate) fn release_except(&self, before: Cost, result: &Evaluated) -> Result<(), EvalError> {
        self.held.set(before);
        let held = self.within(Cost::of(result))?;
        self.held.set(held);
        Ok(())
    }

    /// Fails once the query is interrupted.
    pub(crate) fn check(&self) -> Result<(), EvalError> {
        self.work.set(0);
        match (self.interrupted)() {
            true => Err(EvalError::Interrupted),
            false => Ok(()),
        }
    }

    /// Counts work, and calls [`Meter::check`] at intervals.
    #[inline]
    pub(crate) fn work(&self, amount: usize) -> Result<(), EvalError> {
        let work = self.work.get().saturating_add(amount);
        self.work.set(work);
        match work < CHECK_INTERVAL {
            true => Ok(()),
            false => self.check(),
        }
    }

    /// The limits of each of several evaluations that share what is left.
    pub(crate) fn share(&self, parts: usize) -> Limits {
        let held = self.held.get();
        let left = |limit: usize, held: usize| limit.saturating_sub(held) / parts;
        Limits {
            samples: left(self.limits.samples, held.samples),
            bytes: left(self.limits.bytes, held.bytes),
            ..self.limits
        }
    }

    /// Adds samples that another evaluation read or computed.
    pub(crate) fn add_total(&self, samples: usize) {
        self.total.set(self.total.get().saturating_add(samples));
    }

    pub(crate) fn interrupted(&self) -> &'a dyn Fn() -> bool {
        self.interrupted
    }

    /// The memory held now, in bytes.
    pub(crate) fn held_bytes(&self) -> usize {
        self.held.get().bytes
    }

    pub(crate) fn peak(&self) -> usize {
        self.peak.get()
    }

    pub(crate) fn total(&self) -> usize {
        self.total.get()
    }
}
