//! Whether something happened in a queue since its jobs were counted.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use parking_lot::Mutex;
use tokio::time::Instant;

/// What the follower of a queue's stream tells the one who counts its jobs.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    followed: AtomicBool,
    changed: AtomicBool,
    complete: Mutex<Option<Instant>>,
}

impl Activity {
    /// Something happened, or may have.
    pub(crate) fn changed(&self) {
        self.changed.store(true, SeqCst);
    }

    /// Whether whatever happens from now on will be told by [`Activity::changed`]. What came before has been.
    pub(crate) fn follow(&self, followed: bool) {
        self.followed.store(followed, SeqCst);
    }

    pub(crate) fn is_followed(&self) -> bool {
        self.followed.load(SeqCst)
    }

    /// All that had happened by then was read, and taken into account.
    pub(crate) fn complete(&self, until: Instant) {
        *self.complete.lock() = Some(until);
    }

    /// Whether all that had happened by then is known.
    pub(crate) fn is_complete(&self, until: Instant) -> bool {
        self.complete
            .lock()
            .is_some_and(|complete| until < complete)
    }

    /// Whether nothing happened since this was last asked. To be asked before the jobs are counted: what
    /// happens meanwhile is then told the next time.
    pub(crate) fn was_quiet(&self) -> bool {
        let changed = self.changed.swap(false, SeqCst);
        self.is_followed() && !changed
    }
}
