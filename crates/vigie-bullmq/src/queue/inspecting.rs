//! How inspections use and change the state of a queue.

use tokio::time::Instant;

use crate::events::pauses::Pauses;
use crate::protocol::levels::Levels;
use crate::queue::state::{Census, State};
use crate::signals::clock::Clock;
use crate::signals::events::Events;
use crate::signals::inspection::Remembered;

impl State {
    /// The levels and the state kept from the last inspection; `None` if the levels are unknown.
    pub(super) fn begin_inspection(&mut self) -> Option<(Levels, Remembered)> {
        let levels = self.counted?.levels;
        let (gaps, remembered) = std::mem::take(&mut self.remembered);
        // After missed entries, remembered jobs may have been taken and returned.
        let is_valid = gaps == self.fold.gaps();
        Some((
            levels,
            if is_valid {
                remembered
            } else {
                Remembered::default()
            },
        ))
    }

    /// Stores the state for the next inspection, and discards jobs that no longer exist.
    pub(super) fn end_inspection(
        &mut self,
        remembered: Remembered,
        clock: Option<Clock>,
        at: Instant,
    ) {
        self.remembered = (self.fold.gaps(), remembered);
        // Jobs whose end event was not read yet are remembered but no longer in flight. Therefore compare with the
        // count of the last inspection, and only if all events until then have been read.
        let census = self.counted.zip(clock).and_then(|(counted, clock)| {
            let in_flight = counted.levels.in_flight()?;
            let now = clock.now;
            Some(Census { in_flight, at, now })
        });
        let before = std::mem::replace(&mut self.census, census);
        if let Some(before) = before
            && self.activity.is_complete(before.at)
        {
            self.fold.reconcile(before.in_flight, before.now);
        }
    }
}

impl Events for State {
    fn ready(&self, job: &[u8]) -> Option<u64> {
        self.fold.ready(job)
    }

    fn started(&self, job: &[u8]) -> Option<u64> {
        self.fold.started(job)
    }

    fn pauses(&self) -> Pauses {
        self.fold.pauses()
    }

    fn are_followed(&self) -> bool {
        self.activity.is_followed()
    }
}
