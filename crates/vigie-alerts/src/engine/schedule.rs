//! The times at which a group is evaluated.

use super::Time;
use crate::fnv1a;

/// The evaluations of a group: every `interval` milliseconds, shifted by an offset that depends on its id, so that the
/// groups are spread over the interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    interval: i64,
    offset: i64,
}

impl Schedule {
    pub(super) fn new(file: &str, name: &str, interval: i64) -> Self {
        let interval = interval.max(1);
        let hash = fnv1a([file.as_bytes(), &[0], name.as_bytes()].concat());
        let offset = i64::try_from(hash % interval.unsigned_abs()).unwrap_or(0);
        Self { interval, offset }
    }

    pub(super) fn interval(self) -> i64 {
        self.interval
    }

    /// The first evaluation after `after`.
    pub(super) fn next(self, after: Time) -> Time {
        let slot = self.slot(after).saturating_add(1);
        let start = slot.saturating_mul(self.interval);
        start.saturating_add(self.offset)
    }

    /// The number of evaluations between the one at `last` and the one at `now`.
    pub(super) fn missed(self, last: Time, now: Time) -> u64 {
        let slots = self.slot(now).saturating_sub(self.slot(last));
        slots.saturating_sub(1).max(0).unsigned_abs()
    }

    fn slot(self, at: Time) -> i64 {
        at.saturating_sub(self.offset).div_euclid(self.interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evaluations_are_an_interval_apart() {
        let schedule = Schedule::new("a.yml", "g", 15_000);
        let first = schedule.next(1_700_000_000_000);
        assert!((1..=15_000).contains(&(first - 1_700_000_000_000)));
        assert_eq!(schedule.next(first), first + 15_000);
        assert_eq!(schedule.next(first - 1), first);
    }

    #[test]
    fn groups_are_spread_over_the_interval() {
        let offset = |at: usize| Schedule::new("a.yml", &format!("group {at}"), 60_000).offset;
        let mut quarters = [0; 4];
        for at in 0..400 {
            quarters[usize::try_from(offset(at) / 15_000).unwrap_or(0)] += 1;
        }
        assert!(quarters.iter().all(|count| *count > 60), "{quarters:?}");
    }

    #[test]
    fn missed_evaluations_are_counted() {
        let schedule = Schedule::new("a.yml", "g", 15_000);
        let first = schedule.next(0);
        assert_eq!(schedule.missed(first, first + 15_000), 0);
        assert_eq!(schedule.missed(first, first + 29_999), 0);
        assert_eq!(schedule.missed(first, first + 75_000), 4);
        assert_eq!(schedule.missed(first, first), 0);
        assert_eq!(schedule.missed(first, first - 60_000), 0);
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        let schedule = Schedule::new("a.yml", "g", 0);
        for time in [i64::MIN, 0, i64::MAX] {
            let _ = (
                schedule.next(time),
                schedule.missed(time, -1),
                schedule.missed(-1, time),
            );
        }
    }
}
