//! A sealed hour of samples of all series.

use std::sync::atomic::AtomicBool;

use vigie_promql::Sample;

use crate::chunk::{self, Damaged};

/// Immutable compressed samples of many series in a time range.
pub(crate) struct Block {
    pub(crate) times: Times,
    /// By slot. A series keeps its slot while a block contains samples of it.
    columns: Box<[Column]>,
    bytes: Box<[u8]>,
    /// Whether it is in a file.
    pub(crate) on_disk: AtomicBool,
}

/// The time range of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// The time of the first sample.
    pub(crate) first: i64,
    /// The time of the last sample.
    pub(crate) last: i64,
    /// All samples before this time are sealed; earlier ones are refused.
    pub(crate) sealed: i64,
}

#[derive(Clone, Copy)]
struct Column {
    slot: u32,
    /// The end of its bytes, which start at the end of the previous column.
    end: u32,
}

impl Block {
    pub(crate) fn columns(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let mut start = 0;
        self.columns.iter().map(move |column| {
            let end = column.end as usize;
            let bytes = &self.bytes[start..end];
            start = end;
            (column.slot, bytes)
        })
    }

    /// Whether a series has a sample from `start` to `end`, inclusive. A damaged series counts as having one: reading
    /// it reports the damage.
    pub(crate) fn has(&self, slot: u32, start: i64, end: i64) -> bool {
        let Times { first, last, .. } = self.times;
        if start <= first && last <= end {
            return self.position(slot).is_some();
        }
        let mut samples = Vec::new();
        let read = self.read(slot, &mut samples);
        let inside = |sample: &Sample| (start..=end).contains(&sample.time);
        read.is_err() || samples.iter().any(inside)
    }

    /// Appends the samples of a series, if any.
    pub(crate) fn read(&self, slot: u32, out: &mut Vec<Sample>) -> Result<(), Damaged> {
        let Some(at) = self.position(slot) else {
            return Ok(());
        };
        let start = at
            .checked_sub(1)
            .map_or(0, |before| self.columns[before].end);
        chunk::decode(
            &self.bytes[start as usize..self.columns[at].end as usize],
            out,
        )
    }

    /// Its memory use.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&self.columns[..]) + self.bytes.len()
    }

    pub(crate) fn overlaps(&self, start: i64, end: i64) -> bool {
        self.times.first <= end && self.times.last >= start
    }

    fn position(&self, slot: u32) -> Option<usize> {
        // Usually all earlier slots exist and the column is at its own index: no search through cold memory.
        let own = slot as usize;
        if self
            .columns
            .get(own)
            .is_some_and(|column| column.slot == slot)
        {
            return Some(own);
        }
        let before = &self.columns[..own.min(self.columns.len())];
        before
            .binary_search_by_key(&slot, |column| column.slot)
            .ok()
    }
}

/// Builds a [`Block`].
#[derive(Default)]
pub(crate) struct Builder {
    columns: Vec<Column>,
    bytes: Vec<u8>,
    span: Option<(i64, i64)>,
}

impl Builder {
    /// Adds the samples of a series.
    pub(crate) fn samples(&mut self, slot: u32, samples: &[Sample]) {
        if let [first, .., last] | [first @ last] = samples {
            let (earliest, latest) = self.span.unwrap_or((first.time, last.time));
            self.span = Some((earliest.min(first.time), latest.max(last.time)));
            chunk::encode(samples, &mut self.bytes);
            self.end(slot);
        }
    }

    /// Adds samples of a series that are already compressed.
    pub(crate) fn chunk(&mut self, slot: u32, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.end(slot);
    }

    /// The times of the first and the last sample that was added uncompressed.
    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        self.span
    }

    pub(crate) fn build(mut self, times: Times, on_disk: bool) -> Block {
        // A file may order them differently than the current slots.
        let sorted = self.columns.is_sorted_by_key(|column| column.slot);
        if !sorted {
            self = self.sorted();
        }
        Block {
            times,
            columns: self.columns.into(),
            bytes: self.bytes.into(),
            on_disk: AtomicBool::new(on_disk),
        }
    }

    fn sorted(self) -> Self {
        let mut start = 0;
        let mut ranges: Vec<_> = self
            .columns
            .iter()
            .map(|column| {
                let range = start..column.end as usize;
                start = range.end;
                (column.slot, range)
            })
            .collect();
        ranges.sort_by_key(|(slot, _)| *slot);
        let mut sorted = Self::default();
        for (slot, range) in ranges {
            sorted.chunk(slot, &self.bytes[range]);
        }
        sorted
    }

    fn end(&mut self, slot: u32) {
        // A block is sealed before it reaches 4 GiB.
        let end = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.columns.push(Column { slot, end });
    }
}
