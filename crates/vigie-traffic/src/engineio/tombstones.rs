//! Which sessions closed lately: a late answer must not bring one back.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::sessions::Sid;

/// Closed sessions, for a while and up to a number.
#[derive(Debug)]
pub(super) struct Tombstones {
    max: usize,
    ttl: Duration,
    closed: HashMap<Sid, Duration>,
    /// Oldest first. What was taken back stays here until its turn comes.
    order: VecDeque<(Duration, Sid)>,
}

impl Tombstones {
    pub(super) fn new(max: usize, ttl: Duration) -> Self {
        Self {
            max: max.max(1),
            ttl,
            closed: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// When the session closed, if it is remembered.
    pub(super) fn get(&self, sid: &Sid) -> Option<Duration> {
        self.closed.get(sid).copied()
    }

    pub(super) fn insert(&mut self, now: Duration, sid: Sid) {
        if self.order.len() >= self.max {
            self.forget_oldest();
        }
        self.order.push_back((now, sid.clone()));
        self.closed.insert(sid, now);
    }

    pub(super) fn remove(&mut self, sid: &Sid) {
        self.closed.remove(sid);
    }

    pub(super) fn expire(&mut self, now: Duration) {
        while let Some((closed, _)) = self.order.front()
            && closed.saturating_add(self.ttl) <= now
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((closed, sid)) = self.order.pop_front()
            && self.closed.get(&sid) == Some(&closed)
        {
            self.closed.remove(&sid);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        (self.closed.len(), self.order.len())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn remembers_for_a_while_and_up_to_a_number() {
        let sid = |n: u32| Sid::new(&n.to_string()).unwrap();
        let at = Duration::from_secs;
        let mut tombstones = Tombstones::new(3, at(10));
        for n in 0..5 {
            tombstones.insert(at(n.into()), sid(n));
        }
        assert_eq!(tombstones.len(), (3, 3));
        assert_eq!(tombstones.get(&sid(1)), None);
        assert_eq!(tombstones.get(&sid(2)), Some(at(2)));
        tombstones.remove(&sid(2));
        tombstones.insert(at(5), sid(2));
        assert_eq!(
            tombstones.get(&sid(2)),
            Some(at(5)),
            "its first entry in the order is void"
        );
        tombstones.expire(at(14));
        assert_eq!(tombstones.len(), (1, 1));
        tombstones.expire(at(15));
        assert_eq!(tombstones.len(), (0, 0));
    }
}
