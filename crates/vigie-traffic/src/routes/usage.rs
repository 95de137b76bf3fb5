//! How much a route is used, and when it gives its place to another.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// Minutes since the start.
pub(super) type Minute = u32;

/// A route without a request for so long gives its place to a route that is used more. Then its series is constant over
/// the window of every shipped rule about requests, so `rate()` loses nothing when the series ends.
pub(super) const QUIET: Minute = 15;

/// A route without a request for so long gives its place to any route.
const UNUSED: Minute = 24 * 60;

/// The time as [`Usage`] keeps it.
pub(super) fn minute(now: Duration) -> Minute {
    Minute::try_from(now.as_secs() / 60).unwrap_or(Minute::MAX)
}

/// The use of a route.
#[derive(Debug, Default)]
pub(super) struct Usage {
    hits: AtomicU32,
    used: AtomicU32,
}

impl Usage {
    pub(super) fn new(hits: u32, used: Minute) -> Self {
        Self {
            hits: hits.into(),
            used: used.into(),
        }
    }

    /// Counts a request, up to `most` hits. Writes at most once a minute when there are that many: a cache line does
    /// not move between cores for every request.
    pub(super) fn touch(&self, weight: u32, most: u32, minute: Minute) {
        let hits = self.hits();
        if weight > 0 && hits < most {
            self.hits.fetch_add(weight.min(most - hits), Relaxed);
        }
        if self.used.load(Relaxed) != minute {
            self.used.store(minute, Relaxed);
        }
    }

    pub(super) fn hits(&self) -> u32 {
        self.hits.load(Relaxed)
    }

    pub(super) fn used(&self) -> Minute {
        self.used.load(Relaxed)
    }

    /// Halves the hits, so that old ones count less than new ones.
    pub(super) fn age(&mut self) {
        *self.hits.get_mut() /= 2;
    }

    pub(super) fn clear(&mut self) {
        *self.hits.get_mut() = 0;
    }

    /// Whether this route gives its place to one with so many hits.
    pub(super) fn gives_way(&self, hits: u32, minute: Minute) -> bool {
        let idle = minute.saturating_sub(self.used());
        idle >= UNUSED || (idle >= QUIET && self.hits() < hits)
    }

    /// The order in which routes give way: the least used first.
    pub(super) fn rank(&self) -> (u32, Minute) {
        (self.hits(), self.used())
    }
}

/// At most one place a minute changes hands, which bounds the series that exist over a day.
#[derive(Debug, Default)]
pub(super) struct Turnover {
    next: Minute,
    places: u64,
}

impl Turnover {
    /// Whether a place may change hands now. The next one may a minute later, also when this one does not.
    pub(super) fn allows(&mut self, minute: Minute) -> bool {
        let allowed = minute >= self.next;
        if allowed {
            self.next = minute.saturating_add(1);
        }
        allowed
    }

    pub(super) fn changed(&mut self) {
        self.places += 1;
    }

    /// The places that have changed hands.
    pub(super) fn places(&self) -> u64 {
        self.places
    }
}
