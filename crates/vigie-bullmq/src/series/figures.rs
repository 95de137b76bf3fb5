//! The gauges of a queue that have the labels `prefix` and `queue` alone, one line for each.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use vigie_metrics::{Desc, Family, Gauge, Registry, Series, TimeGauge, Value};

use crate::metrics;
use crate::protocol::key::QueueKey;

/// A set of queues by name and prefix, so that removal needs one pass.
pub(crate) type Gone<'a> = HashSet<(&'a str, &'a str)>;

/// A set of metrics of one type, named by the variants of an enum.
pub(crate) trait Figure: Copy {
    /// The type of the metrics.
    type Value: Value + Optional;
    /// The metrics, in the order of the variants.
    const METRICS: &'static [&'static Desc<Self::Value, 2>];

    fn index(self) -> usize;
}

macro_rules! figures {
    ($(#[$doc:meta])* $name:ident: $value:ty { $($variant:ident = $metric:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum $name { $($variant),+ }

        impl Figure for $name {
            type Value = $value;
            const METRICS: &'static [&'static Desc<$value, 2>] = &[$(&metrics::$metric),+];

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

figures! {
    /// Read with the levels.
    Limit: Gauge {
        Paused = BULLMQ_QUEUE_PAUSED,
        Concurrency = BULLMQ_CONCURRENCY_LIMIT,
        ConcurrencyReached = BULLMQ_CONCURRENCY_REACHED,
    }
}

figures! {
    /// Read by inspections.
    Quantity: Gauge {
        WithoutLock = BULLMQ_ACTIVE_WITHOUT_LOCK,
        Overdue = BULLMQ_DELAYED_OVERDUE,
        Schedulers = BULLMQ_SCHEDULERS,
        RateLimited = BULLMQ_RATE_LIMITED,
        Workers = BULLMQ_WORKERS,
    }
}

figures! {
    /// Times since a start or until an end, read by inspections.
    Timer: TimeGauge {
        OldestWaiting = BULLMQ_OLDEST_WAITING_AGE,
        OldestActive = BULLMQ_OLDEST_ACTIVE_AGE,
        OldestWaitingChildren = BULLMQ_OLDEST_WAITING_CHILDREN_AGE,
        SchedulerLate = BULLMQ_SCHEDULER_LATE,
        Paused = BULLMQ_QUEUE_PAUSED_SECONDS,
        RateLimitReset = BULLMQ_RATE_LIMIT_RESET,
    }
}

/// The families of a set of figures.
pub(super) struct Table<F: Figure>(Arc<[Family<F::Value, 2>]>);

impl<F: Figure> Table<F> {
    pub(super) fn new(registry: &Registry) -> Self {
        let metrics = F::METRICS.iter();
        Self(metrics.map(|metric| registry.family(metric)).collect())
    }

    pub(super) fn remove(&self, queues: &Gone<'_>) {
        for family in self.0.iter() {
            family.retain(|[prefix, name]| !queues.contains(&(name, prefix)));
        }
    }

    /// The figures of one queue. None has a series yet.
    pub(super) fn of(&self, queue: &QueueKey) -> Figures<F> {
        Figures {
            queue: queue.clone(),
            families: Arc::clone(&self.0),
            series: F::METRICS.iter().map(|_| OnceLock::new()).collect(),
        }
    }
}

/// A series that may not exist yet.
type Slot<V> = OnceLock<Arc<Series<V, 2>>>;

/// The figures of one queue. A series is created when it is first set: most queues do not need all of them.
pub(super) struct Figures<F: Figure> {
    queue: QueueKey,
    families: Arc<[Family<F::Value, 2>]>,
    series: Box<[Slot<F::Value>]>,
}

/// A gauge that can be absent.
pub(crate) trait Optional {
    fn get(&self) -> Option<f64>;
    fn forget(&self);
}

impl Optional for Gauge {
    fn get(&self) -> Option<f64> {
        self.get()
    }

    fn forget(&self) {
        self.forget();
    }
}

impl Optional for TimeGauge {
    fn get(&self) -> Option<f64> {
        self.get()
    }

    fn forget(&self) {
        self.forget();
    }
}

impl<F: Figure> Figures<F> {
    /// The series, which is created on the first call.
    pub(super) fn series(&self, figure: F) -> &F::Value {
        let labels = [self.queue.prefix(), self.queue.name()];
        let index = figure.index();
        self.series[index].get_or_init(|| self.families[index].series(labels))
    }

    /// The value; `None` if it is unknown.
    pub(super) fn get(&self, figure: F) -> Option<f64> {
        let series = self.series[figure.index()].get()?;
        Optional::get(&***series)
    }

    pub(super) fn forget(&self, figure: F) {
        if let Some(series) = self.series[figure.index()].get() {
            Optional::forget(&***series);
        }
    }

    /// Sets a value with `set`; without a value, the series becomes absent.
    pub(super) fn set_with<T>(&self, figure: F, value: Option<T>, set: impl FnOnce(&F::Value, T)) {
        match value {
            Some(value) => set(self.series(figure), value),
            None => self.forget(figure),
        }
    }

    pub(super) fn forget_all(&self) {
        for series in self.series.iter().filter_map(OnceLock::get) {
            Optional::forget(&***series);
        }
    }
}

impl<F: Figure<Value = Gauge>> Figures<F> {
    /// Sets a value; without one, the series becomes absent.
    pub(super) fn set(&self, figure: F, value: Option<f64>) {
        self.set_with(figure, value, Gauge::set);
    }
}

/// Sets a level; an unknown one becomes absent.
pub(super) fn set_level(gauge: &Gauge, level: Option<u64>) {
    match level {
        Some(level) => gauge.set(level as f64),
        None => gauge.forget(),
    }
}
