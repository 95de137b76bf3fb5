//! The job names of one queue as label values, with a bounded number.
//!
//! A name that has one of the places (see `places`) has its own series; all others are counted as `other`. The series
//! of a name that loses its place are removed, and restart at 0 if it returns. Thus names used only once, for example
//! with a date in them, do not exclude others.

use hashbrown::HashMap;

use crate::events::places::{Merit, Places, Tenant};

/// A name, as its index in [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NameId(u32);

impl NameId {
    /// The id for an index, if it is in range.
    pub(crate) fn of(index: usize) -> Option<Self> {
        u32::try_from(index).ok().map(Self)
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Label of names without a place.
pub(crate) const OTHER: &str = "other";
/// Label of jobs that were removed before their name was read.
pub(crate) const UNKNOWN: &str = "unknown";
/// Maximum label length in bytes; longer names are truncated.
const LONGEST: usize = 128;
/// Names remembered per place.
const REMEMBERED: usize = 4;
/// When freeing numbers yields little, it is retried after this many names that could not be remembered.
const PATIENCE: u64 = 10_000;

struct NameEntry {
    /// Empty: the number is free.
    name: Box<str>,
    /// `None`: counted as `other`.
    place: Option<usize>,
    /// Number of jobs with this name.
    jobs: u64,
    /// Time of its last event, by the server's clock in milliseconds.
    last: u64,
    /// The last batch of entries that used it. Its number is not reused in the same batch.
    batch: u64,
}

pub(crate) struct Names {
    known: Vec<NameEntry>,
    ids: HashMap<Box<str>, NameId, foldhash::fast::RandomState>,
    /// Free numbers.
    free: Vec<NameId>,
    places: Places,
    max: usize,
    wanted: Option<Box<str>>,
    batch: u64,
    /// Jobs counted as `other`.
    folded: u64,
    /// Names that could not be remembered since numbers were last freed.
    missed: u64,
    /// The value of `missed` at which to free numbers again.
    patience: u64,
    /// Incremented when the places change.
    version: u64,
}

impl Names {
    /// Gives places to at most `max` names, and in addition to `wanted` and the two fixed labels.
    pub(crate) fn new(max: usize, wanted: Option<&str>) -> Self {
        Self {
            known: Vec::new(),
            ids: HashMap::default(),
            free: Vec::new(),
            places: Places::new(max),
            max,
            wanted: wanted.map(Box::from),
            batch: 0,
            folded: 0,
            missed: 0,
            patience: 0,
            version: 0,
        }
    }

    /// The labels, by place. The label of a reused place is replaced; the number of places never decreases.
    pub(crate) fn labels(&self) -> &[Box<str>] {
        self.places.labels()
    }

    /// The place of each name by number; `None`: counted as `other`.
    pub(crate) fn places(&self) -> impl Iterator<Item = Option<usize>> {
        self.known.iter().map(|known| known.place)
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The number of jobs counted as `other`.
    pub(crate) fn folded(&self) -> u64 {
        self.folded
    }

    /// The label under which a name is counted.
    pub(crate) fn label(&self, id: NameId) -> &str {
        let place = self.known.get(id.index()).and_then(|known| known.place);
        place.map_or(OTHER, |place| &self.labels()[place])
    }

    /// The most frequent names counted as `other`.
    pub(crate) fn most_folded(&self, most: usize) -> Vec<&str> {
        let folded = self.known.iter().filter(|known| known.place.is_none());
        let mut folded: Vec<_> = folded.filter(|known| !known.name.is_empty()).collect();
        folded.sort_by_key(|known| std::cmp::Reverse(known.jobs));
        folded.iter().take(most).map(|known| &*known.name).collect()
    }

    /// Starts a batch of entries: numbers used in the previous batch are only kept for jobs in flight.
    pub(crate) fn begin_batch(&mut self) {
        self.batch += 1;
    }

    /// The id of a job's name. `used` returns the names of all jobs in flight; it is called rarely, when numbers have
    /// to be freed.
    pub(crate) fn id<I: Iterator<Item = NameId>>(
        &mut self,
        name: &[u8],
        now: u64,
        used: impl FnOnce() -> I,
    ) -> NameId {
        let name = String::from_utf8_lossy(name);
        let label = &name[..name.floor_char_boundary(LONGEST)];
        match label {
            "" => return self.unknown(),
            OTHER | UNKNOWN => return self.reserved(label),
            _ => {}
        }
        let known = self.ids.get(label).copied();
        let id = match known {
            Some(id) => id,
            None => match self.remember(label, used) {
                Some(id) => id,
                None => {
                    self.folded += 1;
                    return self.reserved(OTHER);
                }
            },
        };
        let known = &mut self.known[id.index()];
        known.jobs += 1;
        (known.last, known.batch) = (now, self.batch);
        if known.place.is_none() {
            let merit = match known.jobs {
                _ if self.wanted.as_deref() == Some(label) => Merit::Wanted,
                1 => Merit::First,
                _ => Merit::Again,
            };
            self.place(id, merit, now);
        }
        if self.known[id.index()].place.is_none() {
            self.folded += 1;
            self.reserved(OTHER);
        }
        id
    }

    /// Marks a name as used in this batch, because a job in flight has it.
    pub(crate) fn touch(&mut self, id: NameId) {
        if let Some(known) = self.known.get_mut(id.index()) {
            known.batch = self.batch;
        }
    }

    /// Records that a job of this name failed or stalled.
    pub(crate) fn failed(&mut self, id: NameId, now: u64) {
        let Some(known) = self.known.get_mut(id.index()) else {
            return;
        };
        known.last = known.last.max(now);
        if known.place.is_none() {
            self.place(id, Merit::Failed, now);
        }
    }

    pub(crate) fn unknown(&mut self) -> NameId {
        self.reserved(UNKNOWN)
    }

    fn reserved(&mut self, label: &str) -> NameId {
        if let Some(id) = self.ids.get(label) {
            return *id;
        }
        let id = self.add(label);
        self.known[id.index()].place = Some(self.places.add_fixed(label));
        id
    }

    /// Assigns a number to a new name; `None`: all numbers are in use.
    fn remember<I: Iterator<Item = NameId>>(
        &mut self,
        label: &str,
        used: impl FnOnce() -> I,
    ) -> Option<NameId> {
        // Includes the two fixed labels.
        let most = self.max * REMEMBERED + 2;
        if self.free.is_empty() && self.known.len() >= most {
            self.missed += 1;
            if self.missed >= self.patience {
                self.free_numbers(used());
            }
            if self.free.is_empty() {
                return None;
            }
        }
        Some(self.add(label))
    }

    fn add(&mut self, label: &str) -> NameId {
        let known = NameEntry {
            name: label.into(),
            place: None,
            jobs: 0,
            last: 0,
            batch: self.batch,
        };
        let id = match self.free.pop() {
            Some(id) => id,
            // The number of names is far below 2^32.
            None => NameId(self.known.len() as u32),
        };
        match self.known.get_mut(id.index()) {
            Some(free) => *free = known,
            None => self.known.push(known),
        }
        self.ids.insert(label.into(), id);
        self.version += 1;
        id
    }

    /// Removes names that have no place and no job in flight.
    fn free_numbers(&mut self, used: impl Iterator<Item = NameId>) {
        used.for_each(|id| self.touch(id));
        for (at, known) in self.known.iter_mut().enumerate() {
            let is_used = known.place.is_some() || known.batch == self.batch;
            if !is_used && !known.name.is_empty() {
                self.ids.remove(&known.name);
                known.name = Box::default();
                self.free.extend(NameId::of(at));
            }
        }
        let few = self.free.len() * 4 < self.max;
        (self.missed, self.patience) = (0, if few { PATIENCE } else { 0 });
    }

    /// Gives a name a place, if one is available for its merit.
    fn place(&mut self, id: NameId, merit: Merit, now: u64) {
        let label = &*self.known[id.index()].name;
        let mut place = self.places.take_free(label, merit);
        if place.is_none() {
            let tenants = || tenants(&self.known, self.wanted.as_deref());
            let idle = self.places.take_idle(label, merit, now, tenants);
            if let Some(idle) = idle {
                self.known[idle.index].place = None;
                place = Some(idle.place);
            }
        }
        if place.is_some() {
            self.known[id.index()].place = place;
            self.version += 1;
        }
    }
}

/// The names that may lose their places.
fn tenants(known: &[NameEntry], wanted: Option<&str>) -> impl Iterator<Item = Tenant> {
    known.iter().enumerate().filter_map(move |(index, known)| {
        let name = &*known.name;
        let is_kept = [OTHER, UNKNOWN].contains(&name) || wanted == Some(name);
        known.place.filter(|_| !is_kept).map(|place| Tenant {
            index,
            place,
            jobs: known.jobs,
            last: known.last,
        })
    })
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
