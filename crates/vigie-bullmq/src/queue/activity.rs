//! Whether a queue has changed since its jobs were counted.

use tokio::time::Instant;

/// Connects the task that follows a queue's stream with the task that counts its jobs.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    is_followed: bool,
    has_changed: bool,
    complete: Option<Instant>,
}

impl Activity {
    /// Records a change, or a possible one.
    pub(crate) fn changed(&mut self) {
        self.has_changed = true;
    }

    /// Sets whether all further changes will be recorded by [`Activity::changed`].
    pub(crate) fn follow(&mut self, is_followed: bool) {
        self.is_followed = is_followed;
    }

    pub(crate) fn is_followed(&self) -> bool {
        self.is_followed
    }

    /// Records that all events before `until` have been read and processed.
    pub(crate) fn complete(&mut self, until: Instant) {
        self.complete = Some(until);
    }

    /// Whether all events before `until` have been processed.
    pub(crate) fn is_complete(&self, until: Instant) -> bool {
        self.complete.is_some_and(|complete| until < complete)
    }

    /// Whether nothing has changed since the last call. Call it before counting the jobs, so that changes during the
    /// count are seen by the next call.
    pub(crate) fn was_quiet(&mut self) -> bool {
        let has_changed = std::mem::take(&mut self.has_changed);
        self.is_followed && !has_changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_followed_queue_without_changes_is_quiet() {
        let mut activity = Activity::default();
        assert!(!activity.was_quiet());
        activity.follow(true);
        assert!(activity.was_quiet());
        activity.changed();
        assert_eq!((activity.was_quiet(), activity.was_quiet()), (false, true));
        activity.follow(false);
        assert!(!activity.was_quiet());
    }
}
