//! The levels of a queue, and their sums by queue name.

use std::sync::Arc;

use parking_lot::Mutex;
use vigie_metrics::{Gauge, Series};

use crate::protocol::key::QueueKey;
use crate::protocol::levels::{Levels, State};
use crate::protocol::outcome::{Ended, Final, PerFinal};
use crate::series::compatible::CompatibleRow;
use crate::series::families::Families;
use crate::series::figures::{Figures, Limit, set_level};

/// `queue_jobs_total` of one queue name: the sum over all prefixes and databases.
pub(crate) struct Row {
    levels: [Arc<Series<Gauge, 2>>; 6],
    ended: PerFinal<Arc<Series<Gauge, 2>>>,
    compatible: Option<CompatibleRow>,
    /// The outcomes. Locked during publication, because several nodes may have queues of this name.
    total: Mutex<Ended>,
}

impl Row {
    pub(crate) fn new(families: &Families, name: &str) -> Self {
        Self {
            levels: State::ALL.map(|state| families.jobs.series([name, state.as_str()])),
            ended: PerFinal::from_fn(|end| families.jobs.series([name, end.as_str()])),
            compatible: families.compatible.as_ref().map(|all| all.row(name)),
            total: Mutex::default(),
        }
    }

    /// Creates the outcome series at 0, so that `rate()` sees the first failure.
    pub(crate) fn begin(&self) {
        self.add(Ended::default());
    }

    /// Publishes the sum over the queues; unknown if any queue is unknown.
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
            set_level(series, sum);
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

    /// Adds outcomes. No lock of a queue may be held.
    pub(super) fn add(&self, ended: Ended) {
        let mut totals = self.total.lock();
        for (end, more) in ended.iter() {
            totals[end] = totals[end].wrapping_add(*more);
            self.ended[end].set(totals[end] as f64);
        }
        if let Some(compatible) = &self.compatible {
            compatible.add(ended);
        }
    }
}

/// The levels of one queue.
pub(crate) struct LevelSeries {
    states: [Arc<Series<Gauge, 3>>; 6],
    retained: [Arc<Series<Gauge, 3>>; 2],
    limits: Figures<Limit>,
}

impl LevelSeries {
    pub(crate) fn new(families: &Families, queue: &QueueKey) -> Self {
        let (prefix, name) = (queue.prefix(), queue.name());
        let level = |state: State| families.levels.series([prefix, name, state.as_str()]);
        Self {
            states: State::ALL.map(level),
            retained: Final::ALL.map(|end| families.retained.series([prefix, name, end.as_str()])),
            limits: families.limits.of(queue),
        }
    }

    pub(crate) fn set(&self, levels: &Levels) {
        let states = self.states.iter().zip(levels.states);
        let retained = self.retained.iter().zip(levels.retained);
        states
            .chain(retained)
            .for_each(|(series, level)| set_level(series, level));
        let concurrency = levels.concurrency.map(|jobs| jobs as f64);
        let reached = levels.concurrency_reached().map(f64::from);
        self.limits.set(Limit::Paused, levels.paused.map(f64::from));
        self.limits.set(Limit::Concurrency, concurrency);
        self.limits.set(Limit::ConcurrencyReached, reached);
    }

    pub(crate) fn forget(&self) {
        let all = self.states.iter().chain(&self.retained);
        all.for_each(|series| series.forget());
        self.limits.forget_all();
    }
}
