//! Reference times and windows of selectors.

use std::cell::Cell;

use super::column::{ABSENT, Column, Steps};
use crate::value::{Sample, is_stale};

/// The reference times of a selector, range or subquery, after `@` and `offset`: one per step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct References {
    pub(crate) first: i64,
    /// 0 if `@` fixes the time for all steps.
    pub(crate) step: i64,
    pub(crate) count: usize,
}

impl References {
    pub(crate) fn new(steps: Steps, at: Option<i64>, offset: i64) -> Self {
        match at {
            Some(at) => Self {
                first: at.saturating_sub(offset),
                step: 0,
                count: steps.count,
            },
            None => Self {
                first: steps.start.saturating_sub(offset),
                step: steps.step,
                count: steps.count,
            },
        }
    }

    pub(crate) fn at(self, index: usize) -> i64 {
        let passed = self.step.saturating_mul(index as i64);
        self.first.saturating_add(passed)
    }

    pub(crate) fn last(self) -> i64 {
        self.at(self.count - 1)
    }

    /// Passes on, for each reference time, the newest sample not older than `lookback`, unless it is a stale marker.
    pub(crate) fn newest<T: Copy>(
        self,
        samples: &[Sample],
        lookback: i64,
        absent: T,
        take: impl Fn(&Sample) -> T,
    ) -> Vec<T> {
        let mut next = Cursor::default();
        let pick = |index| {
            let time = self.at(index);
            next.pass(samples, time);
            let newest = next.at.checked_sub(1).map(|newest| &samples[newest]);
            let newest = newest.filter(|sample| sample.time > time.saturating_sub(lookback));
            let newest = newest.filter(|sample| !is_stale(sample.value));
            newest.map_or(absent, &take)
        };
        (0..self.count).map(pick).collect()
    }
}

/// The windows of a range, one per step, open on the left: `(time - range, time]`.
#[derive(Clone, Copy)]
pub(crate) struct Windows<'a> {
    pub(crate) references: References,
    /// In milliseconds.
    pub(crate) range: i64,
    /// The time before and after each window whose samples are needed too, in milliseconds.
    pub(crate) margins: (i64, i64),
    /// Returns whether to stop; called regularly.
    pub(crate) interrupted: &'a dyn Fn() -> bool,
    /// Counts the samples in the windows.
    pub(crate) queried: &'a Cell<u64>,
}

/// A position in the samples of a series.
#[derive(Default)]
struct Cursor {
    at: usize,
    /// The number of samples it advanced by last time.
    stride: usize,
}

impl Cursor {
    /// Advances past all samples up to and including `time`. The distance is usually the same at every step, so the
    /// last one is tried first.
    #[inline]
    fn pass(&mut self, samples: &[Sample], time: i64) {
        let is_passed = |at: usize| samples.get(at).is_some_and(|sample| sample.time <= time);
        let start = self.at;
        let likely = start + self.stride;
        if likely > start && is_passed(likely - 1) {
            self.at = likely;
        }
        while is_passed(self.at) {
            self.at += 1;
        }
        self.stride = self.at - start;
    }
}

/// Samples visited between two calls of `interrupted`.
const CHECK_INTERVAL: usize = 1 << 12;

/// One window of a series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    pub(crate) step: usize,
    /// The end of the window, inclusive.
    pub(crate) end: i64,
    /// The index of the window's first sample in the series.
    pub(crate) from: usize,
    /// Never empty.
    pub(crate) samples: &'a [Sample],
}

impl Windows<'_> {
    /// The first and the last time whose samples can be used.
    pub(crate) fn bounds(self) -> (i64, i64) {
        let (before, after) = self.margins;
        let start = self.references.first.saturating_sub(self.range);
        let start = start.saturating_sub(before).saturating_add(1);
        (start, self.references.last().saturating_add(after))
    }

    /// Computes a value for each window that is not empty, in one pass over the samples. Stops at an interruption, for
    /// which the caller must check.
    pub(crate) fn map(self, samples: &[Sample], value: impl FnMut(Window<'_>) -> f64) -> Column {
        self.map_or(samples, ABSENT, value)
    }

    /// As `map`, with `empty` for the windows without samples.
    pub(crate) fn map_or<T: Copy>(
        self,
        samples: &[Sample],
        empty: T,
        mut value: impl FnMut(Window<'_>) -> T,
    ) -> Vec<T> {
        let (mut first, mut last) = (Cursor::default(), Cursor::default());
        let mut looked_at = 0;
        let mut queried = 0;
        let mut column = Vec::with_capacity(self.references.count);
        for step in 0..self.references.count {
            let end = self.references.at(step);
            let start = end.saturating_sub(self.range);
            last.pass(samples, end);
            first.pass(samples, start);
            let (from, to) = (first.at, last.at);
            looked_at += 1 + to - from;
            queried += (to - from) as u64;
            if looked_at > CHECK_INTERVAL {
                looked_at = 0;
                if (self.interrupted)() {
                    column.resize(self.references.count, empty);
                    break;
                }
            }
            column.push(if from == to {
                empty
            } else {
                value(Window {
                    step,
                    end,
                    from,
                    samples: &samples[from..to],
                })
            });
        }
        self.add_queried(queried);
        column
    }

    pub(crate) fn add_queried(self, samples: u64) {
        self.queried.set(self.queried.get().saturating_add(samples));
    }
}
