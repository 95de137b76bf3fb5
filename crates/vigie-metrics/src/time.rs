//! A gauge that moves with time.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Instant;

use crate::desc::Meta;
use crate::exposition::Sample;
use crate::value::Value;

/// The seconds since a moment, or until one, computed whenever it is read: between two readings of a source it goes on as
/// the clock does. Or a plain 0, or not known.
#[derive(Debug)]
pub struct TimeGauge(AtomicI64);

/// The state, in the two lowest bits; the other bits are a time in milliseconds since [`origin`].
const UNKNOWN: i64 = 0;
const ZERO: i64 = 1;
const SINCE: i64 = 2;
const UNTIL: i64 = 3;
const KIND: i64 = 3;

impl TimeGauge {
    /// The seconds since a moment that was `age` seconds ago at `at`; 0 until it comes, if that is negative.
    pub fn since(&self, age: f64, at: Instant) {
        self.store(millis(at).saturating_sub((age * 1e3).round() as i64), SINCE);
    }

    /// The seconds until a moment that was `left` seconds ahead at `at`. When it has come the value is not known any more.
    pub fn until(&self, left: f64, at: Instant) {
        self.store(
            millis(at).saturating_add((left * 1e3).round() as i64),
            UNTIL,
        );
    }

    /// Sets the value to 0: nothing is in the timed state.
    pub fn zero(&self) {
        self.0.store(ZERO, Relaxed);
    }

    /// Says that the value is not known (any more).
    pub fn forget(&self) {
        self.0.store(UNKNOWN, Relaxed);
    }

    /// The value now, if it is known.
    #[must_use]
    pub fn get(&self) -> Option<f64> {
        self.get_at(now())
    }

    fn get_at(&self, now: Instant) -> Option<f64> {
        let bits = self.0.load(Relaxed);
        let ahead = (bits >> 2).saturating_sub(millis(now));
        match bits & KIND {
            ZERO => Some(0.0),
            SINCE => Some(ahead.min(0).unsigned_abs() as f64 / 1e3),
            UNTIL if ahead > 0 => Some(ahead as f64 / 1e3),
            _ => None,
        }
    }

    fn store(&self, millis: i64, kind: i64) {
        // 36 million years on both sides.
        let bound = i64::MAX >> 2;
        self.0
            .store(millis.clamp(-bound, bound) << 2 | kind, Relaxed);
    }
}

impl Value for TimeGauge {
    fn new(_: &'static Meta) -> Self {
        Self(AtomicI64::new(UNKNOWN))
    }

    fn read(&self) -> Option<Sample<'_>> {
        self.get().map(Sample::Float)
    }
}

/// A value that moves with time is computed when it is read, by readers that have no time to give.
#[allow(clippy::disallowed_methods)]
fn now() -> Instant {
    Instant::now()
}

/// The same moment for all gauges of the process.
fn origin() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    *ORIGIN.get_or_init(now)
}

/// Milliseconds since the origin; negative before it.
fn millis(at: Instant) -> i64 {
    let origin = origin();
    let (sign, distance) = match at.checked_duration_since(origin) {
        Some(after) => (1, after),
        None => (-1, origin - at),
    };
    sign * i64::try_from(distance.as_millis()).unwrap_or(i64::MAX >> 2)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;

    fn gauge() -> TimeGauge {
        TimeGauge(AtomicI64::new(UNKNOWN))
    }

    /// Moments are kept in milliseconds.
    fn is_about(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|value| (value - expected).abs() < 0.002)
    }

    #[test]
    fn an_age_grows_between_readings() {
        let (gauge, at) = (gauge(), now());
        assert_eq!(gauge.get_at(at), None);
        gauge.since(10_800.5, at);
        for later in [0, 1, 5] {
            let value = gauge.get_at(at + Duration::from_secs(later));
            assert!(is_about(value, 10_800.5 + later as f64), "{value:?}");
        }
        // By a clock that is ahead it begins in two seconds.
        gauge.since(-2.0, at);
        assert_eq!(gauge.get_at(at), Some(0.0));
        assert!(is_about(gauge.get_at(at + Duration::from_secs(5)), 3.0));
        gauge.zero();
        assert_eq!(gauge.get_at(at + Duration::from_secs(5)), Some(0.0));
        gauge.forget();
        assert_eq!(gauge.get_at(at), None);
    }

    #[test]
    fn what_is_left_shrinks_and_ends() {
        let (gauge, at) = (gauge(), now());
        gauge.until(1.5, at);
        assert!(is_about(gauge.get_at(at + Duration::from_secs(1)), 0.5));
        assert_eq!(gauge.get_at(at + Duration::from_secs(2)), None);
    }

    #[test]
    fn any_number_is_taken() {
        let (gauge, at) = (gauge(), now());
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            gauge.since(number, at);
            assert!(gauge.get_at(at).is_some_and(f64::is_finite));
            gauge.until(number, at);
            let _ = gauge.get_at(at);
        }
    }
}
