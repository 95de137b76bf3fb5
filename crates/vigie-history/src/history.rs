//! The public handle: memory, the state of the single writer, and an optional disk.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::disk::{Checkpoint, Disk, record};
use crate::memory::{Bounds, Memory, SeriesRef};
use crate::{Appender, DiskState, Error, Loaded, Stats};

/// How long opening waits for the first write.
const FIRST_ANSWER: Duration = Duration::from_secs(5);

/// Limits and location of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The directory of the files; without one, the history ends with the process.
    pub path: Option<PathBuf>,
    /// The retention, measured from the newest sealed samples; a whole hour is removed at once, so samples live one
    /// or two hours longer.
    pub retention: Duration,
    /// The approximate memory limit in bytes, beyond which the oldest hours are removed. Files take up to twice as
    /// much.
    pub max_bytes: u64,
    /// The maximum number of series at a time.
    pub max_series: usize,
}

impl Default for Settings {
    /// A day in at most 64 MiB of memory, 100,000 series, no files.
    fn default() -> Self {
        Self {
            path: None,
            retention: Duration::from_secs(24 * 60 * 60),
            max_bytes: 64 << 20,
            max_series: 100_000,
        }
    }
}

/// The samples of the last day. Clones share them; the last one closes the files when dropped.
#[derive(Clone)]
pub struct History(Arc<Shared>);

struct Shared {
    memory: RwLock<Memory>,
    writer: Mutex<Writer>,
    /// The state of the writer's disk, for readers.
    disk: Option<Arc<Disk>>,
    loaded: Loaded,
}

/// State that only the writer needs.
pub(crate) struct Writer {
    pub(crate) disk: Option<Arc<Disk>>,
    /// The number of the last scrape.
    pub(crate) scrape: u64,
    /// Series that are not yet in the log.
    pub(crate) new: Vec<SeriesRef>,
    /// Data for the next write.
    pub(crate) records: Vec<u8>,
}

impl History {
    /// Opens a history and loads its files.
    ///
    /// # Errors
    /// If another process uses the directory, or it is not a directory of a history. Damaged or unwritable files are
    /// not an error: see [`loaded`](Self::loaded) and [`Stats::disk`].
    pub fn open(settings: &Settings) -> Result<Self, Error> {
        let retention = i64::try_from(settings.retention.as_millis());
        let mut memory = Memory::new(Bounds {
            retention: retention.unwrap_or(i64::MAX),
            bytes: settings.max_bytes,
            series: settings.max_series,
        });
        let (disk, loaded) = match &settings.path {
            Some(path) => {
                let (disk, loaded) = Disk::open(path, &mut memory)?;
                (Some(Arc::new(disk)), loaded)
            }
            None => (None, Loaded::default()),
        };
        let gone = memory.retain();
        let history = Self(Arc::new(Shared {
            memory: RwLock::new(memory),
            writer: Mutex::new(Writer {
                disk: disk.clone(),
                scrape: 0,
                new: Vec::new(),
                records: Vec::new(),
            }),
            disk,
            loaded,
        }));
        if let Some(disk) = &history.0.disk {
            disk.checkpoint(history.unwritten(), &gone);
            // So that the state of the disk is known when this returns.
            disk.flush(FIRST_ANSWER);
        }
        Ok(history)
    }

    /// A new appender of scrapes.
    #[must_use]
    pub fn appender(&self) -> Appender {
        Appender::new(self.clone())
    }

    /// The result of loading the files.
    #[must_use]
    pub fn loaded(&self) -> &Loaded {
        &self.0.loaded
    }

    /// Removes all samples after `time`, in milliseconds, and the hour that was sealed with them: they were recorded
    /// while the clock was ahead, and would keep series from accepting earlier samples.
    pub fn remove_after(&self, time: i64) {
        let writer = self.writer();
        let gone = self.write().remove_after(time);
        if let Some(disk) = &writer.disk {
            disk.checkpoint(self.unwritten(), &gone);
        }
    }

    /// Waits until all committed data is in files; `false` after `timeout`, or on a write error. Without files it
    /// returns at once.
    #[must_use]
    pub fn flush(&self, timeout: Duration) -> bool {
        let disk = self.0.disk.as_ref();
        disk.is_none_or(|disk| disk.flush(timeout))
    }

    /// Statistics of the history.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let disk = self.0.disk.as_ref();
        let disk = disk.map_or(DiskState::Off, |disk| disk.state());
        let memory = self.read();
        Stats {
            series: memory.table.len(),
            bytes: memory.bytes(),
            oldest: memory.oldest(),
            newest: memory.newest,
            committed: memory.counts,
            disk,
        }
    }

    /// Seals due samples, and retries failed writes.
    pub(crate) fn seal(&self, writer: &Writer) {
        let due = self.read().due();
        // Only the holder of the writer changes the data read here.
        let block = due.and_then(|time| self.read().compress(time));
        let mut gone = None;
        if let Some(block) = block {
            let mut memory = self.write();
            memory.seal(Arc::new(block));
            gone = Some(memory.retain());
        }
        // Slots may be reused after this, so the new log repeats the series of its slots.
        if let Some(disk) = &writer.disk
            && (gone.is_some() || disk.needs_checkpoint())
        {
            disk.checkpoint(self.unwritten(), &gone.unwrap_or_default());
        }
    }

    /// Everything in memory that no file contains.
    fn unwritten(&self) -> Checkpoint {
        let memory = self.read();
        let blocks = memory.blocks.iter();
        let blocks = blocks.filter(|block| !block.on_disk.load(Acquire));
        let files = blocks.map(|block| {
            let file = record::block(block, &memory.table);
            (Arc::clone(block), file)
        });
        Checkpoint {
            blocks: files.collect(),
            log: record::log(&memory.table),
        }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Memory> {
        self.0.memory.read()
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Memory> {
        self.0.memory.write()
    }

    pub(crate) fn writer(&self) -> MutexGuard<'_, Writer> {
        self.0.writer.lock()
    }
}
