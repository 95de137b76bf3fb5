//! The content of frames.
//!
//! ```text
//! column   1  slot varint  labels: count varint, then each name and value: length varint, UTF-8   samples: chunks
//! scrape   2  time zigzag  then for each sample: how far its slot lies from the one before it, zigzag;
//!             its bits, byte-swapped, as varint: those of small whole numbers are two or three bytes
//! times    3  first, last, sealed: zigzag
//! ```
//!
//! A block is its time range, a column for each series, and the time range again, so that no single damage loses the
//! block. A log is a column for each series, with the samples that no block contained when the log started, followed
//! by scrapes; a column without samples precedes the first scrape of a new series. Slots are valid within one file
//! only.

use vigie_promql::Labels;

use super::frame::{self, Kind};
use crate::chunk::varint;
use crate::memory::{Block, Head, Table, Times};

const COLUMN: u8 = 1;
const SCRAPE: u8 = 2;
const TIMES: u8 = 3;
/// A series with more labels is damage.
const MOST_LABELS: u64 = 1_000;

/// A decoded record.
#[derive(Debug)]
pub(super) enum Record<'a> {
    Column {
        slot: u64,
        labels: Vec<(&'a str, &'a str)>,
        chunks: &'a [u8],
    },
    Scrape(ScrapeRecord<'a>),
    Times(Times),
}

/// Appends a series and its current samples in the head.
pub(crate) fn column(out: &mut Vec<u8>, slot: u32, labels: &Labels, head: &Head) {
    frame::frame(out, |out| {
        column_head(out, slot, labels);
        head.write_chunks(out);
    });
}

/// Appends the samples of one scrape.
pub(crate) fn scrape(out: &mut Vec<u8>, time: i64, samples: impl Iterator<Item = (u32, f64)>) {
    frame::frame(out, |out| {
        out.push(SCRAPE);
        varint::write(out, varint::zigzag(time));
        let mut last = 0;
        for (slot, value) in samples {
            let slot = i64::from(slot);
            varint::write(out, varint::zigzag(slot - last));
            varint::write(out, value.to_bits().swap_bytes());
            last = slot;
        }
    });
}

/// Encodes a block as a file.
pub(crate) fn block(block: &Block, table: &Table) -> Vec<u8> {
    let mut out = Vec::new();
    frame::begin(&mut out, Kind::Block);
    times(&mut out, block.times);
    for (slot, chunks) in block.columns() {
        if let Some(series) = table.in_slot(slot) {
            frame::frame(&mut out, |out| {
                column_head(out, slot, &series.labels);
                out.extend(chunks);
            });
        }
    }
    times(&mut out, block.times);
    out
}

/// Encodes the start of a log: the content of the head.
pub(crate) fn log(table: &Table) -> Vec<u8> {
    let mut out = Vec::new();
    frame::begin(&mut out, Kind::Log);
    for (slot, series) in table.iter() {
        column(&mut out, slot, &series.labels, &series.head);
    }
    out
}

/// Decodes the payload of a frame.
pub(super) fn read(payload: &[u8]) -> Option<Record<'_>> {
    let (&kind, mut rest) = payload.split_first()?;
    match kind {
        COLUMN => {
            let slot = varint::read(&mut rest)?;
            let count = varint::read(&mut rest).filter(|&count| count <= MOST_LABELS)?;
            let mut label = || Some((text(&mut rest)?, text(&mut rest)?));
            let labels = (0..count).map(|_| label()).collect::<Option<Vec<_>>>()?;
            Some(Record::Column {
                slot,
                labels,
                chunks: rest,
            })
        }
        SCRAPE => Some(Record::Scrape(ScrapeRecord {
            time: signed(&mut rest)?,
            slot: 0,
            rest,
        })),
        TIMES => Some(Record::Times(Times {
            first: signed(&mut rest)?,
            last: signed(&mut rest)?,
            sealed: signed(&mut rest)?,
        })),
        _ => None,
    }
}

/// The samples of one scrape, with the slots of their series.
#[derive(Debug)]
pub(super) struct ScrapeRecord<'a> {
    pub(super) time: i64,
    slot: i64,
    rest: &'a [u8],
}

impl Iterator for ScrapeRecord<'_> {
    type Item = (u64, f64);

    fn next(&mut self) -> Option<(u64, f64)> {
        let step = signed(&mut self.rest)?;
        self.slot = self.slot.checked_add(step)?;
        let bits = varint::read(&mut self.rest)?.swap_bytes();
        Some((u64::try_from(self.slot).ok()?, f64::from_bits(bits)))
    }
}

fn column_head(out: &mut Vec<u8>, slot: u32, labels: &Labels) {
    out.push(COLUMN);
    varint::write(out, u64::from(slot));
    varint::write(out, labels.len() as u64);
    for (name, value) in labels.iter() {
        for text in [name, value] {
            varint::write(out, text.len() as u64);
            out.extend(text.as_bytes());
        }
    }
}

fn times(out: &mut Vec<u8>, times: Times) {
    frame::frame(out, |out| {
        out.push(TIMES);
        for time in [times.first, times.last, times.sealed] {
            varint::write(out, varint::zigzag(time));
        }
    });
}

fn signed(bytes: &mut &[u8]) -> Option<i64> {
    varint::read(bytes).map(varint::unzigzag)
}

fn text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = usize::try_from(varint::read(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::chunk;
    use proptest::prelude::*;
    use vigie_promql::Sample;

    fn payload(file: &[u8]) -> &[u8] {
        &file[12..]
    }

    proptest! {
        #[test]
        fn decoding_arbitrary_bytes_does_not_panic(bytes: Vec<u8>) {
            if let Some(Record::Scrape(scrape)) = read(&bytes) {
                scrape.for_each(drop);
            }
        }

        #[test]
        fn a_scrape_round_trips(time: i64, samples: Vec<(u32, u64)>) {
            let mut out = Vec::new();
            scrape(&mut out, time, samples.iter().map(|&(slot, bits)| (slot, f64::from_bits(bits))));
            let Some(Record::Scrape(read)) = read(payload(&out)) else {
                return Err(TestCaseError::fail("not a scrape"));
            };
            prop_assert_eq!(read.time, time);
            let read: Vec<_> = read.map(|(slot, value)| (slot as u32, value.to_bits())).collect();
            prop_assert_eq!(read, samples);
        }

        #[test]
        fn a_column_round_trips(slot: u32, labels: std::collections::BTreeMap<String, String>) {
            let labels = Labels::new(labels);
            let mut head = Head::default();
            head.push(Sample { time: 5, value: 1.0 }, &mut Vec::new());
            let mut out = Vec::new();
            column(&mut out, slot, &labels, &head);
            let Some(Record::Column { slot: read_slot, labels: read_labels, chunks }) = read(payload(&out)) else {
                return Err(TestCaseError::fail("not a column"));
            };
            prop_assert_eq!(read_slot, u64::from(slot));
            prop_assert!(labels.iter().eq(read_labels));
            let mut samples = Vec::new();
            chunk::decode(chunks, &mut samples).unwrap();
            prop_assert_eq!(samples, [Sample { time: 5, value: 1.0 }]);
        }
    }
}
