//! Time, provided by the caller.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// A point in time, on two clocks: one for durations and one for display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Time since the program started, monotonic.
    pub elapsed: Duration,
    /// Wall-clock time.
    pub wall: Timestamp,
}

impl Moment {
    /// The time since an earlier moment; 0 if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.elapsed.saturating_sub(earlier.elapsed)
    }

    /// The moment after this duration.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self {
            elapsed: self.elapsed.saturating_add(duration),
            wall: self.wall.checked_add(duration).unwrap_or(Timestamp::MAX),
        }
    }
}

/// RFC 3339, in UTC, to the millisecond.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.wall)
    }
}

/// A source of the current time. Clones share it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Moment + Send + Sync>);

impl Clock {
    /// A clock that calls this function.
    pub fn new(now: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The system clocks, starting now.
    #[must_use]
    pub fn system() -> Self {
        let started = tokio::time::Instant::now();
        Self::new(move || Moment {
            elapsed: started.elapsed(),
            wall: Timestamp::now(),
        })
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Moment {
        (self.0)()
    }

    /// The current wall time, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn millis(&self) -> i64 {
        self.now().wall.as_millisecond()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Noon of the first day of the tests, plus this many milliseconds.
#[cfg(test)]
pub(crate) fn at(millis: u64) -> Moment {
    let noon = Timestamp::constant(1_767_268_800, 0);
    Moment {
        elapsed: Duration::ZERO,
        wall: noon,
    }
    .after(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shown_in_rfc_3339() {
        assert_eq!(at(1_250).to_string(), "2026-01-01T12:00:01.250Z");
        assert_eq!(at(0).after(Duration::MAX).wall, Timestamp::MAX);
        assert_eq!(at(0).since(at(5)), Duration::ZERO);
        assert_eq!(at(7).since(at(5)), Duration::from_millis(2));
    }
}
