//! Writes files.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::atomic::Ordering::Release;

use super::Checkpoint;
use super::directory::{Directory, block_name, log_name};

pub(super) struct Worker {
    directory: Directory,
    /// The log that records are appended to; `None` after a failure.
    log: Option<File>,
    /// The existing logs.
    logs: Vec<u64>,
    next_log: u64,
    /// Whether the log has bytes that are not synced.
    unsynced: bool,
    /// Blocks whose files could not be removed.
    left: Vec<i64>,
}

impl Worker {
    pub(super) fn new(directory: Directory, logs: Vec<u64>, next_log: u64) -> Self {
        Self {
            directory,
            log: None,
            logs,
            next_log,
            unsynced: false,
            left: Vec::new(),
        }
    }

    /// Removes files first, which may free space.
    pub(super) fn write(
        &mut self,
        removals: &[i64],
        checkpoint: Option<Checkpoint>,
        records: &[u8],
    ) -> io::Result<()> {
        self.left.extend(removals);
        let removed = self.remove();
        if let Some(checkpoint) = checkpoint {
            self.log = None;
            self.checkpoint(&checkpoint)?;
        }
        if let Some(log) = &mut self.log
            && !records.is_empty()
        {
            self.unsynced = true;
            if let Err(error) = log.write_all(records) {
                // The partial record is damage, which ends the file.
                self.log = None;
                return Err(error);
            }
        }
        removed
    }

    /// Syncs the log.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        match &self.log {
            Some(log) if std::mem::take(&mut self.unsynced) => {
                // The extent of the loss is unknown after a failed sync, so the log is abandoned.
                log.sync_data().inspect_err(|_| self.log = None)
            }
            _ => Ok(()),
        }
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> io::Result<()> {
        for (block, file) in &checkpoint.blocks {
            self.directory
                .write_whole(&block_name(block.times.sealed), file)?;
            block.on_disk.store(true, Release);
        }
        let number = self.next_log;
        let name = log_name(number);
        let log = self.directory.begin(&name, &checkpoint.log);
        let log = log.inspect_err(|_| {
            // An incomplete log only takes space.
            let _ = self.directory.remove(&name);
        })?;
        self.directory.sync()?;
        self.log = Some(log);
        self.next_log += 1;
        for old in std::mem::replace(&mut self.logs, vec![number]) {
            self.directory.remove(&log_name(old))?;
        }
        Ok(())
    }

    fn remove(&mut self) -> io::Result<()> {
        while let Some(&sealed) = self.left.last() {
            self.directory.remove(&block_name(sealed))?;
            self.left.pop();
        }
        Ok(())
    }
}
