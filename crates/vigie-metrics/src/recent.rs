//! The series that a thread has recorded into, so that recording again takes no lock.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Arc;

use hashbrown::HashTable;

/// A thread forgets all series when it knows so many, so that it holds few that were removed.
const MOST: usize = 1_024;

thread_local! {
    static RECENT: RefCell<HashTable<Entry>> = const { RefCell::new(HashTable::new()) };
}

/// Identifies the series of a family between two removals of series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edition {
    /// The number of the family.
    pub(crate) family: u64,
    /// Increases when series are removed.
    pub(crate) generation: u64,
}

struct Entry {
    edition: Edition,
    hash: u64,
    series: Arc<dyn Any + Send + Sync>,
}

/// Calls `found` with the series that this thread knows by this hash and that `is_it` accepts. Returns whether there is one.
#[inline]
pub(crate) fn with<S: Any>(
    edition: Edition,
    hash: u64,
    is_it: impl Fn(&S) -> bool,
    found: impl FnOnce(&S),
) -> bool {
    let look_up = |recent: &RefCell<HashTable<Entry>>| {
        let recent = recent.borrow();
        let same = |entry: &Entry| {
            entry.hash == hash
                && entry.edition == edition
                && entry.series.downcast_ref().is_some_and(&is_it)
        };
        let entry = recent.find(hash, same);
        match entry.and_then(|entry| entry.series.downcast_ref()) {
            Some(series) => {
                found(series);
                true
            }
            None => false,
        }
    };
    // A thread that ends has no table any more.
    RECENT.try_with(look_up).unwrap_or(false)
}

/// Remembers a series.
pub(crate) fn remember<S: Any + Send + Sync>(edition: Edition, hash: u64, series: Arc<S>) {
    let _ = RECENT.try_with(|recent| {
        let mut recent = recent.borrow_mut();
        if recent.len() >= MOST {
            recent.clear();
        }
        let entry = Entry {
            edition,
            hash,
            series,
        };
        recent.insert_unique(hash, entry, |entry| entry.hash);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knows(edition: Edition, hash: u64, value: u32) -> bool {
        let mut passed = None;
        let known = with(
            edition,
            hash,
            |it: &u32| *it == value,
            |it| passed = Some(*it),
        );
        assert_eq!(passed, known.then_some(value));
        known
    }

    #[test]
    fn a_series_is_known_by_its_edition_and_itself() {
        let edition = Edition {
            family: u64::MAX,
            generation: 1,
        };
        let later = Edition {
            generation: 2,
            ..edition
        };
        remember(edition, 7, Arc::new(1_u32));
        remember(edition, 7, Arc::new(2_u32));
        remember(edition, 7, Arc::new("another type"));
        assert!(knows(edition, 7, 1) && knows(edition, 7, 2));
        assert!(!knows(edition, 7, 3) && !knows(edition, 8, 1) && !knows(later, 7, 1));
    }

    #[test]
    fn the_number_of_series_is_bounded() {
        let edition = Edition {
            family: u64::MAX - 1,
            generation: 0,
        };
        let one = Arc::new(0_u32);
        for hash in 0..10 * MOST as u64 {
            remember(edition, hash, Arc::clone(&one));
            assert!(knows(edition, hash, 0));
        }
        assert!(Arc::strong_count(&one) <= MOST + 1);
    }
}
