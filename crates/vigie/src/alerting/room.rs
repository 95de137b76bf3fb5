//! The bound of the alerts of all groups together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Counts the alerts of all groups. Clones share the count.
#[derive(Clone, Debug)]
pub(super) struct Room {
    most: usize,
    taken: Arc<AtomicUsize>,
}

impl Room {
    /// Room for so many alerts.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            taken: Arc::default(),
        }
    }

    /// Takes the place of an alert; `false` if there is none left.
    pub(super) fn take(&self) -> bool {
        let next = |taken| (taken < self.most).then_some(taken + 1);
        self.taken.fetch_update(Relaxed, Relaxed, next).is_ok()
    }

    /// Counts `after` alerts in place of `before`.
    pub(super) fn replace(&self, before: usize, after: usize) {
        let next = |taken: usize| Some(taken.saturating_sub(before).saturating_add(after));
        // It always gives a number.
        let _ = self.taken.fetch_update(Relaxed, Relaxed, next);
    }

    /// Counts so many alerts of all groups.
    pub(super) fn set(&self, alerts: usize) {
        self.taken.store(alerts, Relaxed);
    }

    /// The number of places left.
    pub(super) fn left(&self) -> usize {
        self.most.saturating_sub(self.taken.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_places() {
        let room = Room::new(2);
        let other = room.clone();
        assert!(room.take() && other.take());
        assert!(!room.take() && !other.take());
        room.replace(2, 1);
        assert_eq!(other.left(), 1);
        other.replace(0, 5);
        assert_eq!((room.left(), room.take()), (0, false));
    }
}
