//! Series of the signals besides the levels: ages and limits.

use std::time::{Duration, Instant};

use vigie_metrics::TimeGauge;

use crate::protocol::key::QueueKey;
use crate::protocol::levels::{Levels, State};
use crate::series::families::Families;
use crate::series::figures::{Figures, Quantity, Timer};
use crate::signals::clock::{Clock, Since};
use crate::signals::inspection::Signals;

/// The signal series of one queue.
pub(crate) struct SignalSeries {
    quantities: Figures<Quantity>,
    timers: Figures<Timer>,
}

impl SignalSeries {
    pub(crate) fn new(families: &Families, queue: &QueueKey) -> Self {
        Self {
            quantities: families.quantities.of(queue),
            timers: families.timers.of(queue),
        }
    }

    /// Publishes the result of an inspection that ended at `at`. Unknown values are removed; without a clock, these
    /// include all ages.
    pub(crate) fn set(&self, signals: &Signals, clock: Option<Clock>, at: Instant) {
        self.publish(signals, clock, Some(at));
    }

    /// Removes the results of inspections.
    pub(crate) fn forget(&self) {
        self.publish(&Signals::default(), None, None);
    }

    fn publish(&self, signals: &Signals, clock: Option<Clock>, at: Option<Instant>) {
        let number = |count: Option<u64>| count.map(|count| count as f64);
        for (figure, value) in [
            (Quantity::WithoutLock, number(signals.without_lock)),
            (Quantity::Overdue, number(signals.overdue)),
            (Quantity::Schedulers, number(signals.schedulers)),
            (Quantity::RateLimited, signals.rate_limited.map(f64::from)),
        ] {
            self.quantities.set(figure, value);
        }
        for (timer, since) in [
            (Timer::OldestWaiting, signals.oldest_waiting),
            (Timer::OldestActive, signals.oldest_active),
            (Timer::SchedulerLate, signals.scheduler_late),
            (
                Timer::OldestWaitingChildren,
                signals.oldest_waiting_children,
            ),
            (Timer::Paused, signals.paused),
        ] {
            let known = since.zip(clock);
            self.timers
                .set_with(timer, known, |series, (since, clock)| match since {
                    Since::At(since) => series.since(clock.age(since), clock.at),
                    Since::Nothing => series.zero(),
                });
        }
        let reset = signals.rate_limit_reset.zip(at);
        let reset_in = |series: &TimeGauge, (left, at): (Duration, Instant)| {
            series.until(left.as_secs_f64(), at);
        };
        self.timers.set_with(Timer::RateLimitReset, reset, reset_in);
    }

    /// Adapts known values to new levels until the next inspection: the age is 0 if no job is left, and starts at `now`
    /// if there was none before.
    pub(crate) fn adapt(&self, before: Option<&Levels>, levels: &Levels, now: Instant) {
        let ready = [State::Waiting, State::Prioritized, State::Paused];
        let held = [State::WaitingChildren];
        for (timer, states) in [
            (Timer::OldestWaiting, &ready[..]),
            (Timer::OldestActive, &[State::Active][..]),
            (Timer::OldestWaitingChildren, &held[..]),
        ] {
            let jobs = |levels: &Levels| -> Option<u64> {
                states.iter().map(|state| levels.get(*state)).sum()
            };
            if self.timers.get(timer).is_none() {
                continue;
            }
            match (before.and_then(jobs), jobs(levels)) {
                (_, Some(0)) => self.timers.series(timer).zero(),
                (Some(0), Some(_)) => self.timers.series(timer).since(0.0, now),
                _ => {}
            }
        }
        for (figure, state) in [
            (Quantity::WithoutLock, State::Active),
            (Quantity::Overdue, State::Delayed),
        ] {
            if levels.get(state) == Some(0) && self.quantities.get(figure).is_some() {
                self.quantities.set(figure, Some(0.0));
            }
        }
        if levels.paused == Some(false) {
            self.timers.forget(Timer::Paused);
        }
    }

    pub(crate) fn workers(&self, workers: Option<u64>) {
        let workers = workers.map(|workers| workers as f64);
        self.quantities.set(Quantity::Workers, workers);
    }

    pub(crate) fn oldest_waiting(&self) -> Option<Duration> {
        Duration::try_from_secs_f64(self.timers.get(Timer::OldestWaiting)?).ok()
    }

    pub(crate) fn connected_workers(&self) -> Option<u64> {
        let workers = self.quantities.get(Quantity::Workers);
        workers.map(|workers| workers as u64)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::settings::Settings;
    use vigie_metrics::Registry;

    fn series() -> SignalSeries {
        let settings = Settings::new(redis::Client::open("redis://127.0.0.1").unwrap());
        let families = Families::new(&Registry::new(), &settings);
        SignalSeries::new(&families, &QueueKey::new("bull", "q"))
    }

    fn levels(waiting: u64, active: u64) -> Levels {
        let mut levels = Levels::NONE;
        levels.states[State::Waiting as usize] = Some(waiting);
        levels.states[State::Active as usize] = Some(active);
        levels
    }

    fn now() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    /// A clock reading from a minute ago.
    fn clock() -> Option<Clock> {
        let at = now().checked_sub(Duration::from_secs(60));
        at.map(|at| Clock { now: 100_000, at })
    }

    #[test]
    fn ages_grow_since_they_were_read_and_none_outlives_its_jobs() {
        let series = series();
        let signals = Signals {
            oldest_waiting: Some(Since::At(90_000)),
            oldest_active: Some(Since::Nothing),
            paused: Some(Since::At(99_000)),
            rate_limit_reset: Some(Duration::from_secs(60)),
            ..Signals::default()
        };
        series.set(&signals, clock(), now());
        assert!(series.timers.get(Timer::OldestWaiting) >= Some(70.0));
        assert!(series.oldest_waiting() >= Some(Duration::from_secs(70)));
        assert_eq!(series.timers.get(Timer::OldestActive), Some(0.0));
        let value = |timer| series.timers.get(timer);
        assert!(value(Timer::Paused) >= Some(61.0));
        assert!(value(Timer::RateLimitReset) <= Some(60.0));
        series.adapt(Some(&levels(3, 0)), &levels(0, 2), now());
        assert_eq!(series.timers.get(Timer::OldestWaiting), Some(0.0));
        assert_eq!(value(Timer::Paused), None);
        // The job has been active since this moment at the latest.
        std::thread::sleep(Duration::from_millis(2));
        assert!(series.timers.get(Timer::OldestActive) > Some(0.0));
        series.adapt(Some(&levels(0, 2)), &levels(0, 0), now());
        assert_eq!(series.timers.get(Timer::OldestActive), Some(0.0));
    }

    #[test]
    fn levels_do_not_set_unknown_ages() {
        let series = series();
        series.set(&Signals::default(), clock(), now());
        series.adapt(Some(&levels(0, 0)), &levels(1, 1), now());
        series.adapt(Some(&levels(1, 1)), &levels(0, 0), now());
        assert_eq!(series.timers.get(Timer::OldestWaiting), None);
        assert_eq!(series.timers.get(Timer::OldestActive), None);
        let signals = Signals {
            oldest_active: Some(Since::At(17)),
            ..Signals::default()
        };
        series.set(&signals, None, now());
        assert_eq!(series.timers.get(Timer::OldestActive), None);
    }
}
