//! Whether a queue has changed since its jobs were counted.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use parking_lot::Mutex;
use tokio::time::Instant;

/// Shared by the follower of a queue's stream and the task that counts its jobs.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    followed: AtomicBool,
    changed: AtomicBool,
    complete: Mutex<Option<Instant>>,
}

impl Activity {
    /// Records a change, or a possible one.
    pub(crate) fn changed(&self) {
        self.changed.store(true, SeqCst);
    }

    /// Sets whether all further changes will be recorded by [`Activity::changed`].
    pub(crate) fn follow(&self, followed: bool) {
        self.followed.store(followed, SeqCst);
    }

    pub(crate) fn is_followed(&self) -> bool {
        self.followed.load(SeqCst)
    }

    /// Records that all events before `until` have been read and processed.
    pub(crate) fn complete(&self, until: Instant) {
        *self.complete.lock() = Some(until);
    }

    /// Whether all events before `until` have been processed.
    pub(crate) fn is_complete(&self, until: Instant) -> bool {
        self.complete
            .lock()
            .is_some_and(|complete| until < complete)
    }

    /// Whether nothing has changed since the last call. Call it before counting the jobs, so that changes during the
    /// count are seen by the next call.
    pub(crate) fn was_quiet(&self) -> bool {
        let changed = self.changed.swap(false, SeqCst);
        self.is_followed() && !changed
    }
}
