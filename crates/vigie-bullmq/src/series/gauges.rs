//! What a queue is like at a moment.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use vigie_metrics::{Family, Gauge, Series};

use super::compatible::CompatibleRow;
use super::{FINAL, Families};
use crate::queues::key::QueueKey;
use crate::queues::levels::{Levels, State};
use crate::signals::Signals;

/// `queue_jobs_total` of one queue name: the sum over the prefixes and databases that have it.
pub(crate) struct Row {
    levels: [Arc<Series<Gauge, 2>>; 6],
    ended: [Arc<Series<Gauge, 2>>; 2],
    compatible: Option<CompatibleRow>,
    /// How many ended. Held while anything is shown: several nodes may have queues of the name.
    total: Mutex<[u64; 2]>,
}

impl Row {
    pub(crate) fn new(families: &Families, name: &str) -> Self {
        Self {
            levels: State::ALL.map(|state| families.jobs.series([name, state.as_str()])),
            ended: FINAL.map(|state| families.jobs.series([name, state])),
            compatible: families.compatible.as_ref().map(|all| all.row(name)),
            total: Mutex::default(),
        }
    }

    /// What ends will be counted: from 0 at once, so that `rate()` sees the first failure.
    pub(crate) fn begin(&self) {
        self.add([0; 2]);
    }

    /// Shows the sum of the queues; with one of which nothing is known, nothing is known of the sum.
    pub(crate) fn show<I: Iterator<Item = Option<Levels>>>(&self, queues: impl FnOnce() -> I) {
        let _total = self.total.lock();
        let known: Option<Vec<_>> = queues().collect();
        match known {
            Some(queues) => self.set(queues.iter()),
            None => self.forget(),
        }
    }

    fn set<'a>(&self, queues: impl Iterator<Item = &'a Levels> + Clone) {
        for (at, series) in self.levels.iter().enumerate() {
            let sum = queues.clone().map(|levels| levels.states[at]).sum();
            set(series, sum);
        }
        if let Some(compatible) = &self.compatible {
            compatible.set(queues);
        }
    }

    fn forget(&self) {
        self.levels.iter().for_each(|series| series.forget());
        if let Some(compatible) = &self.compatible {
            compatible.forget();
        }
    }

    pub(super) fn add(&self, ended: [u64; 2]) {
        let mut totals = self.total.lock();
        for ((total, series), more) in totals.iter_mut().zip(&self.ended).zip(ended) {
            *total = total.wrapping_add(more);
            series.set(*total as f64);
        }
        if let Some(compatible) = &self.compatible {
            compatible.add(ended);
        }
    }
}

/// The levels of one queue.
pub(crate) struct LevelSeries {
    queue: QueueKey,
    states: [Arc<Series<Gauge, 3>>; 6],
    retained: [Arc<Series<Gauge, 3>>; 2],
    paused: Arc<Series<Gauge, 2>>,
    concurrency_limit: Seldom,
    concurrency_reached: Seldom,
}

impl LevelSeries {
    pub(crate) fn new(families: &Families, queue: &QueueKey) -> Self {
        let (prefix, name) = (queue.prefix(), queue.name());
        let level = |state: State| families.levels.series([prefix, name, state.as_str()]);
        Self {
            queue: queue.clone(),
            states: State::ALL.map(level),
            retained: FINAL.map(|state| families.retained.series([prefix, name, state])),
            paused: families.paused.series([prefix, name]),
            concurrency_limit: Seldom::new(&families.concurrency_limit),
            concurrency_reached: Seldom::new(&families.concurrency_reached),
        }
    }

    pub(crate) fn set(&self, levels: &Levels) {
        let states = self.states.iter().zip(levels.states);
        let retained = self.retained.iter().zip(levels.retained);
        states
            .chain(retained)
            .for_each(|(series, level)| set(series, level));
        set(&self.paused, levels.paused.map(u64::from));
        let limit = levels.concurrency.map(|jobs| jobs as f64);
        self.concurrency_limit.set(&self.queue, limit);
        let reached = levels.concurrency_reached().map(f64::from);
        self.concurrency_reached.set(&self.queue, reached);
    }

    pub(crate) fn forget(&self) {
        let all = self.states.iter().chain(&self.retained);
        all.for_each(|series| series.forget());
        self.paused.forget();
        self.concurrency_limit.forget();
        self.concurrency_reached.forget();
    }
}

/// A gauge that most queues never have: made when it is first needed.
struct Seldom {
    family: Family<Gauge, 2>,
    series: OnceLock<Arc<Series<Gauge, 2>>>,
}

impl Seldom {
    fn new(family: &Family<Gauge, 2>) -> Self {
        Self {
            family: family.clone(),
            series: OnceLock::new(),
        }
    }

    fn set(&self, queue: &QueueKey, value: Option<f64>) {
        let made = || self.family.series([queue.prefix(), queue.name()]);
        match value {
            Some(value) => self.series.get_or_init(made).set(value),
            None => self.forget(),
        }
    }

    fn forget(&self) {
        if let Some(series) = self.series.get() {
            series.forget();
        }
    }
}

pub(super) fn set(gauge: &Gauge, level: Option<u64>) {
    match level {
        Some(level) => gauge.set(level as f64),
        None => gauge.forget(),
    }
}

/// What else is known of one queue.
pub(crate) struct SignalSeries {
    queue: QueueKey,
    oldest_waiting: Arc<Series<Gauge, 2>>,
    oldest_active: Arc<Series<Gauge, 2>>,
    without_lock: Arc<Series<Gauge, 2>>,
    overdue: Arc<Series<Gauge, 2>>,
    scheduler_late: Arc<Series<Gauge, 2>>,
    schedulers: Arc<Series<Gauge, 2>>,
    oldest_waiting_children: Arc<Series<Gauge, 2>>,
    rate_limited: Arc<Series<Gauge, 2>>,
    rate_limit_reset: Seldom,
    paused: Seldom,
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
            rate_limit_reset: Seldom::new(&families.rate_limit_reset),
            paused: Seldom::new(&families.paused_for),
            workers: families.workers.series(labels),
        }
    }

    /// What is unknown is forgotten.
    pub(crate) fn set(&self, signals: &Signals) {
        let seconds = |millis: Option<u64>| millis.map(|millis| millis as f64 / 1e3);
        let count = |count: Option<u64>| count.map(|count| count as f64);
        for (series, value) in [
            (&self.oldest_waiting, seconds(signals.oldest_waiting)),
            (&self.oldest_active, seconds(signals.oldest_active)),
            (&self.without_lock, count(signals.without_lock)),
            (&self.overdue, count(signals.overdue)),
            (&self.scheduler_late, seconds(signals.scheduler_late)),
            (&self.schedulers, count(signals.schedulers)),
            (
                &self.oldest_waiting_children,
                seconds(signals.oldest_waiting_children),
            ),
            (&self.rate_limited, signals.rate_limited.map(f64::from)),
        ] {
            match value {
                Some(value) => series.set(value),
                None => series.forget(),
            }
        }
        let reset = seconds(signals.rate_limit_reset);
        self.rate_limit_reset.set(&self.queue, reset);
        self.paused.set(&self.queue, seconds(signals.paused));
    }

    pub(crate) fn forget(&self) {
        self.set(&Signals::default());
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
