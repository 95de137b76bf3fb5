//! The metric names of BullMQ's own `exportPrometheusMetrics()` (5.76.3 and later), for dashboards that use them.

use std::collections::HashSet;
use std::sync::Arc;

use crate::metrics;
use vigie_metrics::{Counter, Family, Gauge, Registry, Series};

use crate::protocol::levels::{Levels, State};
use crate::protocol::outcome::{Ended, Final, PerFinal};
use crate::series::figures::set_level;

pub(crate) struct Compatible {
    count: Family<Gauge, 2>,
    ended: PerFinal<Family<Counter, 1>>,
}

impl Compatible {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            count: registry.family(&metrics::BULLMQ_JOB_COUNT),
            ended: PerFinal::new(
                registry.family(&metrics::BULLMQ_JOB_COMPLETED),
                registry.family(&metrics::BULLMQ_JOB_FAILED),
            ),
        }
    }

    pub(super) fn row(&self, queue: &str) -> CompatibleRow {
        CompatibleRow {
            levels: State::ALL.map(|state| self.count.series([queue, state.as_str()])),
            retained: Final::ALL.map(|end| self.count.series([queue, end.as_str()])),
            ended: PerFinal::from_fn(|end| self.ended[end].series([queue])),
        }
    }

    pub(super) fn remove(&self, queues: &HashSet<&str>) {
        self.count.retain(|[name, _]| !queues.contains(name));
        for (_, family) in self.ended.iter() {
            family.retain(|[name]| !queues.contains(name));
        }
    }
}

/// The queues of one name; BullMQ exports no prefix.
pub(crate) struct CompatibleRow {
    levels: [Arc<Series<Gauge, 2>>; 6],
    /// In the order of [`Levels::retained`].
    retained: [Arc<Series<Gauge, 2>>; 2],
    ended: PerFinal<Arc<Series<Counter, 1>>>,
}

impl CompatibleRow {
    pub(super) fn set<'a>(&self, queues: impl Iterator<Item = &'a Levels> + Clone) {
        for (at, series) in self.levels.iter().enumerate() {
            set_level(series, queues.clone().map(|levels| levels.states[at]).sum());
        }
        for (at, series) in self.retained.iter().enumerate() {
            let kept = queues.clone().map(|levels| levels.retained[at]);
            set_level(series, kept.sum());
        }
    }

    pub(super) fn forget(&self) {
        let all = self.levels.iter().chain(&self.retained);
        all.for_each(|series| series.forget());
    }

    pub(super) fn add(&self, ended: Ended) {
        for (end, more) in ended.iter() {
            self.ended[end].add(*more);
        }
    }
}
