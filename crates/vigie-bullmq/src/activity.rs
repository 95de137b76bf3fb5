//! Whether something happened in a queue since its jobs were counted.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// What the follower of a queue's stream tells the one who counts its jobs.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    followed: AtomicBool,
    changed: AtomicBool,
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

    /// Whether nothing happened since this was last asked. To be asked before the jobs are counted: what
    /// happens meanwhile is then told the next time.
    pub(crate) fn was_quiet(&self) -> bool {
        let changed = self.changed.swap(false, SeqCst);
        self.is_followed() && !changed
    }
}
