//! Times by the server's clock.

use std::time::Instant;

/// A reading of the server's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// The server's time in milliseconds.
    pub(crate) now: u64,
    /// When the reply arrived; the server's time was then at least `now`.
    pub(crate) at: Instant,
}

impl Clock {
    /// Seconds from `since` to the reading; negative if `since` is later.
    pub(crate) fn age(&self, since: u64) -> f64 {
        (self.now as f64 - since as f64) / 1e3
    }
}

/// The start of a state, by the server's clock in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// Nothing is in this state.
    Nothing,
    At(u64),
}

impl Since {
    /// The earlier of the two.
    pub(super) fn or_before(self, moment: u64) -> Self {
        match self {
            Self::At(known) if known <= moment => self,
            _ => Self::At(moment),
        }
    }
}
