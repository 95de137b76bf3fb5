//! The metric names of BullMQ's own `exportPrometheusMetrics()` (5.76.3 and later), for dashboards that use them.

use std::collections::HashSet;
use std::sync::Arc;

use crate::metrics;
use vigie_metrics::{Counter, Family, Gauge, Registry, Series};

use super::FINAL;
use super::gauges::set;
use crate::queues::levels::{Levels, State};

pub(crate) struct Compatible {
    count: Family<Gauge, 2>,
    /// Completed and failed.
    ended: [Family<Counter, 1>; 2],
}

impl Compatible {
    pub(super) fn new(registry: &Registry) -> Self {
        let ended = [&metrics::BULLMQ_JOB_COMPLETED, &metrics::BULLMQ_JOB_FAILED];
        Self {
            count: registry.family(&metrics::BULLMQ_JOB_COUNT),
            ended: ended.map(|desc| registry.family(desc)),
        }
    }

    pub(super) fn row(&self, queue: &str) -> CompatibleRow {
        CompatibleRow {
            levels: State::ALL.map(|state| self.count.series([queue, state.as_str()])),
            retained: FINAL.map(|state| self.count.series([queue, state])),
            ended: self.ended.each_ref().map(|family| family.series([queue])),
        }
    }

    pub(super) fn remove(&self, queues: &HashSet<&str>) {
        self.count.retain(|[name, _]| !queues.contains(name));
        for family in &self.ended {
            family.retain(|[name]| !queues.contains(name));
        }
    }
}

/// The queues of one name; BullMQ exports no prefix.
pub(crate) struct CompatibleRow {
    levels: [Arc<Series<Gauge, 2>>; 6],
    /// In the order of [`FINAL`], as the next field.
    retained: [Arc<Series<Gauge, 2>>; 2],
    ended: [Arc<Series<Counter, 1>>; 2],
}

impl CompatibleRow {
    pub(super) fn set<'a>(&self, queues: impl Iterator<Item = &'a Levels> + Clone) {
        for (at, series) in self.levels.iter().enumerate() {
            set(series, queues.clone().map(|levels| levels.states[at]).sum());
        }
        for (at, series) in self.retained.iter().enumerate() {
            let kept = queues.clone().map(|levels| levels.retained[at]);
            set(series, kept.sum());
        }
    }

    pub(super) fn forget(&self) {
        let all = self.levels.iter().chain(&self.retained);
        all.for_each(|series| series.forget());
    }

    pub(super) fn add(&self, ended: [u64; 2]) {
        for (series, more) in self.ended.iter().zip(ended) {
            series.add(more);
        }
    }
}
