//! The open sessions. A plain value, driven by the time.

use std::time::Duration;

use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

/// The most sessions; the one that was not used for the longest time gives its place to a new one.
const MOST: usize = 256;
/// The time after its last use at which a session ends.
pub(super) const IDLE: Duration = Duration::from_secs(12 * 3600);

/// The secret of a session, which is random.
pub(super) type Id = [u8; 32];

struct Session {
    id: Id,
    used: Instant,
}

/// The open sessions.
#[derive(Default)]
pub(super) struct Table(Vec<Session>);

impl Table {
    pub(super) fn open(&mut self, id: Id, now: Instant) {
        self.expire(now);
        if self.0.len() >= MOST {
            let oldest = self.0.iter().enumerate().min_by_key(|(_, one)| one.used);
            if let Some(at) = oldest.map(|(at, _)| at) {
                self.0.swap_remove(at);
            }
        }
        self.0.push(Session { id, used: now });
    }

    /// Whether the session is open. It is then used. The time does not depend on which bytes are equal.
    pub(super) fn contains(&mut self, id: &Id, now: Instant) -> bool {
        self.expire(now);
        match self.find(id).and_then(|at| self.0.get_mut(at)) {
            Some(session) => {
                session.used = now;
                true
            }
            None => false,
        }
    }

    pub(super) fn close(&mut self, id: &Id) {
        if let Some(at) = self.find(id) {
            self.0.swap_remove(at);
        }
    }

    fn find(&self, id: &Id) -> Option<usize> {
        let equal = |session: &Session| bool::from(session.id.ct_eq(id));
        // Every session is compared, also after one that is equal.
        self.0
            .iter()
            .enumerate()
            .fold(None, |found, (at, session)| match equal(session) {
                true => Some(at),
                false => found,
            })
    }

    fn expire(&mut self, now: Instant) {
        self.0
            .retain(|session| now.saturating_duration_since(session.used) < IDLE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> Id {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&number.to_le_bytes());
        id
    }

    #[test]
    fn a_session_ends_when_it_is_closed_or_not_used() {
        let (mut table, now) = (Table::default(), Instant::now());
        table.open(id(1), now);
        table.open(id(2), now);
        assert!(!table.contains(&id(3), now));
        let later = now + IDLE - Duration::from_secs(1);
        assert!(table.contains(&id(1), later));
        assert!(!table.contains(&id(2), now + IDLE));
        assert!(table.contains(&id(1), now + IDLE));
        table.close(&id(1));
        table.close(&id(9));
        assert!(!table.contains(&id(1), now + IDLE));
    }

    #[test]
    fn the_number_of_sessions_is_bounded() {
        let (mut table, now) = (Table::default(), Instant::now());
        let at = |second: usize| now + Duration::from_secs(second as u64);
        for second in 0..MOST {
            table.open(id(second), at(second));
        }
        assert!(table.contains(&id(0), at(MOST)));
        table.open(id(MOST), at(MOST));
        assert_eq!(table.0.len(), MOST);
        assert!(table.contains(&id(0), at(MOST)));
        assert!(!table.contains(&id(1), at(MOST)));
        assert!(table.contains(&id(MOST), at(MOST)));
    }
}
