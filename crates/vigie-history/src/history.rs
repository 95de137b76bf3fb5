//! The history put together: memory for all, a writer for one at a time, a disk or none.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::disk::{Checkpoint, Disk, record};
use crate::memory::{Bounds, Memory, SeriesRef};
use crate::{Appender, DiskState, Error, Loaded, Stats};

/// How long opening waits for the disk to be written for the first time.
const FIRST_ANSWER: Duration = Duration::from_secs(5);

/// What is kept, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The directory of the files; without one, the history ends with the process.
    pub path: Option<PathBuf>,
    /// How long samples are kept, counted from the newest that are sealed; an hour goes at once, so it is an hour or two more.
    pub retention: Duration,
    /// How much memory the history may take, about, in bytes: past it the oldest hours go. Files take up to twice as much.
    pub max_bytes: u64,
    /// How many series there may be at once.
    pub max_series: usize,
}

impl Default for Settings {
    /// A day in at most 96 MiB of memory, 100,000 series, no files.
    fn default() -> Self {
        Self {
            path: None,
            retention: Duration::from_secs(24 * 60 * 60),
            max_bytes: 96 << 20,
            max_series: 100_000,
        }
    }
}

/// Samples of the last day. Clones share them; the last one to go closes the files.
#[derive(Clone)]
pub struct History(Arc<Shared>);

struct Shared {
    memory: RwLock<Memory>,
    writer: Mutex<Writer>,
    /// The same as the writer's, for those who only ask how it is.
    disk: Option<Arc<Disk>>,
    loaded: Loaded,
}

/// What only the one who writes needs.
pub(crate) struct Writer {
    pub(crate) disk: Option<Arc<Disk>>,
    /// The number of the last scrape.
    pub(crate) scrape: u64,
    /// Series that the log does not know.
    pub(crate) new: Vec<SeriesRef>,
    /// What goes to the disk next.
    pub(crate) records: Vec<u8>,
}

impl History {
    /// Opens a history, with what its files hold.
    ///
    /// # Errors
    /// When the directory is in use by another process, or is none. That files are damaged or cannot be written is no error: see
    /// [`loaded`](Self::loaded) and [`Stats::disk`].
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
            // So that whoever asks next is told whether the disk works.
            disk.flush(FIRST_ANSWER);
        }
        Ok(history)
    }

    /// Someone who appends scrapes.
    #[must_use]
    pub fn appender(&self) -> Appender {
        Appender::new(self.clone())
    }

    /// What was found on disk when it was opened.
    #[must_use]
    pub fn loaded(&self) -> &Loaded {
        &self.0.loaded
    }

    /// Lets go of all samples later than `time`, in milliseconds, and of the hour that was sealed with them: what came under
    /// a clock that was ahead. While they are there, no series takes an earlier sample.
    pub fn forget_after(&self, time: i64) {
        let writer = self.writer();
        let gone = self.write().forget_after(time);
        if let Some(disk) = &writer.disk {
            disk.checkpoint(self.unwritten(), &gone);
        }
    }

    /// Waits until all that was committed is in files; `false` when this takes longer than `patience`, or when it cannot be
    /// written. Without files there is nothing to wait for.
    #[must_use]
    pub fn flush(&self, patience: Duration) -> bool {
        let disk = self.0.disk.as_ref();
        disk.is_none_or(|disk| disk.flush(patience))
    }

    /// How it is doing.
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

    /// Seals what is due, and writes anew what could not be written before.
    pub(crate) fn seal(&self, writer: &Writer) {
        let due = self.read().due();
        // Whoever holds the writer is the only one who changes what is read here.
        let block = due.and_then(|time| self.read().compress(time));
        let mut gone = None;
        if let Some(block) = block {
            let mut memory = self.write();
            memory.seal(Arc::new(block));
            gone = Some(memory.retain());
        }
        // A slot may be given to another series after this: the new log is told anew what is in them.
        if let Some(disk) = &writer.disk
            && (gone.is_some() || disk.needs_checkpoint())
        {
            disk.checkpoint(self.unwritten(), &gone.unwrap_or_default());
        }
    }

    /// What is in memory and in no file.
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
