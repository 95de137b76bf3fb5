//! The series a queue is published in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use vigie_metrics::{Counter, Family, Gauge, Histogram, Registry, Series, catalogue};

use crate::Tick;
use crate::fold::Outcome;
use crate::key::QueueKey;
use crate::levels::{Levels, State};
use crate::names::NameId;

/// How a job can end.
const FINAL: [&str; 2] = ["completed", "failed"];
const OUTCOMES: [&str; 3] = ["completed", "failed", "retried"];

/// All families this crate records into.
pub(crate) struct Families {
    jobs: Family<Gauge, 2>,
    levels: Family<Gauge, 3>,
    retained: Family<Gauge, 3>,
    finished: Family<Counter, 4>,
    runs: Family<Histogram, 4>,
    unmeasured: Family<Counter, 2>,
    lost: Family<Counter, 2>,
    read: Family<Counter, 2>,
    tick: Option<(Tick, Arc<Series<Histogram, 0>>)>,
    pub(crate) queues: Arc<Series<Gauge, 0>>,
    pub(crate) refused: Arc<Series<Counter, 0>>,
    pub(crate) redis_up: Arc<Series<Gauge, 1>>,
    pub(crate) events_up: Arc<Series<Gauge, 1>>,
}

impl Families {
    pub(crate) fn new(registry: &Registry, tick: Option<Tick>) -> Self {
        let up = registry.family(&catalogue::SOURCE_UP);
        Self {
            jobs: registry.family(&catalogue::QUEUE_JOBS),
            levels: registry.family(&catalogue::BULLMQ_JOBS),
            retained: registry.family(&catalogue::BULLMQ_JOBS_RETAINED),
            finished: registry.family(&catalogue::BULLMQ_JOBS_FINISHED),
            runs: registry.family(&catalogue::BULLMQ_JOB_RUN),
            unmeasured: registry.family(&catalogue::BULLMQ_RUNS_UNMEASURED),
            lost: registry.family(&catalogue::BULLMQ_EVENTS_LOST),
            read: registry.family(&catalogue::BULLMQ_EVENTS_READ),
            tick: tick.map(|tick| {
                let ticks = registry.family(&catalogue::PRODUCTION_TICK_DURATION);
                (tick, ticks.series([]))
            }),
            queues: registry.family(&catalogue::BULLMQ_QUEUES).series([]),
            refused: registry
                .family(&catalogue::BULLMQ_QUEUES_REFUSED)
                .series([]),
            redis_up: up.series(["redis"]),
            events_up: up.series(["events"]),
        }
    }

    /// Removes the levels of a queue, and the row of its name if no other queue has that name.
    pub(crate) fn remove_levels(&self, queue: &QueueKey, row_too: bool) {
        let others = |[prefix, name, _]: [&str; 3]| (name, prefix) != queue.order();
        self.levels.retain(others);
        self.retained.retain(others);
        if row_too {
            self.jobs.retain(|[name, _]| name != queue.name());
        }
    }

    /// Removes what was counted of a queue.
    pub(crate) fn remove_counts(&self, queue: &QueueKey) {
        let others = |[prefix, name]: [&str; 2]| (name, prefix) != queue.order();
        for family in [&self.unmeasured, &self.lost, &self.read] {
            family.retain(others);
        }
        self.finished
            .retain(|[prefix, name, _, _]| others([prefix, name]));
        self.runs
            .retain(|[prefix, name, _, _]| others([prefix, name]));
    }
}

/// `queue_jobs_total` of one queue name: the sum over the prefixes that have it.
pub(crate) struct Row {
    levels: [Arc<Series<Gauge, 2>>; 6],
    ended: [(AtomicU64, Arc<Series<Gauge, 2>>); 2],
}

impl Row {
    /// The counts start at 0 at once, so that `rate()` sees the first failure.
    pub(crate) fn new(families: &Families, name: &str) -> Self {
        let ended = FINAL.map(|state| {
            let series = families.jobs.series([name, state]);
            series.set(0.0);
            (AtomicU64::new(0), series)
        });
        Self {
            levels: State::ALL.map(|state| families.jobs.series([name, state.as_str()])),
            ended,
        }
    }

    pub(crate) fn set<'a>(&self, queues: impl Iterator<Item = &'a Levels> + Clone) {
        for (at, series) in self.levels.iter().enumerate() {
            let sum = queues.clone().map(|levels| levels.states[at]).sum();
            set(series, sum);
        }
    }

    pub(crate) fn forget(&self) {
        self.levels.iter().for_each(|series| series.forget());
    }

    fn add(&self, ended: [u64; 2]) {
        for ((count, series), more) in self.ended.iter().zip(ended) {
            let total = count.fetch_add(more, Relaxed).wrapping_add(more);
            series.set(total as f64);
        }
    }
}

/// The levels of one queue.
pub(crate) struct LevelSeries {
    states: [Arc<Series<Gauge, 3>>; 6],
    retained: [Arc<Series<Gauge, 3>>; 2],
}

impl LevelSeries {
    pub(crate) fn new(families: &Families, queue: &QueueKey) -> Self {
        let (prefix, name) = (queue.prefix(), queue.name());
        let level = |state: State| families.levels.series([prefix, name, state.as_str()]);
        Self {
            states: State::ALL.map(level),
            retained: FINAL.map(|state| families.retained.series([prefix, name, state])),
        }
    }

    pub(crate) fn set(&self, levels: &Levels) {
        let states = self.states.iter().zip(levels.states);
        let retained = self.retained.iter().zip(levels.retained);
        states
            .chain(retained)
            .for_each(|(series, level)| set(series, level));
    }

    pub(crate) fn forget(&self) {
        let all = self.states.iter().chain(&self.retained);
        all.for_each(|series| series.forget());
    }
}

fn set(gauge: &Gauge, level: Option<u64>) {
    match level {
        Some(level) => gauge.set(level as f64),
        None => gauge.forget(),
    }
}

/// What is counted of one queue.
pub(crate) struct Counts {
    families: Arc<Families>,
    queue: QueueKey,
    row: Arc<Row>,
    names: Vec<NameSeries>,
    /// Ends not yet in the row.
    ended: [u64; 2],
    pub(crate) read: Arc<Series<Counter, 2>>,
    pub(crate) lost: Arc<Series<Counter, 2>>,
    unmeasured: Arc<Series<Counter, 2>>,
}

struct NameSeries {
    label: Box<str>,
    finished: [Arc<Series<Counter, 4>>; 2],
    /// Made when first needed: a histogram is large.
    runs: [Option<Arc<Series<Histogram, 4>>>; 3],
    ticks: Option<Arc<Series<Histogram, 0>>>,
}

impl Counts {
    pub(crate) fn new(families: &Arc<Families>, queue: &QueueKey, row: &Arc<Row>) -> Self {
        let labels = [queue.prefix(), queue.name()];
        Self {
            families: Arc::clone(families),
            queue: queue.clone(),
            row: Arc::clone(row),
            names: Vec::new(),
            ended: [0; 2],
            read: families.read.series(labels),
            lost: families.lost.series(labels),
            unmeasured: families.unmeasured.series(labels),
        }
    }

    /// Both outcomes of every name exist, at 0, as soon as the name is seen.
    pub(crate) fn name(&mut self, labels: &[Box<str>]) {
        for label in labels.iter().skip(self.names.len()) {
            let (prefix, queue) = (self.queue.prefix(), self.queue.name());
            let finished = |outcome| {
                let labels = [prefix, queue, label, outcome];
                self.families.finished.series(labels)
            };
            let ticks = self.families.tick.as_ref();
            let ticks = ticks.filter(|(tick, _)| tick.is(queue, label));
            self.names.push(NameSeries {
                label: label.clone(),
                finished: FINAL.map(finished),
                runs: [None, None, None],
                ticks: ticks.map(|(_, series)| Arc::clone(series)),
            });
        }
    }

    /// An attempt ended. Its name was handed to [`Counts::name`].
    pub(crate) fn end(&mut self, name: NameId, outcome: Outcome, run: Option<Duration>) {
        let Some(series) = self.names.get_mut(name.index()) else {
            return;
        };
        let outcome = outcome as usize;
        if let Some(finished) = series.finished.get(outcome) {
            finished.inc();
            self.ended[outcome] += 1;
        }
        let Some(run) = run else {
            self.unmeasured.inc();
            return;
        };
        let runs = series.runs[outcome].get_or_insert_with(|| {
            let (prefix, queue) = (self.queue.prefix(), self.queue.name());
            let labels = [prefix, queue, &series.label, OUTCOMES[outcome]];
            self.families.runs.series(labels)
        });
        runs.observe(run);
        if let Some(ticks) = &series.ticks
            && outcome < FINAL.len()
        {
            ticks.observe(run);
        }
    }

    /// Brings the ends into the row.
    pub(crate) fn publish(&mut self) {
        if self.ended != [0; 2] {
            self.row.add(std::mem::take(&mut self.ended));
        }
    }
}
