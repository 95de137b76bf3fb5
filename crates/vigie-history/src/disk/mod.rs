//! Persistence of the history.
//!
//! A thread writes the files from an [inbox](Inbox). Each scrape is appended to a log, and a commit waits until it is
//! written, for a limited time: a disk that hangs does not block the caller. Then the log is synced, so that a power
//! failure costs only the last scrapes, too. A sealed block becomes a file; then a new log starts (a [`Checkpoint`])
//! and earlier logs are removed.
//!
//! After a write error nothing is written until a checkpoint has written everything in memory that no file contains.
//! Each commit attempts one. This is the only recovery, from a full disk as from a temporarily read-only one.

mod directory;
mod frame;
mod load;
mod ownership;
pub(crate) mod record;
mod worker;

use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::memory::{Block, Memory};
use crate::{DiskState, Error};
use directory::Directory;
pub use load::Loaded;
pub use ownership::foreign_entry;
use worker::Worker;

/// How long a commit waits for the disk.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);
/// The maximum number of bytes in the inbox.
const MOST_WAITING: usize = 64 << 20;

/// Everything in memory that no file contains.
pub(crate) struct Checkpoint {
    /// Blocks, to be written as files.
    pub(crate) blocks: Vec<(Arc<Block>, Vec<u8>)>,
    /// The content of a new log.
    pub(crate) log: Vec<u8>,
}

/// Passes data to the thread.
pub(crate) struct Disk {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// The state shared with the thread.
#[derive(Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    filled: Condvar,
    emptied: Condvar,
}

/// The data to write, in this order: removals, checkpoint, records.
#[derive(Default)]
struct Inbox {
    removals: Vec<i64>,
    checkpoint: Option<Checkpoint>,
    records: Vec<u8>,
    /// The number of items put into the inbox, and the number that the thread has completed.
    put: u64,
    done: u64,
    /// Why nothing is written at present.
    failure: Option<String>,
    /// A commit timed out; further ones do not wait until the thread has caught up.
    hangs: bool,
    closed: bool,
    ended: bool,
}

impl Disk {
    /// Locks the directory and loads its files into `memory`, which must be empty.
    pub(crate) fn open(path: &Path, memory: &mut Memory) -> Result<(Self, Loaded), Error> {
        let directory = Directory::open(path)?;
        let read = load::load(&directory, memory).map_err(|source| Error::Directory {
            path: path.to_owned(),
            source,
        })?;
        let shared = Arc::new(Shared::default());
        let worker = Worker::new(directory, read.logs, read.next_log);
        let thread = thread::Builder::new().name("vigie-history".to_owned());
        let theirs = Arc::clone(&shared);
        let thread = thread.spawn(move || theirs.work(worker));
        let thread = thread.map_err(|source| Error::Thread { source })?;
        let disk = Self {
            shared,
            thread: Some(thread),
        };
        Ok((disk, read.loaded))
    }

    /// Passes on the records of a scrape and empties `records`. Waits for a limited time until they are written.
    pub(crate) fn append(&self, records: &mut Vec<u8>) {
        let mut inbox = self.shared.inbox.lock();
        if inbox.records.len() + records.len() > MOST_WAITING {
            inbox.failure.get_or_insert_with(hangs);
        }
        if inbox.failure.is_none() {
            inbox.records.append(records);
            self.put(&mut inbox);
        }
        records.clear();
        if !inbox.hangs {
            inbox.hangs = !self.wait(&mut inbox, WRITE_TIMEOUT);
        }
    }

    /// Passes on a checkpoint, which includes the data in the inbox, and blocks whose files are no longer needed.
    pub(crate) fn checkpoint(&self, checkpoint: Checkpoint, gone: &[Arc<Block>]) {
        let mut inbox = self.shared.inbox.lock();
        inbox.records.clear();
        inbox.checkpoint = Some(checkpoint);
        inbox
            .removals
            .extend(gone.iter().map(|block| block.times.sealed));
        // The thread reports the error again if it persists.
        inbox.failure = None;
        self.put(&mut inbox);
    }

    /// Waits until all data is written; `false` on a timeout or an error.
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        let mut inbox = self.shared.inbox.lock();
        self.wait(&mut inbox, timeout) && inbox.failure.is_none()
    }

    /// Whether a [`Checkpoint`] is needed and the thread is ready for one.
    pub(crate) fn needs_checkpoint(&self) -> bool {
        let inbox = self.shared.inbox.lock();
        inbox.failure.is_some() && inbox.put == inbox.done
    }

    pub(crate) fn state(&self) -> DiskState {
        let inbox = self.shared.inbox.lock();
        match &inbox.failure {
            Some(failure) => DiskState::Failing(failure.clone()),
            None if inbox.hangs => DiskState::Failing(hangs()),
            None => DiskState::Working,
        }
    }

    fn put(&self, inbox: &mut Inbox) {
        inbox.put += 1;
        self.shared.filled.notify_one();
    }

    fn wait(&self, inbox: &mut MutexGuard<'_, Inbox>, timeout: Duration) -> bool {
        let mine = inbox.put;
        let waits = &mut |inbox: &mut Inbox| inbox.done < mine;
        let waited = self.shared.emptied.wait_while_for(inbox, waits, timeout);
        !waited.timed_out()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let mut inbox = self.shared.inbox.lock();
        inbox.closed = true;
        self.shared.filled.notify_one();
        let works = &mut |inbox: &mut Inbox| !inbox.ended;
        self.shared
            .emptied
            .wait_while_for(&mut inbox, works, WRITE_TIMEOUT);
        let ended = inbox.ended;
        drop(inbox);
        // A thread that hangs in a write is not joined.
        if ended && let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// The thread: writes the data of the inbox until it is closed.
    fn work(&self, mut worker: Worker) {
        // Swapped with the inbox's buffer to avoid allocations.
        let mut records = Vec::new();
        loop {
            let mut inbox = self.inbox.lock();
            while inbox.put == inbox.done && !inbox.closed {
                self.filled.wait(&mut inbox);
            }
            if inbox.put == inbox.done {
                break;
            }
            std::mem::swap(&mut inbox.records, &mut records);
            let removals = std::mem::take(&mut inbox.removals);
            let checkpoint = inbox.checkpoint.take();
            let put = inbox.put;
            drop(inbox);

            let written = worker.write(&removals, checkpoint, &records);
            records.clear();

            let mut inbox = self.inbox.lock();
            inbox.done = put;
            inbox.hangs &= inbox.put != put;
            self.report(inbox, written);
            let synced = worker.sync();
            self.report(self.inbox.lock(), synced);
        }
        drop(worker);
        self.inbox.lock().ended = true;
        self.emptied.notify_all();
    }

    fn report(&self, mut inbox: MutexGuard<'_, Inbox>, result: std::io::Result<()>) {
        if let Err(error) = result {
            // A checkpoint that arrived in the meantime reports its own result.
            if inbox.checkpoint.is_none() {
                inbox.failure = Some(error.to_string());
                inbox.records.clear();
            }
        }
        self.emptied.notify_all();
    }
}

fn hangs() -> String {
    "the disk does not answer".to_owned()
}

#[cfg(test)]
mod tests;
