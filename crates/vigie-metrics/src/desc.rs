//! Metric descriptions: name, type, help, labels, buckets and limit, each defined once.

use std::marker::PhantomData;

use crate::time::TimeGauge;
use crate::value::{Counter, Gauge, Histogram};

/// The type of a metric, as in `# TYPE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value that only increases while the process runs.
    Counter,
    /// A value that can increase and decrease.
    Gauge,
    /// Cumulative buckets, a sum and a count.
    Histogram,
    /// Neither of the others alone; `untyped` in the text format, `unknown` in OpenMetrics.
    Untyped,
}

/// The upper bounds of a histogram's finite buckets, ascending, in seconds. Made by [`buckets!`](crate::buckets).
#[derive(Debug)]
pub struct Buckets {
    /// The bounds as they are exposed in `le`.
    pub seconds: &'static [f64],
    /// The same bounds in whole nanoseconds, as they are compared.
    pub nanos: &'static [u64],
}

impl Buckets {
    /// No buckets, for metrics other than histograms.
    pub const NONE: Self = Self {
        seconds: &[],
        nanos: &[],
    };
}

/// The bounds in whole nanoseconds. Use [`buckets!`](crate::buckets).
#[doc(hidden)]
#[must_use]
pub const fn bounds_in_nanos<const N: usize>(seconds: &[f64]) -> [u64; N] {
    let mut nanos = [0; N];
    let mut i = 0;
    while i < N {
        // Half a nanosecond is added so that 0.005 becomes 5,000,000 and not 4,999,999.
        nanos[i] = (seconds[i] * 1e9 + 0.5) as u64;
        assert!(i == 0 || nanos[i] > nanos[i - 1], "bounds must ascend");
        i += 1;
    }
    nanos
}

/// Bucket bounds in seconds, checked to ascend when the program is compiled.
///
/// ```
/// static BOUNDS: vigie_metrics::Buckets = vigie_metrics::buckets![0.5, 1.0, 2.0];
/// assert_eq!(BOUNDS.nanos, [500_000_000, 1_000_000_000, 2_000_000_000]);
/// ```
#[macro_export]
macro_rules! buckets {
    ($($bound:expr),+ $(,)?) => {{
        const SECONDS: &[f64] = &[$($bound),+];
        const NANOS: [u64; SECONDS.len()] = $crate::bounds_in_nanos(SECONDS);
        $crate::Buckets { seconds: SECONDS, nanos: &NANOS }
    }};
}

/// Which series of an [untyped](Kind::Untyped) metric are gauges and which are counters.
#[derive(Debug)]
pub struct States {
    /// The label that distinguishes them.
    pub label: &'static str,
    /// Its values for gauges.
    pub levels: &'static [&'static str],
    /// Its values for counters.
    pub counts: &'static [&'static str],
}

/// The description of a metric without its Rust type.
#[derive(Debug)]
pub struct Meta {
    /// The name of its samples; of a counter it ends in `_total`.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// The meaning and, unless the name contains it, the unit.
    pub help: &'static str,
    /// The label names, in the order their values are given.
    pub labels: &'static [&'static str],
    /// The bounds of a histogram, [`Buckets::NONE`] otherwise.
    pub buckets: &'static Buckets,
    /// For a metric with both gauges and counters: which is which.
    pub states: Option<&'static States>,
    /// The label that a [scoped registry](crate::Registry::scoped) adds before the labels of each series.
    pub scope: Option<&'static str>,
    /// The maximum number of series; further ones are refused and counted.
    pub max_series: usize,
}

impl Meta {
    /// Whether the series with these label values is cumulative: a counter, a histogram, or a counter among
    /// [states](States).
    #[must_use]
    pub fn is_count(&self, values: &[&str]) -> bool {
        match (self.kind, self.states) {
            (Kind::Counter | Kind::Histogram, _) => true,
            (Kind::Untyped, Some(states)) => {
                let mut labels = self.labels.iter().zip(values);
                labels.any(|(label, value)| *label == states.label && states.counts.contains(value))
            }
            _ => false,
        }
    }

    /// The base unit at the end of the name (`seconds`, `bytes`, `ratio`), if there is one.
    #[must_use]
    pub fn unit(&self) -> Option<&'static str> {
        let name = self.name.strip_suffix("_total").unwrap_or(self.name);
        ["seconds", "bytes", "ratio"]
            .into_iter()
            .find(|unit| name.strip_suffix(unit).is_some_and(|n| n.ends_with('_')))
    }
}

/// The limit of a family that sets none.
const DEFAULT_MAX_SERIES: usize = 10_000;

/// A metric of type `V` with `N` labels.
#[derive(Debug)]
pub struct Desc<V, const N: usize> {
    pub(crate) meta: Meta,
    value: PhantomData<fn() -> V>,
}

impl<V, const N: usize> Desc<V, N> {
    const fn new(
        name: &'static str,
        kind: Kind,
        help: &'static str,
        labels: &'static [&'static str; N],
        buckets: &'static Buckets,
    ) -> Self {
        Self {
            meta: Meta {
                name,
                kind,
                help,
                labels,
                buckets,
                states: None,
                scope: None,
                max_series: if N == 0 { 1 } else { DEFAULT_MAX_SERIES },
            },
            value: PhantomData,
        }
    }

    /// Limits the number of series.
    #[must_use]
    pub const fn max_series(mut self, max: usize) -> Self {
        self.meta.max_series = max;
        self
    }

    /// Distinguishes gauges from counters.
    #[must_use]
    pub const fn states(mut self, states: &'static States) -> Self {
        self.meta.states = Some(states);
        self
    }

    /// Sets the label that a [scoped registry](crate::Registry::scoped) adds to each series.
    #[must_use]
    pub const fn scoped_by(mut self, label: &'static str) -> Self {
        self.meta.scope = Some(label);
        self
    }

    /// The description without its Rust type.
    #[must_use]
    pub const fn meta(&self) -> &Meta {
        &self.meta
    }
}

impl<const N: usize> Desc<Counter, N> {
    /// A counter; the name must end in `_total`.
    #[must_use]
    pub const fn counter(
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str; N],
    ) -> Self {
        Self::new(name, Kind::Counter, help, labels, &Buckets::NONE)
    }
}

impl<const N: usize> Desc<Gauge, N> {
    /// A gauge.
    #[must_use]
    pub const fn gauge(
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str; N],
    ) -> Self {
        Self::new(name, Kind::Gauge, help, labels, &Buckets::NONE)
    }

    /// Gauges and counters under one name, which no single type describes.
    #[must_use]
    pub const fn untyped(
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str; N],
    ) -> Self {
        Self::new(name, Kind::Untyped, help, labels, &Buckets::NONE)
    }

    /// A counter maintained elsewhere and copied at each scrape (`process_cpu_seconds_total`).
    #[must_use]
    pub const fn copied_counter(
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str; N],
    ) -> Self {
        Self::new(name, Kind::Counter, help, labels, &Buckets::NONE)
    }
}

impl<const N: usize> Desc<TimeGauge, N> {
    /// A gauge of the time since or until a moment; the name must end in `_seconds`.
    #[must_use]
    pub const fn time_gauge(
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str; N],
    ) -> Self {
        Self::new(name, Kind::Gauge, help, labels, &Buckets::NONE)
    }
}

impl<const N: usize> Desc<Histogram, N> {
    /// A histogram of durations; the name must end in `_seconds`.
    #[must_use]
    pub const fn histogram(
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str; N],
        buckets: &'static Buckets,
    ) -> Self {
        Self::new(name, Kind::Histogram, help, labels, buckets)
    }
}

/// Declares the metrics that a crate records: a `static` [`Desc`] for each, and `all()`, which returns all
/// descriptions.
///
/// ```
/// mod metrics {
///     use vigie_metrics::{Desc, Gauge, descriptions};
///
///     descriptions! {
///         /// Temperature by room.
///         TEMPERATURE: Gauge, 1 = Desc::gauge("room_temperature_celsius", "Temperature of a room.", &["room"]);
///     }
/// }
/// assert_eq!(metrics::all()[0].name, "room_temperature_celsius");
/// ```
#[macro_export]
macro_rules! descriptions {
    ($($(#[$doc:meta])* $name:ident: $value:ty, $labels:literal = $desc:expr;)*) => {
        $($(#[$doc])* pub static $name: Desc<$value, $labels> = $desc;)*

        /// The descriptions of all metrics in this module.
        #[must_use]
        pub fn all() -> Vec<&'static $crate::Meta> {
            vec![$($name.meta()),*]
        }
    };
}
