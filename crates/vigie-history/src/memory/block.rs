//! About an hour of samples of all series, sealed.

use std::sync::atomic::AtomicBool;

use vigie_promql::Sample;

use crate::chunk::{self, Damaged};

/// Samples of many series between two times, compressed. It does not change any more.
pub(crate) struct Block {
    pub(crate) times: Times,
    /// By slot. A series stays in its slot as long as a block has samples of it.
    columns: Box<[Column]>,
    bytes: Box<[u8]>,
    /// Whether there is a file of it.
    pub(crate) on_disk: AtomicBool,
}

/// Which times a block covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// Of the first sample.
    pub(crate) first: i64,
    /// Of the last sample.
    pub(crate) last: i64,
    /// Every sample before it was sealed; an earlier one can come no more.
    pub(crate) sealed: i64,
}

#[derive(Clone, Copy)]
struct Column {
    slot: u32,
    /// Where its bytes end; they begin where those of the column before it end.
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

    /// Whether a series has a sample here from `start` to `end`, both included. A damaged series counts as one that has:
    /// reading its samples reports the damage.
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

    /// Appends the samples of a series, if it has some here.
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

    /// How much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&self.columns[..]) + self.bytes.len()
    }

    pub(crate) fn overlaps(&self, start: i64, end: i64) -> bool {
        self.times.first <= end && self.times.last >= start
    }

    fn position(&self, slot: u32) -> Option<usize> {
        // Where every slot before it is there too, which is usual, it is in its own place: no search through cold memory.
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

/// Makes a [`Block`].
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

    /// Adds the samples of a series as they were compressed before.
    pub(crate) fn chunk(&mut self, slot: u32, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.end(slot);
    }

    /// The times of the first and the last sample that was added uncompressed.
    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        self.span
    }

    pub(crate) fn build(mut self, times: Times, on_disk: bool) -> Block {
        // A file may have them in another order than the slots they have now.
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
        // A block is sealed long before it has 4 GiB.
        let end = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.columns.push(Column { slot, end });
    }
}
