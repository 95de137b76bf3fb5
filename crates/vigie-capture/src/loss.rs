//! How much is missed.

use std::collections::VecDeque;
use std::time::Duration;

/// The period over which the share is estimated.
const WINDOW: Duration = Duration::from_secs(60);

/// The time between two samples.
const STEP: Duration = Duration::from_secs(1);

/// Fewer lost packets or requests than this within the window are no estimate.
const FEW: u64 = 10;

/// Totals that the share is estimated from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Packets that passed the filter and were captured.
    pub captured: u64,
    /// Packets that passed the filter and were dropped because the ring was full.
    pub dropped: u64,
    /// Requests with a known outcome.
    pub known: u64,
    /// Requests whose outcome is unknown.
    pub abandoned: u64,
}

/// The share of requests that were missed, over the last minute.
#[derive(Debug, Default)]
pub struct Loss {
    /// The totals of the last minute, the oldest first, each second.
    samples: VecDeque<(Duration, Totals)>,
}

impl Loss {
    /// Adds the totals of a time. Those less than a second after the previous ones are not kept.
    pub fn add(&mut self, at: Duration, totals: Totals) {
        if self
            .samples
            .back()
            .is_some_and(|(last, _)| at < *last + STEP)
        {
            return;
        }
        self.samples.push_back((at, totals));
        // One sample is kept that is as old as the window.
        while self
            .samples
            .get(1)
            .is_some_and(|(next, _)| *next + WINDOW <= at)
        {
            self.samples.pop_front();
        }
    }

    /// The estimated share, from 0 to 1: the larger one of the dropped packets, which is right if all requests take as many
    /// packets, and of the requests that were begun and not completed, which is a lower bound.
    #[must_use]
    pub fn share(&self, now: Totals) -> f64 {
        let Some((_, then)) = self.samples.front() else {
            return 0.0;
        };
        let packets = share(now.dropped - then.dropped, now.captured - then.captured);
        let requests = share(now.abandoned - then.abandoned, now.known - then.known);
        packets.max(requests)
    }
}

fn share(lost: u64, rest: u64) -> f64 {
    match lost {
        ..FEW => 0.0,
        _ => lost as f64 / (lost + rest) as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(captured: u64, dropped: u64, known: u64, abandoned: u64) -> Totals {
        Totals {
            captured,
            dropped,
            known,
            abandoned,
        }
    }

    #[test]
    fn the_share_is_that_of_the_last_minute() {
        let mut loss = Loss::default();
        let at = Duration::from_secs;
        assert_eq!(loss.share(totals(5, 50, 5, 50)), 0.0);
        loss.add(at(0), Totals::default());
        loss.add(at(30), totals(900, 100, 300, 10));
        assert_eq!(loss.share(totals(900, 100, 300, 10)), 0.1);
        for second in 31..=89 {
            loss.add(at(second), totals(900, 100, 300, 10));
        }
        assert_eq!(loss.share(totals(900, 100, 300, 10)), 0.1);
        loss.add(at(90), totals(900, 100, 300, 10));
        assert_eq!(loss.share(totals(1800, 100, 600, 10)), 0.0);
        assert!(loss.samples.len() <= 62);
    }

    #[test]
    fn abandoned_requests_count_where_no_packet_was_dropped() {
        let mut loss = Loss::default();
        loss.add(Duration::ZERO, Totals::default());
        assert_eq!(loss.share(totals(1000, 0, 60, 20)), 0.25);
    }

    #[test]
    fn a_few_are_no_estimate() {
        let mut loss = Loss::default();
        loss.add(Duration::ZERO, Totals::default());
        assert_eq!(loss.share(totals(1, 9, 1, 9)), 0.0);
    }
}
