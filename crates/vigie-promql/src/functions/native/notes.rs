//! Annotations of a computation.

use crate::histogram::{Added, Histogram, ResetHint};

/// A remark, which becomes a warning or an info of the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// A window contains floats and histograms, so it has no result.
    MixedFloats,
    /// Histograms with exponential and with custom bounds.
    MixedBounds,
    /// A counter is needed.
    NotCounter,
    /// A gauge is needed.
    NotGauge,
    /// Histograms in a window were ignored.
    Ignored,
    /// Custom bounds differed.
    Reconciled(Operation),
    /// The hints about counter resets contradict each other.
    Collision(Operation),
}

/// The operation that combined histograms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Addition,
    Subtraction,
    Aggregation,
}

impl Operation {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Addition => "addition",
            Self::Subtraction => "subtraction",
            Self::Aggregation => "aggregation",
        }
    }
}

/// The distinct notes of a computation.
#[derive(Debug, Default)]
pub(crate) struct Notes(Vec<Note>);

impl Notes {
    pub(crate) fn add(&mut self, note: Note) {
        if !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    pub(crate) fn take(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.0)
    }

    /// Adds `sign` times a histogram; `None` if the bounds are incompatible.
    pub(crate) fn combine(
        &mut self,
        sum: &mut Histogram,
        other: &Histogram,
        sign: f64,
    ) -> Option<Added> {
        let Ok(added) = sum.add(other, sign) else {
            self.add(Note::MixedBounds);
            return None;
        };
        if added.reconciled {
            self.add(Note::Reconciled(match sign < 0.0 {
                true => Operation::Subtraction,
                false => Operation::Addition,
            }));
        }
        Some(added)
    }

    /// Notes that a gauge is used as a counter.
    pub(crate) fn expect_counters<'h>(
        &mut self,
        mut histograms: impl Iterator<Item = &'h Histogram>,
    ) {
        if histograms.any(|histogram| histogram.hint == ResetHint::Gauge) {
            self.add(Note::NotCounter);
        }
    }

    /// Notes that a counter is used as a gauge.
    pub(crate) fn expect_gauges<'h>(
        &mut self,
        mut histograms: impl Iterator<Item = &'h Histogram>,
    ) {
        if histograms.any(|histogram| histogram.hint != ResetHint::Gauge) {
            self.add(Note::NotGauge);
        }
    }
}
