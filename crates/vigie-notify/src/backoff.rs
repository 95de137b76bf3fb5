//! Waits between attempts.

use std::time::Duration;

use crate::{Time, millis};

/// The most that is added at random, as a part of the wait: a server is not called by all of its clients at once.
const JITTER: f64 = 0.2;

/// How the waits after failures grow, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    /// The wait after the first failure, which each further one doubles.
    pub(crate) first: Time,
    /// The longest wait.
    pub(crate) longest: Time,
    /// The longest wait that a server can ask for.
    pub(crate) longest_asked: Time,
}

impl Backoff {
    /// The wait after the `failures`th failure in succession, of which the last one asked for the wait `asked`. `random` is a
    /// number from 0 to 1.
    pub(crate) fn wait(self, failures: u32, asked: Option<Duration>, random: f64) -> Time {
        let doubled = self
            .first
            .saturating_mul(1 << failures.saturating_sub(1).min(16));
        let asked = asked.map_or(0, millis).min(self.longest_asked);
        let wait = doubled.min(self.longest).max(asked);
        wait + (wait as f64 * JITTER * random.clamp(0.0, 1.0)) as Time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff {
        first: 5_000,
        longest: 300_000,
        longest_asked: 3_600_000,
    };

    #[test]
    fn waits_grow_and_are_bounded() {
        let waits = [0, 1, 2, 3, 9, 999].map(|failures| BACKOFF.wait(failures, None, 0.0));
        assert_eq!(waits, [5_000, 5_000, 10_000, 20_000, 300_000, 300_000]);
        assert_eq!(BACKOFF.wait(1, None, 1.0), 6_000);
    }

    #[test]
    fn the_wait_that_a_server_asks_for_is_honoured_up_to_a_bound() {
        for (asked, expected) in [(0, 5), (30, 30), (1_000, 1_000), (99_999, 3_600)] {
            let asked = Some(Duration::from_secs(asked));
            assert_eq!(BACKOFF.wait(1, asked, 0.0), expected * 1_000);
        }
        // Nothing is ever subtracted.
        let asked = Some(Duration::from_secs(100));
        assert_eq!(BACKOFF.wait(1, asked, 1.0), 120_000);
    }
}
