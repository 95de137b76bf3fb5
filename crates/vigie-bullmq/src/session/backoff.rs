//! Pauses between connection attempts.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Pauses between connection attempts: exponential, with jitter.
pub(crate) struct Backoff(u32);

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(2);

    pub(crate) fn new() -> Self {
        Self(0)
    }

    pub(crate) fn reset(&mut self) {
        self.0 = 0;
    }

    pub(crate) fn next(&mut self) -> Duration {
        let pause = Self::FIRST.saturating_mul(1 << self.0).min(Self::LONGEST);
        self.0 = (self.0 + 1).min(10);
        // `RandomState` is seeded per instance, which suffices for jitter.
        let chance = RandomState::new().hash_one(self.0) % 256;
        pause.mul_f64(0.75 + chance as f64 / 512.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        let mut backoff = Backoff::new();
        let first = backoff.next();
        assert!(first >= Duration::from_millis(75) && first <= Duration::from_millis(125));
        let last = (0..100).map(|_| backoff.next()).last();
        assert!(
            last >= Some(Duration::from_millis(1500)) && last <= Some(Duration::from_millis(2500))
        );
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(125));
    }
}
