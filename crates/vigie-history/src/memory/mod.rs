//! The samples in memory: the head, which accepts samples, and sealed blocks.
//!
//! No clocks, files or threads are used here.

mod block;
mod head;
mod index;
mod series;

use std::sync::Arc;

use foldhash::{HashSet, HashSetExt as _};
use vigie_promql::Sample;

use crate::Committed;
pub(crate) use block::{Block, Builder, Times};
pub(crate) use head::Head;
pub use series::SeriesRef;
pub(crate) use series::{Series, Table};

/// How long samples stay in the head, in milliseconds: 248 samples per series at a scrape every 15 s.
pub(crate) const WINDOW: i64 = 60 * 60 * 1000 + GRACE;
/// The maximum age of a sample relative to the newest one, in milliseconds.
pub(crate) const GRACE: i64 = 2 * 60 * 1000;

/// Why a sample is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The series has a later sample.
    OutOfOrder,
    /// The series has a sample with this time.
    Duplicate,
    /// Samples of this time are sealed.
    TooOld,
    /// The series was removed.
    Unknown,
}

/// The limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// In milliseconds.
    pub(crate) retention: i64,
    pub(crate) bytes: u64,
    pub(crate) series: usize,
}

pub(crate) struct Memory {
    pub(crate) table: Table,
    /// In order of time. A reader clones those that it needs and releases the lock.
    pub(crate) blocks: Vec<Arc<Block>>,
    /// The number of samples in the head.
    head_samples: usize,
    /// Their memory use.
    head_bytes: usize,
    /// A buffer.
    scratch: Vec<u8>,
    /// The time of the oldest sample of the head, or an earlier one.
    head_start: Option<i64>,
    /// The time of the newest sample.
    pub(crate) newest: Option<i64>,
    bounds: Bounds,
    /// The outcome of all scrapes.
    pub(crate) counts: Committed,
}

impl Memory {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            table: Table::new(),
            blocks: Vec::new(),
            head_samples: 0,
            head_bytes: 0,
            scratch: Vec::new(),
            head_start: None,
            newest: None,
            bounds,
            counts: Committed::default(),
        }
    }

    /// The series with these labels, created if it is new; `None` at the limit.
    pub(crate) fn series(&mut self, labels: &[(&str, &str)]) -> Option<SeriesRef> {
        let known = self.table.find(labels);
        let room = self.table.len() < self.bounds.series;
        known.or_else(|| room.then(|| self.table.insert(labels)))
    }

    pub(crate) fn append(&mut self, series: SeriesRef, sample: Sample) -> Result<(), Refusal> {
        let sealed = self.sealed();
        let series = self.table.get_mut(series).ok_or(Refusal::Unknown)?;
        match series.head.last() {
            Some(last) if last == sample.time => return Err(Refusal::Duplicate),
            Some(last) if last > sample.time => return Err(Refusal::OutOfOrder),
            None if sealed.is_some_and(|sealed| sample.time < sealed) => {
                return Err(Refusal::TooOld);
            }
            _ => {}
        }
        self.head_bytes -= series.head.bytes();
        series.head.push(sample, &mut self.scratch);
        self.head_bytes += series.head.bytes();
        self.head_samples += 1;
        self.head_start = Some(
            self.head_start
                .map_or(sample.time, |start| start.min(sample.time)),
        );
        self.newest = self.newest.max(Some(sample.time));
        Ok(())
    }

    /// The time before which all samples are sealed.
    fn sealed(&self) -> Option<i64> {
        self.blocks.last().map(|block| block.times.sealed)
    }

    /// The time up to which the head is due to be sealed, if any.
    pub(crate) fn due(&self) -> Option<i64> {
        let (start, newest) = (self.head_start?, self.newest?);
        let full = self.head_bytes as u64 > self.bounds.bytes / 4;
        if newest.saturating_sub(start) >= WINDOW {
            Some(newest - GRACE)
        } else if full {
            // A flood of samples cannot wait for late ones.
            let settled = newest.saturating_sub(GRACE);
            Some(if settled > start {
                settled
            } else {
                newest.saturating_add(1)
            })
        } else {
            None
        }
    }

    /// The samples of the head before `time`, compressed; `None` if there are none.
    pub(crate) fn compress(&self, time: i64) -> Option<Block> {
        let mut builder = Builder::default();
        let mut samples = Vec::new();
        for (slot, series) in self.table.iter() {
            samples.clear();
            series.head.read(i64::MIN, time, &mut samples);
            let before = samples.partition_point(|sample| sample.time < time);
            builder.samples(slot, &samples[..before]);
        }
        let (first, last) = builder.span()?;
        let times = Times {
            first,
            last,
            sealed: time,
        };
        Some(builder.build(times, false))
    }

    /// Replaces the samples that were [compressed](Self::compress) by their block.
    pub(crate) fn seal(&mut self, block: Arc<Block>) {
        let time = block.times.sealed;
        self.keep_in_head(|samples| {
            &samples[samples.partition_point(|sample| sample.time < time)..]
        });
        self.head_start = (self.head_samples > 0).then_some(time);
        self.add(block);
    }

    /// Adds a block that is later than all others.
    pub(crate) fn add(&mut self, block: Arc<Block>) {
        self.newest = self.newest.max(Some(block.times.last));
        self.blocks.push(block);
    }

    /// Removes blocks beyond the limits and returns them.
    pub(crate) fn retain(&mut self) -> Vec<Arc<Block>> {
        // Not measured from the newest sample, which a wrong clock may have produced.
        let sealed = self.blocks.last().map(|block| block.times.last);
        let horizon = sealed.map_or(i64::MIN, |last| last.saturating_sub(self.bounds.retention));
        let mut bytes = self.bytes();
        let outlived = self.blocks.iter().take_while(|block| {
            let goes = block.times.last < horizon || bytes > self.bounds.bytes;
            bytes -= block.bytes() as u64;
            goes
        });
        let outlived = outlived.count();
        let gone = self.blocks.drain(..outlived).collect();
        if outlived > 0 {
            self.remove_empty_series();
        }
        gone
    }

    /// Removes samples after `time`, and those that were sealed with them; returns the removed blocks.
    pub(crate) fn remove_after(&mut self, time: i64) -> Vec<Arc<Block>> {
        let kept = self
            .blocks
            .partition_point(|block| block.times.sealed <= time);
        let gone = self.blocks.split_off(kept);
        self.newest = self.blocks.last().map(|block| block.times.last);
        self.keep_in_head(|samples| {
            &samples[..samples.partition_point(|sample| sample.time <= time)]
        });
        for (_, series) in self.table.iter() {
            self.newest = self.newest.max(series.head.last());
        }
        self.head_start = self.head_start.filter(|_| self.head_samples > 0);
        self.remove_empty_series();
        gone
    }

    /// Keeps the samples of the head for which `kept` returns `true`.
    fn keep_in_head(&mut self, kept: impl Fn(&[Sample]) -> &[Sample]) {
        for series in self.table.iter_mut() {
            self.head_bytes -= series.head.bytes();
            self.head_samples -= series.head.keep(&kept);
            self.head_bytes += series.head.bytes();
        }
    }

    /// Removes series without samples.
    fn remove_empty_series(&mut self) {
        let mut sealed = HashSet::new();
        for block in &self.blocks {
            sealed.extend(block.columns().map(|(slot, _)| slot));
        }
        let has_samples = |slot, series: &Series| !series.head.is_empty() || sealed.contains(&slot);
        self.table.retain(has_samples);
    }

    /// The blocks that may have samples from `start` to `end`.
    pub(crate) fn overlapping(&self, start: i64, end: i64) -> Vec<Arc<Block>> {
        let blocks = self.blocks.iter();
        blocks
            .filter(|block| block.overlaps(start, end))
            .cloned()
            .collect()
    }

    /// The time of the oldest sample, or an earlier one.
    pub(crate) fn oldest(&self) -> Option<i64> {
        let sealed = self.blocks.first().map(|block| block.times.first);
        sealed.or(self.head_start)
    }

    /// The approximate total memory use.
    pub(crate) fn bytes(&self) -> u64 {
        let blocks: usize = self.blocks.iter().map(|block| block.bytes()).sum();
        (blocks + self.head_bytes + self.table.bytes()) as u64
    }
}
