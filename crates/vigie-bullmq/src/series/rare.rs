//! Series that most queues do not need.

use std::sync::{Arc, OnceLock};

use vigie_metrics::{Family, Gauge, Series, TimeGauge, Value};

use crate::queues::key::QueueKey;

/// A gauge that is created when first set.
pub(super) struct Rare<V: Value> {
    family: Family<V, 2>,
    series: OnceLock<Arc<Series<V, 2>>>,
}

impl<V: Value> Rare<V> {
    pub(super) fn new(family: &Family<V, 2>) -> Self {
        Self {
            family: family.clone(),
            series: OnceLock::new(),
        }
    }

    /// The series, created on the first call.
    pub(super) fn of(&self, queue: &QueueKey) -> &V {
        let made = || self.family.series([queue.prefix(), queue.name()]);
        self.series.get_or_init(made)
    }

    /// The series, if it was created.
    fn get(&self) -> Option<&V> {
        self.series.get().map(|series| &***series)
    }
}

impl Rare<Gauge> {
    pub(super) fn set(&self, queue: &QueueKey, value: Option<f64>) {
        match value {
            Some(value) => self.of(queue).set(value),
            None => self.forget(),
        }
    }

    pub(super) fn forget(&self) {
        self.get().into_iter().for_each(Gauge::forget);
    }
}

impl Rare<TimeGauge> {
    pub(super) fn forget(&self) {
        self.get().into_iter().for_each(TimeGauge::forget);
    }
}
