//! The reading of a queue's stream: read position and counts. It outlives connections, and moves to another node with
//! its queue.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::events::ledger::Ledger;
use crate::queues::key::QueueKey;
use crate::series::{Counts, Families, Row};

/// The reading of one stream.
pub(crate) struct Reading {
    /// `None`: the stream has not been checked yet, or the key holds another type.
    pub(crate) ledger: Option<Ledger>,
    /// Whether a ledger was discarded because the key held another type.
    pub(crate) was_broken: bool,
    pub(crate) counts: Counts,
}

impl Reading {
    pub(crate) fn new(families: &Arc<Families>, queue: &QueueKey, row: &Arc<Row>) -> Self {
        Self {
            ledger: None,
            was_broken: false,
            counts: Counts::new(families, queue, row),
        }
    }
}

/// Holds the reading while no task has taken it. One task has it at a time, so that no entry is read twice.
pub(crate) struct Handover<T>(Mutex<Place<T>>);

enum Place<T> {
    /// Not started.
    New,
    Here(T),
    Taken,
    /// The queue is no longer followed; `true`: a task still has the reading.
    Over(bool),
}

impl<T> Default for Handover<T> {
    fn default() -> Self {
        Self(Mutex::new(Place::New))
    }
}

impl<T> Handover<T> {
    /// Takes the reading, or creates it. `None`: another task has it, or the queue is no longer followed.
    pub(crate) fn take(&self, begin: impl FnOnce() -> T) -> Option<T> {
        let mut place = self.0.lock();
        let reading = match std::mem::replace(&mut *place, Place::Taken) {
            Place::New => begin(),
            Place::Here(reading) => reading,
            other => {
                *place = other;
                return None;
            }
        };
        Some(reading)
    }

    /// Puts the reading back. Returns whether the queue is no longer followed, so that its counts can be removed.
    #[must_use]
    pub(crate) fn give(&self, reading: T) -> bool {
        let mut place = self.0.lock();
        let was_last = matches!(*place, Place::Over(_));
        *place = match was_last {
            true => Place::Over(false),
            false => Place::Here(reading),
        };
        was_last
    }

    /// Marks the queue as no longer followed. Returns whether no task has the reading, so that its counts can be
    /// removed.
    #[must_use]
    pub(crate) fn end(&self) -> bool {
        let mut place = self.0.lock();
        let taken = matches!(*place, Place::Taken | Place::Over(true));
        *place = Place::Over(taken);
        !taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_at_a_time() {
        let handover = Handover::default();
        assert_eq!(handover.take(|| 1), Some(1));
        assert_eq!(handover.take(|| 2), None);
        assert!(!handover.give(5));
        assert_eq!(handover.take(|| 3), Some(5));
    }

    #[test]
    fn counts_are_released_once_by_the_last_holder() {
        let handover = Handover::default();
        let reading = handover.take(|| 1);
        assert_eq!((handover.end(), handover.take(|| 2)), (false, None));
        assert!(handover.give(reading.unwrap_or_default()));
        assert_eq!(handover.take(|| 2), None);

        let handover = Handover::<u8>::default();
        assert_eq!((handover.end(), handover.take(|| 2)), (true, None));
    }
}
