//! Loads the files.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use vigie_promql::Sample;

use super::directory::{Directory, block_name, log_name};
use super::frame::{Frames, Kind, Part, Unreadable, frames};
use super::record::{self, Record};
use crate::chunk;
use crate::memory::{Builder, Memory, SeriesRef, Times};

/// The result of loading the files.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The number of loaded blocks.
    pub blocks: usize,
    /// The number of series with samples.
    pub series: usize,
    /// The files that are damaged, and how; their intact parts were loaded.
    pub damaged: Vec<(String, String)>,
}

/// Follow-up work after loading.
#[derive(Default)]
pub(super) struct Read {
    pub(super) loaded: Loaded,
    /// Logs to remove once a new one is complete.
    pub(super) logs: Vec<u64>,
    /// The number of the next log.
    pub(super) next_log: u64,
}

/// Reads all files into `memory`, which must be empty.
pub(super) fn load(directory: &Directory, memory: &mut Memory) -> io::Result<Read> {
    let files = directory.files()?;
    let mut read = Read::default();
    for sealed in files.blocks {
        let name = block_name(sealed);
        let done = contents(directory, &name).and_then(|file| {
            let frames = open(&file, Kind::Block).map_err(|(_, why)| why)?;
            block(frames, memory)
        });
        match done {
            Ok(damage) => {
                read.loaded.blocks += 1;
                read.damage(&name, damage);
            }
            Err(why) => read.loaded.damaged.push((name, why)),
        }
    }
    for number in files.logs {
        read.next_log = read.next_log.max(number.saturating_add(1));
        let name = log_name(number);
        match contents(directory, &name) {
            Ok(file) => match open(&file, Kind::Log) {
                Ok(frames) => {
                    let damage = log(frames, memory);
                    read.damage(&name, damage);
                    read.logs.push(number);
                }
                Err((unreadable, why)) => {
                    // An incomplete file is useless; one of a later version may be of use to that version.
                    if unreadable == Unreadable::Foreign {
                        read.logs.push(number);
                    }
                    read.loaded.damaged.push((name, why));
                }
            },
            Err(why) => read.loaded.damaged.push((name, why)),
        }
    }
    read.loaded.series = memory.table.len();
    Ok(read)
}

impl Read {
    fn damage(&mut self, name: &str, damage: usize) {
        if damage > 0 {
            let why = format!("{damage} bytes are damaged");
            self.loaded.damaged.push((name.to_owned(), why));
        }
    }
}

fn contents(directory: &Directory, name: &str) -> Result<Vec<u8>, String> {
    directory.read(name).map_err(|error| error.to_string())
}

fn open(file: &[u8], kind: Kind) -> Result<Frames<'_>, (Unreadable, String)> {
    frames(file, kind).map_err(|unreadable| {
        let why = match unreadable {
            Unreadable::Foreign => "the header is damaged".to_owned(),
            Unreadable::Version(version) => {
                format!("written by another version of Vigie (format {version})")
            }
        };
        (unreadable, why)
    })
}

/// Adds a block; returns the number of damaged bytes of its file.
fn block(frames: Frames<'_>, memory: &mut Memory) -> Result<usize, String> {
    let mut builder = Builder::default();
    let mut times: Option<Times> = None;
    let mut damage = 0;
    for part in frames {
        let payload = match part {
            Part::Damage(range) => {
                damage += range.len();
                continue;
            }
            Part::Payload(payload) => payload,
        };
        match record::read(payload) {
            Some(Record::Times(found)) => times = Some(found),
            Some(Record::Column { labels, chunks, .. }) => {
                if let Some(series) = memory.series(&labels) {
                    builder.chunk(series.slot, chunks);
                }
            }
            _ => damage += payload.len(),
        }
    }
    let times = times.ok_or("the time range is missing")?;
    let before = memory.blocks.last().map(|block| block.times.sealed);
    if times.first > times.last || times.last >= times.sealed || before > Some(times.first) {
        return Err("the time range is of another file".to_owned());
    }
    memory.add(Arc::new(builder.build(times, true)));
    Ok(damage)
}

/// Appends the samples of a log that are not in a block; returns its number of damaged bytes.
fn log(frames: Frames<'_>, memory: &mut Memory) -> usize {
    let mut slots: HashMap<u64, SeriesRef> = HashMap::new();
    let mut samples = Vec::new();
    let mut damage = 0;
    for part in frames {
        let payload = match part {
            Part::Damage(range) => {
                damage += range.len();
                continue;
            }
            Part::Payload(payload) => payload,
        };
        match record::read(payload) {
            Some(Record::Column {
                slot,
                labels,
                chunks,
            }) => {
                let Some(series) = memory.series(&labels) else {
                    continue;
                };
                slots.insert(slot, series);
                samples.clear();
                if chunk::decode(chunks, &mut samples).is_ok() {
                    append(memory, series, &samples);
                } else {
                    damage += chunks.len();
                }
            }
            Some(Record::Scrape(scrape)) => {
                let time = scrape.time;
                for (slot, value) in scrape {
                    if let Some(&series) = slots.get(&slot) {
                        append(memory, series, &[Sample { time, value }]);
                    }
                }
            }
            _ => damage += payload.len(),
        }
    }
    damage
}

/// Samples of a block or an earlier log are refused here, which identifies them.
fn append(memory: &mut Memory, series: SeriesRef, samples: &[Sample]) {
    for &sample in samples {
        let _ = memory.append(series, sample);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::ops::ControlFlow;
    use std::time::Duration;

    use proptest::prelude::*;
    use vigie_promql::Storage as _;
    use vigie_promql::storage::Selection;

    use super::*;
    use crate::disk::frame::{begin, frame};
    use crate::{History, Settings};

    /// Records that damage does not produce: valid checksums with arbitrary content.
    fn any_record() -> impl Strategy<Value = Vec<u8>> {
        let byte = || prop_oneof![0..4_u8, any::<u8>()];
        prop_oneof![
            prop::collection::vec(byte(), 0..60),
            // A column of one label, with arbitrary chunks.
            (0..3_u8, prop::collection::vec(byte(), 0..60)).prop_map(|(slot, chunks)| {
                [&[1, slot, 1, 1, b'a', 1, b'0' + slot][..], &chunks].concat()
            }),
            prop::collection::vec(byte(), 3..6).prop_map(|times| [&[3][..], &times].concat()),
        ]
    }

    proptest! {
        #[test]
        fn loading_arbitrary_records_does_not_panic(records in prop::collection::vec(any_record(), 0..12), log: bool) {
            let (kind, name) = if log { (Kind::Log, log_name(1)) } else { (Kind::Block, block_name(1)) };
            let mut file = Vec::new();
            begin(&mut file, kind);
            for record in &records {
                frame(&mut file, |out| out.extend(record));
            }
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join(name), file).unwrap();
            let settings = Settings { path: Some(directory.path().to_owned()), ..Settings::default() };
            let history = History::open(&settings).unwrap();
            let selection = Selection { matchers: &[], start: i64::MIN, end: i64::MAX };
            // Damaged samples are an error and not a result.
            let _ = history.select(&selection, &mut |_, samples| {
                assert!(samples.is_sorted_by(|a, b| a.time < b.time));
                ControlFlow::Continue(())
            });
            let mut appender = history.appender();
            for time in [0, 1_000, 10_000_000, i64::MAX] {
                let mut scrape = appender.scrape(time);
                if let Some(series) = scrape.series(&[("a", "0")]) {
                    scrape.sample(series, 1.0);
                }
                scrape.commit();
            }
            prop_assert!(history.flush(Duration::from_secs(60)));
        }
    }
}
