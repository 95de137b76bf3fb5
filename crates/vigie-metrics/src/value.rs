//! The values of series. Each operation takes a few relaxed atomics and never allocates.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::desc::{Buckets, Meta};
use crate::exposition::Sample;

/// A type of value a series can hold: [`Counter`], [`Gauge`], [`TimeGauge`](crate::TimeGauge) or [`Histogram`].
pub trait Value: sealed::Sealed + Send + Sync + 'static {
    #[doc(hidden)]
    fn new(meta: &'static Meta) -> Self;
    #[doc(hidden)]
    fn read(&self) -> Option<Sample<'_>>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Counter {}
    impl Sealed for super::Gauge {}
    impl Sealed for crate::TimeGauge {}
    impl Sealed for super::Histogram {}
}

/// A whole number that only increases.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// The current count.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Value for Counter {
    fn new(_: &'static Meta) -> Self {
        Self::default()
    }

    fn read(&self) -> Option<Sample<'_>> {
        Some(Sample::Integer(self.get()))
    }
}

/// A value that can increase and decrease, or that is unknown.
///
/// An unknown gauge is not exposed: an absent series means "unknown", while the last value or 0 would be wrong.
#[derive(Debug)]
pub struct Gauge(AtomicU64);

/// The bits of an unknown value: Prometheus' staleness marker, a NaN that no arithmetic produces.
const UNKNOWN: u64 = 0x7ff0_0000_0000_0002;

impl Gauge {
    /// Sets the value.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Relaxed);
    }

    /// Marks the value as unknown.
    pub fn forget(&self) {
        self.0.store(UNKNOWN, Relaxed);
    }

    /// Adds `delta`, starting from 0 if the value is unknown.
    pub fn add(&self, delta: f64) {
        let add = |bits| {
            let value = if bits == UNKNOWN {
                0.0
            } else {
                f64::from_bits(bits)
            };
            Some((value + delta).to_bits())
        };
        // The closure never returns `None`, so the update succeeds.
        let _ = self.0.fetch_update(Relaxed, Relaxed, add);
    }

    /// The value, if it is known.
    #[must_use]
    pub fn get(&self) -> Option<f64> {
        let bits = self.0.load(Relaxed);
        (bits != UNKNOWN).then(|| f64::from_bits(bits))
    }
}

impl Value for Gauge {
    fn new(_: &'static Meta) -> Self {
        Self(AtomicU64::new(UNKNOWN))
    }

    fn read(&self) -> Option<Sample<'_>> {
        self.get().map(Sample::Float)
    }
}

/// A histogram of durations.
///
/// Buckets are stored separately and summed on reading, and the count is derived from them, so the two always agree.
/// The sum is in whole nanoseconds, exact for 584 years.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static Buckets,
    /// The sum, then a cell for each finite bucket, and a cell for values above all bounds.
    lines: Box<[Line]>,
}

/// The cells of one cache line. Most durations are short: their buckets share a line with the sum, so that concurrent
/// threads contend for one line and not two.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([AtomicU64; CELLS]);

const CELLS: usize = 8;

impl Histogram {
    /// Records one duration.
    pub fn observe(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        // A dozen sequential comparisons are faster than a binary search, and most durations are short.
        let mut bucket = 0;
        for &bound in self.bounds.nanos {
            if nanos <= bound {
                break;
            }
            bucket += 1;
        }
        self.cell(1 + bucket).fetch_add(1, Relaxed);
        self.cell(0).fetch_add(nanos, Relaxed);
    }

    /// The number of recorded durations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets().sum()
    }

    /// The sum of the recorded durations.
    #[must_use]
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.cell(0).load(Relaxed))
    }

    /// The counts of the buckets, `+Inf` last.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = u64> {
        let cells = self.lines.iter().flat_map(|line| &line.0);
        let buckets = cells.skip(1).take(self.bounds.nanos.len() + 1);
        buckets.map(|cell| cell.load(Relaxed))
    }

    fn cell(&self, at: usize) -> &AtomicU64 {
        &self.lines[at / CELLS].0[at % CELLS]
    }
}

impl Value for Histogram {
    fn new(meta: &'static Meta) -> Self {
        let cells = meta.buckets.nanos.len() + 2;
        let lines = (0..cells.div_ceil(CELLS)).map(|_| Line::default());
        Self {
            bounds: meta.buckets,
            lines: lines.collect(),
        }
    }

    fn read(&self) -> Option<Sample<'_>> {
        Some(Sample::Histogram(self))
    }
}
