//! Ranges with the modifier `anchored` or `smoothed`.
//!
//! The rules are those of `extendedRate` and `extendFloats` in Prometheus' `promql`.

mod float;
mod native;

pub(crate) use float::{float_rate, interpolated, points};
pub(crate) use native::{histogram_rate, interpolated_histogram};

use super::rate::Rate;

/// A window with the samples around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// The time before the first sample of the window.
    pub(crate) start: i64,
    /// The end of the window, inclusive.
    pub(crate) end: i64,
    /// Whether values at the ends are interpolated.
    pub(crate) smoothed: bool,
    pub(crate) rate: Rate,
}

impl Frame {
    /// The first and the last sample that are used: the last one up to the start of the window, and, if smoothed, the
    /// first one from its end on. `None` if no sample is near enough.
    fn ends(&self, count: usize, time: impl Fn(usize) -> i64) -> Option<(usize, usize)> {
        let last = count.checked_sub(1)?;
        let first_where = |from_start: &dyn Fn(i64) -> bool| {
            (0..last).find(|&at| from_start(time(at))).unwrap_or(last)
        };
        let first = first_where(&|time| time > self.start).saturating_sub(1);
        let last = match self.smoothed {
            true => first_where(&|time| time >= self.end),
            false => last,
        };
        let outside = time(last) <= self.start || (self.smoothed && time(first) > self.end);
        (!outside).then_some((first, last))
    }

    fn per_second(&self) -> f64 {
        self.end.saturating_sub(self.start) as f64 / 1000.0
    }
}
