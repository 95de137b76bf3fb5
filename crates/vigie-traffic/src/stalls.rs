//! Stalls of the app, as far as they can be told from outside.
//!
//! A process whose event loop is blocked sends nothing on any connection. Its kernel still accepts requests, which are
//! answered together once the loop runs again: those that arrived early waited long, and those that arrived late waited
//! briefly. Requests that wait for a slow dependency each wait for its time, and the app answers others meanwhile.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::Mutex;

/// Fewer requests than this are no evidence.
const FEW: u64 = 5;
/// Shorter stalls are not told apart from ordinary work.
const SHORTEST: Duration = Duration::from_millis(100);
/// How much of the requests, as one of so many, may be answered later: some wait for a dependency after the stall.
const LATER: u64 = 5;

/// The requests that arrive while the app is silent. Times are since one origin.
#[derive(Debug, Default)]
pub(crate) struct Stalls {
    /// The number of requests since the app's last bytes.
    arrived: AtomicU64,
    /// When the first of them arrived, in nanoseconds.
    first: AtomicU64,
    /// Whether there is a `burst`.
    is_judging: AtomicBool,
    burst: Mutex<Option<Burst>>,
}

/// The answers after a silence.
#[derive(Debug)]
struct Burst {
    /// When the first request of the silence arrived, and when the silence ended.
    first: Duration,
    end: Duration,
    arrived: u64,
    answered: u64,
    /// The shortest time that an answered request had waited at the end of the silence.
    shortest: Duration,
}

impl Stalls {
    /// A request is complete, and no other is open on its connection.
    pub(crate) fn arrived(&self, at: Duration) {
        if self.arrived.fetch_add(1, Relaxed) == 0 {
            self.first.store(nanos(at), Relaxed);
        }
    }

    /// The app has sent bytes on some connection.
    pub(crate) fn spoke(&self, at: Duration) {
        if self.arrived.load(Relaxed) == 0 {
            return;
        }
        let arrived = self.arrived.swap(0, Relaxed);
        let first = Duration::from_nanos(self.first.load(Relaxed));
        if arrived < FEW || at.saturating_sub(first) < SHORTEST {
            return;
        }
        *self.burst.lock() = Some(Burst {
            first,
            end: at,
            arrived,
            answered: 0,
            shortest: Duration::MAX,
        });
        self.is_judging.store(true, Relaxed);
    }

    /// The response to a request began that [arrived](Self::arrived) at `sent`. Returns the duration of a stall that this
    /// proves.
    #[must_use]
    pub(crate) fn answered(&self, at: Duration, sent: Duration) -> Option<Duration> {
        if !self.is_judging.load(Relaxed) {
            return None;
        }
        let mut slot = self.burst.lock();
        let burst = slot.as_mut()?;
        let stall = burst.end.saturating_sub(burst.first);
        if at.saturating_sub(burst.end) > SHORTEST.max(stall / 2) {
            *slot = None;
            self.is_judging.store(false, Relaxed);
            return None;
        }
        if sent < burst.first || sent > burst.end {
            return None;
        }
        burst.answered += 1;
        burst.shortest = burst.shortest.min(burst.end.saturating_sub(sent));
        let is_most = burst.answered * LATER >= burst.arrived * (LATER - 1);
        let is_stall = burst.answered >= FEW && is_most && burst.shortest <= stall / 2;
        if !is_stall {
            return None;
        }
        *slot = None;
        self.is_judging.store(false, Relaxed);
        Some(stall)
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Passes requests as pairs of the times at which they arrive and are answered, in the order of all times.
    fn stalls(requests: &[(u64, u64)]) -> Vec<Duration> {
        let mut events: Vec<_> = requests
            .iter()
            .flat_map(|&(sent, answered)| [(sent, None), (answered, Some(sent))])
            .collect();
        events.sort();
        let stalls = Stalls::default();
        let mut found = Vec::new();
        for (at, sent) in events {
            match sent {
                None => stalls.arrived(ms(at)),
                Some(sent) => {
                    stalls.spoke(ms(at));
                    found.extend(stalls.answered(ms(at), ms(sent)));
                }
            }
        }
        found
    }

    #[test]
    fn requests_that_are_answered_together_prove_a_stall_once() {
        let requests: Vec<_> = (0..20).map(|n| (1_000 + n * 100, 3_000 + n)).collect();
        assert_eq!(stalls(&requests), [ms(2_000)]);
        // Before and after, the app answers at once.
        let quick = (0..50).map(|n| (n * 10, n * 10 + 3));
        let later = (0..50).map(|n| (4_000 + n * 10, 4_003 + n * 10));
        let all: Vec<_> = quick.chain(requests).chain(later).collect();
        assert_eq!(stalls(&all), [ms(2_000)]);
    }

    #[test]
    fn slow_answers_are_no_stall() {
        // Each takes two seconds, and they are spread.
        let spread: Vec<_> = (0..100).map(|n| (n * 100, n * 100 + 2_000)).collect();
        assert_eq!(stalls(&spread), []);
        // All are sent at once, and take two seconds.
        let at_once: Vec<_> = (0..50).map(|n| (1_000 + n, 3_000 + n)).collect();
        assert_eq!(stalls(&at_once), []);
    }

    #[test]
    fn another_answer_proves_that_the_app_runs() {
        let mut requests: Vec<_> = (0..20).map(|n| (1_000 + n * 100, 3_000 + n)).collect();
        requests.extend((0..40).map(|n| (1_001 + n * 50, 1_002 + n * 50)));
        assert_eq!(stalls(&requests), []);
    }

    #[test]
    fn few_requests_or_few_answers_prove_nothing() {
        let few: Vec<_> = (0..4).map(|n| (1_000 + n * 400, 3_000 + n)).collect();
        assert_eq!(stalls(&few), []);
        // Two of three wait for something else after the silence.
        let slow = |n: u64| match n % 3 {
            0 => 3_000 + n,
            _ => 9_000 + n,
        };
        let most: Vec<_> = (0..30).map(|n| (1_000 + n * 60, slow(n))).collect();
        assert_eq!(stalls(&most), []);
        let short: Vec<_> = (0..20).map(|n| (1_000 + n * 4, 1_090 + n)).collect();
        assert_eq!(stalls(&short), []);
    }
}
