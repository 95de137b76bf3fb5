//! Compensated sums and means of native histograms.

use super::notes::{Note, Notes, Operation};
use crate::{
    functions::sum::Sum,
    histogram::{Histogram, Incompatible, ResetHint},
};

/// A running sum or mean of histograms: a sum while it does not overflow, then, for a mean, an incremental mean.
#[derive(Clone, Debug)]
pub(crate) struct Total {
    sum: Histogram<Sum>,
    count: f64,
    /// Whether `sum` is a mean.
    averaged: bool,
    seen: (bool, bool),
    reconciled: bool,
}

impl Total {
    pub(crate) fn of(first: &Histogram) -> Self {
        let mut total = Self {
            sum: first.map(Sum::of),
            count: 1.0,
            averaged: false,
            seen: (false, false),
            reconciled: false,
        };
        total.see(first.hint);
        total
    }

    fn see(&mut self, hint: ResetHint) {
        self.seen.0 |= hint == ResetHint::Reset;
        self.seen.1 |= hint == ResetHint::NotReset;
    }

    /// Adds a histogram to a sum.
    pub(crate) fn add(&mut self, term: &Histogram) -> Result<(), Incompatible> {
        self.see(term.hint);
        self.count += 1.0;
        self.reconciled |= self.sum.add(term, 1.0)?.reconciled;
        Ok(())
    }

    /// Adds a histogram to a mean.
    pub(crate) fn average(&mut self, term: &Histogram) -> Result<(), Incompatible> {
        if !self.averaged {
            let mut sum = self.clone();
            sum.add(term)?;
            if !sum.sum.has_overflow() {
                *self = sum;
                return Ok(());
            }
            self.sum = self.sum.divided(self.count);
            self.averaged = true;
        }
        self.see(term.hint);
        self.count += 1.0;
        self.sum = self.sum.scaled((self.count - 1.0) / self.count);
        let added = self.sum.add(&term.divided(self.count), 1.0)?;
        self.reconciled |= added.reconciled;
        Ok(())
    }

    pub(crate) fn note(&self, notes: &mut Notes) {
        if self.seen == (true, true) {
            notes.add(Note::Collision(Operation::Aggregation));
        }
        if self.reconciled {
            notes.add(Note::Reconciled(Operation::Aggregation));
        }
    }

    pub(crate) fn sum(&self) -> Histogram {
        self.sum.value().compacted()
    }

    pub(crate) fn mean(&self) -> Histogram {
        match self.averaged {
            true => self.sum(),
            false => self.sum.divided(self.count).value().compacted(),
        }
    }
}
