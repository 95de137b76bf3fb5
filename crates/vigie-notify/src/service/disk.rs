//! When the state is written, and the failures of the disk.

use std::time::Duration;

use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout};

use super::handle::Handle;
use super::journal::{Journal, JournalError, Write};

/// Changes within this time are written together, unless a message or a caller waits for them.
const TOGETHER: Duration = Duration::from_millis(200);
/// How often new values of alerts are written, if nothing else changes.
const REFRESH: Duration = Duration::from_secs(60);
/// How long messages wait for the disk. Then they are sent nevertheless.
pub(super) const WITHIN: Duration = Duration::from_secs(5);
/// The wait after a failed write.
const AGAIN: Duration = Duration::from_secs(10);

type Written = (Box<Journal>, Result<(), JournalError>);

/// The state on disk, or none.
pub(super) struct Disk {
    /// `None` in memory only, or while it is written.
    journal: Option<Box<Journal>>,
    writing: Option<JoinHandle<Written>>,
    /// True at the start, since the configuration may number groups otherwise, and after a failed write, which loses changes.
    needs_all: bool,
    is_failing: bool,
    not_before: Option<Instant>,
    changed: Option<Instant>,
    refreshed: Instant,
}

impl Disk {
    pub(super) fn new(journal: Option<Journal>) -> Self {
        Self {
            journal: journal.map(Box::new),
            writing: None,
            needs_all: true,
            is_failing: false,
            not_before: None,
            changed: None,
            refreshed: Instant::now(),
        }
    }

    /// The time at which to write the state; `None` if it is unchanged. It is now if a caller or a message waits for the write.
    pub(super) fn due(&mut self, handle: &Handle, is_urgent: bool) -> Option<Instant> {
        let (changed, refreshed) =
            handle.read(|dispatcher, _| (dispatcher.is_changed(), dispatcher.is_refreshed()));
        let now = Instant::now();
        if handle.is_awaited() || (is_urgent && changed) {
            return Some(now);
        }
        let due = if changed {
            Some(*self.changed.get_or_insert(now) + TOGETHER)
        } else if refreshed {
            Some(self.refreshed + REFRESH)
        } else if self.is_failing {
            Some(now)
        } else {
            None
        };
        due.max(self.not_before.filter(|_| due.is_some()))
    }

    /// Writes the changes. Returns when they are on disk or that failed, at the latest after 5 seconds.
    pub(super) async fn write(&mut self, handle: &Handle) {
        let request = handle.requested();
        // A disk that does not answer delays messages only now and then.
        let may_wait = self.may_write();
        let ready = |writing: &mut JoinHandle<Written>| may_wait || writing.is_finished();
        if let Some(writing) = self.writing.take_if(ready) {
            self.wait(writing).await;
        }
        let may_write = self.may_write();
        if let Some(mut journal) = self.journal.take_if(|_| may_write) {
            let all = handle.take_replaced() || self.needs_all || journal.wants_all();
            let write = handle.update(|dispatcher, _| {
                let changes = dispatcher.take_changes();
                match all {
                    true => Write::All(Box::new(dispatcher.save())),
                    false => Write::Changes(changes),
                }
            });
            self.changed = None;
            self.refreshed = Instant::now();
            let writing = spawn_blocking(move || {
                let result = journal.write(write);
                (journal, result)
            });
            self.wait(writing).await;
        } else if self.writing.is_none() && self.journal.is_none() {
            // In memory only.
            handle.update(|dispatcher, _| drop(dispatcher.take_changes()));
            self.changed = None;
            self.refreshed = Instant::now();
        }
        handle.set_saved(request);
    }

    fn may_write(&self) -> bool {
        self.not_before.is_none_or(|time| time <= Instant::now())
    }

    async fn wait(&mut self, mut writing: JoinHandle<Written>) {
        match timeout(WITHIN, &mut writing).await {
            Ok(written) => self.written(written),
            Err(_) => {
                self.failed(&"the disk does not answer");
                self.writing = Some(writing);
            }
        }
    }

    fn written(&mut self, written: Result<Written, JoinError>) {
        let result = match written {
            Ok((journal, result)) => {
                self.journal = Some(journal);
                result
            }
            Err(error) => {
                tracing::error!(%error, "the state of notifications is no longer saved");
                return;
            }
        };
        match result {
            Ok(()) => {
                self.needs_all = false;
                self.not_before = None;
                if std::mem::take(&mut self.is_failing) {
                    tracing::info!("the state of notifications is saved again");
                }
            }
            Err(error) => {
                self.needs_all = true;
                self.failed(&error);
            }
        }
    }

    fn failed(&mut self, error: &dyn std::fmt::Display) {
        self.not_before = Some(Instant::now() + AGAIN);
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::error!(
                %error,
                "the state of notifications cannot be saved; messages are sent nevertheless, and Vigie retries"
            );
        }
    }
}
