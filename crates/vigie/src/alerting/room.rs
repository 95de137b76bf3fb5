//! The bound of the alerts of all groups together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A rule with fewer alerts may take the reserved places.
const FEW: usize = 10;

/// The places for alerts with this setting of `alerts.max_alerts`. Those beyond it are reserved for rules with few alerts, so that
/// one rule with very many does not displace the others.
pub(crate) fn places(max_alerts: usize) -> usize {
    max_alerts.saturating_add(max_alerts / 20)
}

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

    /// Takes the place of one more alert of a rule that has `of_rule`; `false` if there is none left.
    pub(super) fn take(&self, of_rule: usize) -> bool {
        let most = match of_rule < FEW {
            true => places(self.most),
            false => self.most,
        };
        let next = |taken| (taken < most).then_some(taken + 1);
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
        places(self.most).saturating_sub(self.taken.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_places() {
        let room = Room::new(2);
        let other = room.clone();
        assert!(room.take(0) && other.take(0));
        assert!(!room.take(0) && !other.take(0));
        room.replace(2, 1);
        assert_eq!(other.left(), 1);
        other.replace(0, 5);
        assert_eq!((room.left(), room.take(0)), (0, false));
    }

    #[test]
    fn a_rule_with_many_alerts_leaves_room_for_others() {
        let room = Room::new(20);
        let taken = (0..50).filter(|count| room.take(*count)).count();
        assert_eq!(taken, 20);
        assert!(!room.take(FEW));
        assert!(room.take(0), "the reserved place");
        assert!(!room.take(1));
    }
}
