//! The history on disk: what outlives the process.
//!
//! Files are written by a thread of their own, which takes what is to be written out of an [inbox](Inbox). Each scrape is
//! appended to a log, and those who commit it wait until it is written, but not long: a disk that hangs does not
//! stop the watch. Then the log is synced, so that a loss of power costs no more than the last scrapes either. A sealed block is
//! a file of its own; it makes a new log begin (a [`Checkpoint`]), and the logs before it go.
//!
//! When a file cannot be written, nothing more is until a checkpoint has written everything again that is in memory and in no
//! file. Every commit tries one. So there is one way back from a full disk and from one that was
//! read-only for a while.

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
const PATIENCE: Duration = Duration::from_secs(1);
/// How many bytes may wait to be written.
const MOST_WAITING: usize = 64 << 20;

/// Everything that is in memory and in no file.
pub(crate) struct Checkpoint {
    /// Blocks, and the files they become.
    pub(crate) blocks: Vec<(Arc<Block>, Vec<u8>)>,
    /// The beginning of a new log.
    pub(crate) log: Vec<u8>,
}

/// Hands to the thread what is to be written.
pub(crate) struct Disk {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and those who hand over to it share.
#[derive(Default)]
struct Desk {
    inbox: Mutex<Inbox>,
    filled: Condvar,
    emptied: Condvar,
}

/// What is to be written, in this order: removals, the checkpoint, the records.
#[derive(Default)]
struct Inbox {
    removals: Vec<i64>,
    checkpoint: Option<Checkpoint>,
    records: Vec<u8>,
    /// How many things were put in here, and how many of them the thread is done with.
    put: u64,
    done: u64,
    /// Why nothing is written at present.
    failure: Option<String>,
    /// Somebody waited in vain; nobody does until the thread is done with everything.
    hangs: bool,
    closed: bool,
    ended: bool,
}

impl Disk {
    /// Takes the directory and reads what is there into `memory`, which is empty.
    pub(crate) fn open(path: &Path, memory: &mut Memory) -> Result<(Self, Loaded), Error> {
        let directory = Directory::open(path)?;
        let read = load::load(&directory, memory).map_err(|source| Error::Directory {
            path: path.to_owned(),
            source,
        })?;
        let desk = Arc::new(Desk::default());
        let worker = Worker::new(directory, read.logs, read.next_log);
        let thread = thread::Builder::new().name("vigie-history".to_owned());
        let theirs = Arc::clone(&desk);
        let thread = thread.spawn(move || theirs.work(worker));
        let thread = thread.map_err(|source| Error::Thread { source })?;
        let disk = Self {
            desk,
            thread: Some(thread),
        };
        Ok((disk, read.loaded))
    }

    /// Hands over the records of a scrape and empties `records`. Waits until they are written, if that is soon.
    pub(crate) fn append(&self, records: &mut Vec<u8>) {
        let mut inbox = self.desk.inbox.lock();
        if inbox.records.len() + records.len() > MOST_WAITING {
            inbox.failure.get_or_insert_with(hangs);
        }
        if inbox.failure.is_none() {
            inbox.records.append(records);
            self.put(&mut inbox);
        }
        records.clear();
        if !inbox.hangs {
            inbox.hangs = !self.wait(&mut inbox, PATIENCE);
        }
    }

    /// Hands over a checkpoint, in which is what waits to be written, and blocks whose files are not needed any more.
    pub(crate) fn checkpoint(&self, checkpoint: Checkpoint, gone: &[Arc<Block>]) {
        let mut inbox = self.desk.inbox.lock();
        inbox.records.clear();
        inbox.checkpoint = Some(checkpoint);
        inbox
            .removals
            .extend(gone.iter().map(|block| block.times.sealed));
        // The thread says so again if it is still true.
        inbox.failure = None;
        self.put(&mut inbox);
    }

    /// Waits until everything is written that was handed over; `false` when this takes too long, or did not succeed.
    pub(crate) fn flush(&self, patience: Duration) -> bool {
        let mut inbox = self.desk.inbox.lock();
        self.wait(&mut inbox, patience) && inbox.failure.is_none()
    }

    /// Whether a [`Checkpoint`] is needed, and the thread has time for one.
    pub(crate) fn needs_checkpoint(&self) -> bool {
        let inbox = self.desk.inbox.lock();
        inbox.failure.is_some() && inbox.put == inbox.done
    }

    pub(crate) fn state(&self) -> DiskState {
        let inbox = self.desk.inbox.lock();
        match &inbox.failure {
            Some(failure) => DiskState::Failing(failure.clone()),
            None if inbox.hangs => DiskState::Failing(hangs()),
            None => DiskState::Working,
        }
    }

    fn put(&self, inbox: &mut Inbox) {
        inbox.put += 1;
        self.desk.filled.notify_one();
    }

    fn wait(&self, inbox: &mut MutexGuard<'_, Inbox>, patience: Duration) -> bool {
        let mine = inbox.put;
        let waits = &mut |inbox: &mut Inbox| inbox.done < mine;
        let waited = self.desk.emptied.wait_while_for(inbox, waits, patience);
        !waited.timed_out()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let mut inbox = self.desk.inbox.lock();
        inbox.closed = true;
        self.desk.filled.notify_one();
        let works = &mut |inbox: &mut Inbox| !inbox.ended;
        self.desk
            .emptied
            .wait_while_for(&mut inbox, works, PATIENCE);
        let ended = inbox.ended;
        drop(inbox);
        // A thread that hangs in a write is left behind.
        if ended && let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Desk {
    /// The thread: writes what is put into the inbox until it is closed.
    fn work(&self, mut worker: Worker) {
        // Changes hands with the inbox's own, so that neither is made anew.
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
            // A checkpoint that came meanwhile will tell anew.
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
