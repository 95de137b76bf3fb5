//! The jobs in flight of one queue, stored in one word each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::events::names::NameId;
use crate::events::table::Table;

/// The limit on remembered jobs, shared by all queues.
#[derive(Clone)]
pub(crate) struct Room(Arc<Places>);

struct Places {
    taken: AtomicUsize,
    limit: usize,
}

impl Room {
    pub(crate) fn new(limit: usize) -> Self {
        let taken = AtomicUsize::new(0);
        Self(Arc::new(Places { taken, limit }))
    }

    /// Reserves room for a job of this stage, if there is any. A sixteenth is reserved for active jobs: they are few,
    /// and their outcomes matter more than wait times.
    fn take(&self, stage: Stage) -> bool {
        let limit = match stage {
            Stage::Active => self.0.limit,
            _ => self.0.limit - self.0.limit / 16,
        };
        let more = |taken| (taken < limit).then_some(taken + 1);
        self.0.taken.fetch_update(Relaxed, Relaxed, more).is_ok()
    }

    fn give_back(&self, places: usize) {
        self.0.taken.fetch_sub(places, Relaxed);
    }
}

/// The stage of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not ready to run, or unknown.
    NotReady,
    /// Ready to run.
    Ready,
    Active,
}

/// The stored state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) name: Option<NameId>,
    pub(crate) stage: Stage,
    /// When the job entered the stage, by the server's clock in milliseconds.
    pub(crate) since: u64,
}

/// Bits of a timestamp: 8,900 years.
const SINCE: u32 = 48;
/// Bits of a name; 0 means no name.
const NAME: u32 = 14;
/// The number of distinct names.
pub(crate) const NAMES: usize = (1 << NAME) - 1;

impl Job {
    /// Packs stage, name and time into a word, which is never 0.
    fn pack(self) -> u64 {
        let stage = match self.stage {
            Stage::NotReady => 1,
            Stage::Ready => 2,
            Stage::Active => 3,
        };
        let name = self.name.filter(|name| name.index() < NAMES);
        let name = name.map_or(0, |name| name.index() as u64 + 1);
        stage << (SINCE + NAME) | name << SINCE | self.since.min((1 << SINCE) - 1)
    }

    fn unpack(word: u64) -> Self {
        let name = (word >> SINCE) & ((1 << NAME) - 1);
        Self {
            name: name
                .checked_sub(1)
                .and_then(|name| NameId::of(name as usize)),
            stage: match word >> (SINCE + NAME) {
                1 => Stage::NotReady,
                2 => Stage::Ready,
                _ => Stage::Active,
            },
            since: word & ((1 << SINCE) - 1),
        }
    }
}

/// Jobs by the hash of their id. Once the limit is reached, new jobs are not stored: older jobs are the next to run.
pub(crate) struct Jobs {
    table: Table,
    room: Room,
}

impl Jobs {
    pub(crate) fn new(room: Room) -> Self {
        let table = Table::default();
        Self { table, room }
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn get(&self, key: u64) -> Option<Job> {
        self.table.get(key).map(Job::unpack)
    }

    /// Stores a job, if there is room.
    pub(crate) fn set(&mut self, key: u64, job: Job) {
        let word = job.pack();
        if !self.table.replace(key, word) && self.room.take(job.stage) {
            self.table.insert(key, word);
        }
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<Job> {
        let job = self.table.remove(key).map(Job::unpack)?;
        self.room.give_back(1);
        Some(job)
    }

    /// Replaces each job by the result of `change`; `None` removes it.
    pub(crate) fn rewrite(&mut self, mut change: impl FnMut(Job) -> Option<Job>) {
        let before = self.len();
        self.table
            .rewrite(|word| Some(change(Job::unpack(word))?.pack()));
        self.room.give_back(before - self.len());
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Job> {
        self.table.numbers().map(Job::unpack)
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.room.give_back(self.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn job(stage: Stage) -> Job {
        let (name, since) = (None, 7);
        Job { name, stage, since }
    }

    #[test]
    fn all_queues_share_the_room_and_the_last_of_it_is_for_jobs_that_run() {
        let room = Room::new(32);
        let (mut one, mut other) = (Jobs::new(room.clone()), Jobs::new(room));
        (0..20).for_each(|key| one.set(key, job(Stage::Ready)));
        (0..20).for_each(|key| other.set(key, job(Stage::NotReady)));
        assert_eq!((one.len(), other.len()), (20, 10));
        (90..99).for_each(|key| other.set(key, job(Stage::Active)));
        assert_eq!(other.len(), 12);
        // An existing job keeps its room.
        one.set(3, job(Stage::Active));
        assert_eq!(one.get(3), Some(job(Stage::Active)));
        one.remove(3);
        one.rewrite(|_| None);
        drop(one);
        (90..190).for_each(|key| other.set(key, job(Stage::Active)));
        assert_eq!(other.len(), 32);
    }

    proptest! {
        #[test]
        fn a_word_holds_it_all(name in 0usize..NAMES, since in 0u64..1 << SINCE, stage in 0usize..3) {
            let stage = [Stage::NotReady, Stage::Ready, Stage::Active][stage];
            for name in [NameId::of(name), None] {
                let job = Job { name, stage, since };
                prop_assert_eq!(Job::unpack(job.pack()), job);
            }
        }

        #[test]
        fn a_time_past_all_time_is_taken(since: u64) {
            let word = Job { since, ..job(Stage::Active) }.pack();
            prop_assert!(Job::unpack(word).since <= since);
        }
    }
}
