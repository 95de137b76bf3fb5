//! From files to memory.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use vigie_promql::Sample;

use super::directory::{Directory, block_name, log_name};
use super::frame::{Frames, Kind, Part, Unreadable, frames};
use super::record::{self, Record};
use crate::chunk;
use crate::memory::{Builder, Memory, SeriesRef, Times};

/// What was found on disk at the start.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// How many blocks were loaded.
    pub blocks: usize,
    /// How many series have samples.
    pub series: usize,
    /// The files of which not everything could be read, and why; the rest of them was loaded.
    pub damaged: Vec<(String, String)>,
}

/// What follows from the files that were read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) loaded: Loaded,
    /// Logs that are of no use once a new one is complete.
    pub(super) logs: Vec<u64>,
    /// The number of the next log.
    pub(super) next_log: u64,
}

/// Reads all files into `memory`, which is empty.
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
                    // One that was begun and not written is of no use; one from the future may be, to its writer.
                    if unreadable == Unreadable::Strange {
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
            Unreadable::Strange => "the head of the file is damaged".to_owned(),
            Unreadable::Version(version) => format!("a later Vigie wrote it, in version {version}"),
        };
        (unreadable, why)
    })
}

/// Adds a block, and says how many bytes of its file are damaged.
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
    let times = times.ok_or("it does not say which time it covers")?;
    let before = memory.blocks.last().map(|block| block.times.sealed);
    if times.first > times.last || times.last >= times.sealed || before > Some(times.first) {
        return Err("the time it covers belongs to another file".to_owned());
    }
    memory.add(Arc::new(builder.build(times, true)));
    Ok(damage)
}

/// Appends what a log holds and the blocks do not, and says how many bytes of it are damaged.
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

/// What a block or an earlier log has already is refused here, and that is how it is told.
fn append(memory: &mut Memory, series: SeriesRef, samples: &[Sample]) {
    for &sample in samples {
        let _ = memory.append(series, sample);
    }
}
