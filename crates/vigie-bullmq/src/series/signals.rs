//! Series of the signals besides the levels: ages and limits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vigie_metrics::{Gauge, Series, TimeGauge};

use super::Families;
use super::gauges::set;
use super::rare::Rare;
use crate::queues::key::QueueKey;
use crate::queues::levels::{Levels, State};
use crate::signals::{Clock, Signals, Since};

/// The signal series of one queue.
pub(crate) struct SignalSeries {
    queue: QueueKey,
    oldest_waiting: Arc<Series<TimeGauge, 2>>,
    oldest_active: Arc<Series<TimeGauge, 2>>,
    without_lock: Arc<Series<Gauge, 2>>,
    overdue: Arc<Series<Gauge, 2>>,
    scheduler_late: Arc<Series<TimeGauge, 2>>,
    schedulers: Arc<Series<Gauge, 2>>,
    oldest_waiting_children: Arc<Series<TimeGauge, 2>>,
    rate_limited: Arc<Series<Gauge, 2>>,
    rate_limit_reset: Rare<TimeGauge>,
    paused: Rare<TimeGauge>,
    workers: Arc<Series<Gauge, 2>>,
}

impl SignalSeries {
    pub(crate) fn new(families: &Families, queue: &QueueKey) -> Self {
        let labels = [queue.prefix(), queue.name()];
        Self {
            queue: queue.clone(),
            oldest_waiting: families.oldest_waiting.series(labels),
            oldest_active: families.oldest_active.series(labels),
            without_lock: families.without_lock.series(labels),
            overdue: families.overdue.series(labels),
            scheduler_late: families.scheduler_late.series(labels),
            schedulers: families.schedulers.series(labels),
            oldest_waiting_children: families.oldest_waiting_children.series(labels),
            rate_limited: families.rate_limited.series(labels),
            rate_limit_reset: Rare::new(&families.rate_limit_reset),
            paused: Rare::new(&families.paused_for),
            workers: families.workers.series(labels),
        }
    }

    /// Publishes the result of an inspection that ended at `at`. Unknown values are removed; without a clock, these
    /// include all ages.
    pub(crate) fn set(&self, signals: &Signals, clock: Option<Clock>, at: Instant) {
        self.set_all_but_reset(signals, clock);
        match signals.rate_limit_reset {
            Some(left) => {
                let series = self.rate_limit_reset.of(&self.queue);
                series.until(left as f64 / 1e3, at);
            }
            None => self.rate_limit_reset.forget(),
        }
    }

    fn set_all_but_reset(&self, signals: &Signals, clock: Option<Clock>) {
        for (series, since) in [
            (&self.oldest_waiting, signals.oldest_waiting),
            (&self.oldest_active, signals.oldest_active),
            (&self.scheduler_late, signals.scheduler_late),
            (
                &self.oldest_waiting_children,
                signals.oldest_waiting_children,
            ),
        ] {
            match (since, clock) {
                (Some(Since::At(since)), Some(clock)) => series.since(clock.age(since), clock.at),
                (Some(Since::Nothing), Some(_)) => series.zero(),
                _ => series.forget(),
            }
        }
        set(&self.without_lock, signals.without_lock);
        set(&self.overdue, signals.overdue);
        set(&self.schedulers, signals.schedulers);
        set(&self.rate_limited, signals.rate_limited.map(u64::from));
        match signals.paused.zip(clock) {
            Some((since, clock)) => {
                let series = self.paused.of(&self.queue);
                series.since(clock.age(since), clock.at);
            }
            None => self.paused.forget(),
        }
    }

    /// Adapts known values to new levels until the next inspection: the age is 0 if no job is left, and starts at `now`
    /// if there was none before.
    pub(crate) fn adapt(&self, before: Option<&Levels>, levels: &Levels, now: Instant) {
        let ready = [State::Waiting, State::Prioritized, State::Paused];
        let held = [State::WaitingChildren];
        for (series, states) in [
            (&self.oldest_waiting, &ready[..]),
            (&self.oldest_active, &[State::Active][..]),
            (&self.oldest_waiting_children, &held[..]),
        ] {
            let jobs = |levels: &Levels| -> Option<u64> {
                states.iter().map(|state| levels.get(*state)).sum()
            };
            let is_known = series.get().is_some();
            match (before.and_then(jobs), jobs(levels)) {
                (_, Some(0)) if is_known => series.zero(),
                (Some(0), Some(_)) if is_known => series.since(0.0, now),
                _ => {}
            }
        }
        let adapt = |gauge: &Gauge, state| {
            if levels.get(state) == Some(0) && gauge.get().is_some() {
                gauge.set(0.0);
            }
        };
        adapt(&self.without_lock, State::Active);
        adapt(&self.overdue, State::Delayed);
        if levels.paused == Some(false) {
            self.paused.forget();
        }
    }

    pub(crate) fn forget(&self) {
        self.set_all_but_reset(&Signals::default(), None);
        self.rate_limit_reset.forget();
    }

    pub(crate) fn workers(&self, workers: Option<u64>) {
        set(&self.workers, workers);
    }

    pub(crate) fn oldest_waiting(&self) -> Option<Duration> {
        Duration::try_from_secs_f64(self.oldest_waiting.get()?).ok()
    }

    pub(crate) fn connected_workers(&self) -> Option<u64> {
        self.workers.get().map(|workers| workers as u64)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Settings;
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
            paused: Some(99_000),
            rate_limit_reset: Some(60_000),
            ..Signals::default()
        };
        series.set(&signals, clock(), now());
        assert!(series.oldest_waiting.get() >= Some(70.0));
        assert!(series.oldest_waiting() >= Some(Duration::from_secs(70)));
        assert_eq!(series.oldest_active.get(), Some(0.0));
        let (paused, reset) = (&series.paused, &series.rate_limit_reset);
        assert!(paused.of(&series.queue).get() >= Some(61.0));
        assert!(reset.of(&series.queue).get() <= Some(60.0));
        series.adapt(Some(&levels(3, 0)), &levels(0, 2), now());
        assert_eq!(series.oldest_waiting.get(), Some(0.0));
        assert_eq!(paused.of(&series.queue).get(), None);
        // The job has been active since this moment at the latest.
        std::thread::sleep(Duration::from_millis(2));
        assert!(series.oldest_active.get() > Some(0.0));
        series.adapt(Some(&levels(0, 2)), &levels(0, 0), now());
        assert_eq!(series.oldest_active.get(), Some(0.0));
    }

    #[test]
    fn levels_do_not_set_unknown_ages() {
        let series = series();
        series.set(&Signals::default(), clock(), now());
        series.adapt(Some(&levels(0, 0)), &levels(1, 1), now());
        series.adapt(Some(&levels(1, 1)), &levels(0, 0), now());
        assert_eq!(series.oldest_waiting.get(), None);
        assert_eq!(series.oldest_active.get(), None);
        let signals = Signals {
            oldest_active: Some(Since::At(17)),
            ..Signals::default()
        };
        series.set(&signals, None, now());
        assert_eq!(series.oldest_active.get(), None);
    }
}
