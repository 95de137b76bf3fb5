//! The reading of a queue's stream: where it stands, and what it counted. It outlives the connection over which the stream
//! is read, and goes to another node with its queue.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::events::ledger::Ledger;
use crate::queues::key::QueueKey;
use crate::series::{Counts, Families, Row};

/// A reading.
pub(crate) struct Reading {
    /// `None`: nothing is known of the stream yet, or the key holds something else.
    pub(crate) ledger: Option<Ledger>,
    /// Whether a ledger was given up because the key held something else.
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

/// Where the reading lies while nobody has it. One has it at a time: nothing is read twice.
pub(crate) struct Handover<T>(Mutex<Place<T>>);

enum Place<T> {
    /// Not begun.
    New,
    Here(T),
    Taken,
    /// The queue is followed no longer; `true`: somebody still has the reading.
    Over(bool),
}

impl<T> Default for Handover<T> {
    fn default() -> Self {
        Self(Mutex::new(Place::New))
    }
}

impl<T> Handover<T> {
    /// Takes the reading, or begins it. `None`: another has it, or there is nothing to read any more.
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

    /// Puts it back. Says whether it was the last thing left of the queue: what it counted may go.
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

    /// The queue is followed no longer. Says whether nobody has the reading: what it counted may go.
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
    fn what_it_left_may_go_once_with_the_last() {
        let handover = Handover::default();
        let reading = handover.take(|| 1);
        assert_eq!((handover.end(), handover.take(|| 2)), (false, None));
        assert!(handover.give(reading.unwrap_or_default()));
        assert_eq!(handover.take(|| 2), None);

        let handover = Handover::<u8>::default();
        assert_eq!((handover.end(), handover.take(|| 2)), (true, None));
    }
}
