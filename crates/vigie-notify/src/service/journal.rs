//! The state of the dispatcher on disk: a log of its changes, which is replaced by the whole state when it has grown.
//!
//! A record is a JSON list of changes that belong together. The functions block.

use std::sync::Arc;

use vigie_store::{Directory, Kind, Log, Opened};

use crate::dispatch::{Change, Replay, Saved};

/// The name of the file with silences, what was sent, and what is to be sent.
pub const FILE: &str = "notifications.log";
const KIND: Kind = Kind::new(*b"NOTI", 1);
/// The maximum size of the file.
const MOST: u64 = 256 << 20;
/// The log is replaced when it exceeds this and twice the size of the whole state.
const SLACK: u64 = 1 << 20;
/// The changes in a record of the whole state.
const CHUNK: usize = 256;

/// The log of changes.
#[derive(Debug)]
pub(super) struct Journal {
    log: Log,
    /// The bytes of the log when it was last replaced.
    whole: u64,
    /// Keeps the directory locked.
    _directory: Arc<Directory>,
}

/// The content of a write.
pub(super) enum Write {
    Changes(Vec<Change>),
    All(Box<Saved>),
}

/// An error of the store, or of the conversion to JSON.
#[derive(Debug, thiserror::Error)]
pub(super) enum JournalError {
    #[error(transparent)]
    Store(#[from] vigie_store::Error),
    #[error("the state cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Journal {
    /// Reads the state, or an empty one if there is none or it cannot be used.
    pub(super) fn open(directory: Arc<Directory>) -> Result<(Self, Saved), vigie_store::Error> {
        let Opened {
            log,
            records,
            torn,
            set_aside,
        } = directory.log(FILE, KIND, MOST)?;
        let path = log.path().display().to_string();
        if let Some((why, aside)) = &set_aside {
            let aside = aside.display();
            tracing::error!(
                path, %why, kept = %aside,
                "the state of notifications is damaged; it is kept under another name, and Vigie continues with what can be read"
            );
        }
        if torn > 0 {
            tracing::warn!(
                path,
                bytes = torn,
                "the last change of the state of notifications was cut off by a crash and is dropped"
            );
        }
        let (saved, unread) = replay(&records);
        if unread > 0 {
            tracing::error!(
                path,
                records = unread,
                "parts of the state of notifications cannot be read; Vigie continues without them"
            );
        }
        let journal = Self {
            log,
            whole: 0,
            _directory: directory,
        };
        Ok((journal, saved))
    }

    /// Whether the whole state is to be written next.
    pub(super) fn wants_all(&self) -> bool {
        self.log.is_broken() || self.log.bytes() > SLACK + 2 * self.whole
    }

    /// Writes changes or the whole state; it is on disk when this returns. After an error the whole state must be written.
    pub(super) fn write(&mut self, write: Write) -> Result<(), JournalError> {
        match write {
            Write::Changes(changes) if changes.is_empty() => {}
            Write::Changes(changes) => self.log.append(&serde_json::to_vec(&changes)?)?,
            Write::All(saved) => {
                let changes: Vec<_> = saved.into_changes().collect();
                let records = changes.chunks(CHUNK).map(serde_json::to_vec);
                let records = records.collect::<Result<Vec<_>, _>>()?;
                self.log.rewrite(&records)?;
                self.whole = self.log.bytes();
            }
        }
        Ok(())
    }
}

/// The state after the changes in these records, and the number of records that are not understood.
pub(super) fn replay<R: AsRef<[u8]>>(records: &[R]) -> (Saved, usize) {
    let (mut replay, mut unread) = (Replay::default(), 0);
    for record in records {
        match serde_json::from_slice::<Vec<Change>>(record.as_ref()) {
            Ok(changes) => changes.into_iter().for_each(|change| replay.apply(change)),
            Err(_) => unread += 1,
        }
    }
    (replay.finish(), unread)
}
