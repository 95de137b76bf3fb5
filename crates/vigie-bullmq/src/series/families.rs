//! All metric families of this crate.

use std::collections::HashSet;
use std::sync::Arc;

use vigie_metrics::{Counter, Family, Gauge, Histogram, Registry, Series};

use crate::metrics;
use crate::series::compatible::Compatible;
use crate::series::figures::{Gone, Limit, Quantity, Table, Timer};
use crate::settings::{Settings, Tick};

/// All metric families of this crate.
pub(crate) struct Families {
    pub(super) jobs: Family<Gauge, 2>,
    pub(super) compatible: Option<Compatible>,
    pub(super) levels: Family<Gauge, 3>,
    pub(super) retained: Family<Gauge, 3>,
    pub(super) limits: Table<Limit>,
    pub(super) quantities: Table<Quantity>,
    pub(super) timers: Table<Timer>,
    pub(super) added: Family<Counter, 3>,
    pub(super) finished: Family<Counter, 4>,
    pub(super) attempts_failed: Family<Counter, 3>,
    pub(super) runs: Family<Histogram, 4>,
    pub(super) waits: Family<Histogram, 3>,
    pub(super) stalled: Family<Counter, 3>,
    pub(super) removed: Family<Counter, 3>,
    pub(super) deduplicated: Family<Counter, 3>,
    pub(super) unmeasured: Family<Counter, 2>,
    pub(super) folded: Family<Counter, 2>,
    pub(super) lost: Family<Counter, 2>,
    pub(super) exact: Family<Gauge, 2>,
    pub(super) read: Family<Counter, 2>,
    pub(super) tick: Option<(Tick, Arc<Series<Histogram, 0>>)>,
    pub(crate) queues: Arc<Series<Gauge, 0>>,
    pub(crate) refused: Arc<Series<Counter, 0>>,
    pub(crate) redis_up: Arc<Series<Gauge, 1>>,
    pub(crate) events_up: Arc<Series<Gauge, 1>>,
}

impl Families {
    pub(crate) fn new(registry: &Registry, settings: &Settings) -> Self {
        let tick = settings.tick.clone();
        let compatible = settings.compatible.then(|| Compatible::new(registry));
        let up = registry.family(&vigie_metrics::own::SOURCE_UP);
        Self {
            jobs: registry.family(&metrics::QUEUE_JOBS),
            compatible,
            levels: registry.family(&metrics::BULLMQ_JOBS),
            retained: registry.family(&metrics::BULLMQ_JOBS_RETAINED),
            limits: Table::new(registry),
            quantities: Table::new(registry),
            timers: Table::new(registry),
            added: registry.family(&metrics::BULLMQ_JOBS_ADDED),
            finished: registry.family(&metrics::BULLMQ_JOBS_FINISHED),
            attempts_failed: registry.family(&metrics::BULLMQ_ATTEMPTS_FAILED),
            runs: registry.family(&metrics::BULLMQ_JOB_RUN),
            waits: registry.family(&metrics::BULLMQ_JOB_WAIT),
            stalled: registry.family(&metrics::BULLMQ_JOBS_STALLED),
            removed: registry.family(&metrics::BULLMQ_JOBS_REMOVED),
            deduplicated: registry.family(&metrics::BULLMQ_JOBS_DEDUPLICATED),
            folded: registry.family(&metrics::BULLMQ_JOBS_FOLDED),
            unmeasured: registry.family(&metrics::BULLMQ_RUNS_UNMEASURED),
            lost: registry.family(&metrics::BULLMQ_EVENTS_LOST),
            exact: registry.family(&metrics::BULLMQ_OUTCOMES_EXACT),
            read: registry.family(&metrics::BULLMQ_EVENTS_READ),
            tick: tick.map(|tick| {
                let ticks = registry.family(&metrics::PRODUCTION_TICK_DURATION);
                (tick, ticks.series([]))
            }),
            queues: registry.family(&metrics::BULLMQ_QUEUES).series([]),
            refused: registry.family(&metrics::BULLMQ_QUEUES_REFUSED).series([]),
            redis_up: up.series(["redis"]),
            events_up: up.series(["events"]),
        }
    }

    /// Removes the gauges of queues, and the rows of queue names.
    pub(crate) fn remove_gauges(&self, queues: &Gone<'_>, rows: &HashSet<&str>) {
        let others = |prefix: &str, name: &str| !queues.contains(&(name, prefix));
        self.levels.retain(|[prefix, name, _]| others(prefix, name));
        self.retained
            .retain(|[prefix, name, _]| others(prefix, name));
        self.limits.remove(queues);
        self.quantities.remove(queues);
        self.timers.remove(queues);
        if !rows.is_empty() {
            self.jobs.retain(|[name, _]| !rows.contains(name));
            if let Some(compatible) = &self.compatible {
                compatible.remove(rows);
            }
        }
    }

    /// Removes the counters of a job name that lost its place.
    pub(super) fn remove_name(&self, [prefix, queue]: [&str; 2], name: &str) {
        let is_other = |labels: [&str; 3]| labels != [prefix, queue, name];
        for family in [
            &self.added,
            &self.attempts_failed,
            &self.stalled,
            &self.removed,
            &self.deduplicated,
        ] {
            family.retain(is_other);
        }
        self.finished.retain(|[a, b, c, _]| is_other([a, b, c]));
        self.runs.retain(|[a, b, c, _]| is_other([a, b, c]));
        self.waits.retain(is_other);
    }

    /// Removes the counters of queues.
    pub(crate) fn remove_counts(&self, queues: &Gone<'_>) {
        if queues.is_empty() {
            return;
        }
        let others = |prefix: &str, name: &str| !queues.contains(&(name, prefix));
        for family in [&self.unmeasured, &self.folded, &self.lost, &self.read] {
            family.retain(|[prefix, name]| others(prefix, name));
        }
        self.exact.retain(|[prefix, name]| others(prefix, name));
        for family in [
            &self.added,
            &self.attempts_failed,
            &self.stalled,
            &self.removed,
            &self.deduplicated,
        ] {
            family.retain(|[prefix, name, _]| others(prefix, name));
        }
        self.finished
            .retain(|[prefix, name, _, _]| others(prefix, name));
        self.runs
            .retain(|[prefix, name, _, _]| others(prefix, name));
        self.waits.retain(|[prefix, name, _]| others(prefix, name));
    }
}
