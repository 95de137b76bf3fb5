//! The table of series: labels and unsealed samples.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use vigie_promql::{Labels, Matcher};

use super::head::Head;
use super::index::Index;

/// Refers to a series that samples can be appended to. It is never reused for another series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeriesRef {
    pub(crate) slot: u32,
    /// The number of earlier series in the slot.
    generation: u32,
}

/// One series.
pub(crate) struct Series {
    pub(crate) labels: Labels,
    /// The samples that are not in a block.
    pub(crate) head: Head,
    /// The last scrape with a sample of it.
    pub(crate) scrape: u64,
    hash: u64,
}

struct Slot {
    generation: u32,
    series: Option<Series>,
}

/// All series, indexed by labels.
pub(crate) struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_labels: HashTable<u32>,
    hasher: RandomState,
    index: Index,
    label_bytes: usize,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            by_labels: HashTable::new(),
            hasher: RandomState::default(),
            index: Index::new(),
            label_bytes: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_labels.len()
    }

    /// The approximate memory use without samples.
    pub(super) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>() + self.label_bytes
    }

    /// The series with these labels, which are sorted by name and have no empty values.
    pub(crate) fn find(&self, labels: &[(&str, &str)]) -> Option<SeriesRef> {
        let hash = self.hash(labels.iter().copied());
        let is_it = |&slot: &u32| {
            let series = self.slots[slot as usize].series.as_ref();
            series.is_some_and(|series| series.labels.iter().eq(labels.iter().copied()))
        };
        let slot = *self.by_labels.find(hash, is_it)?;
        Some(self.reference(slot))
    }

    /// Adds a series that [`find`](Self::find) does not find.
    pub(crate) fn insert(&mut self, labels: &[(&str, &str)]) -> SeriesRef {
        let hash = self.hash(labels.iter().copied());
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                series: None,
            });
            // The number of slots is limited by the maximum number of series.
            (self.slots.len() - 1) as u32
        });
        let series = Series {
            labels: self.index.insert(slot, labels),
            head: Head::default(),
            scrape: 0,
            hash,
        };
        self.label_bytes += label_bytes(&series.labels);
        let slots = &mut self.slots;
        slots[slot as usize].series = Some(series);
        let hash_of = |&slot: &u32| {
            slots[slot as usize]
                .series
                .as_ref()
                .map_or(0, |series| series.hash)
        };
        self.by_labels.insert_unique(hash, slot, hash_of);
        self.reference(slot)
    }

    pub(crate) fn get(&self, series: SeriesRef) -> Option<&Series> {
        let slot = self.slots.get(series.slot as usize)?;
        slot.series
            .as_ref()
            .filter(|_| slot.generation == series.generation)
    }

    pub(crate) fn get_mut(&mut self, series: SeriesRef) -> Option<&mut Series> {
        let slot = self.slots.get_mut(series.slot as usize)?;
        let same = slot.generation == series.generation;
        slot.series.as_mut().filter(|_| same)
    }

    /// The current series of a slot.
    pub(crate) fn in_slot(&self, slot: u32) -> Option<&Series> {
        self.slots.get(slot as usize)?.series.as_ref()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Series)> {
        let slots = (0_u32..).zip(&self.slots);
        slots.filter_map(|(at, slot)| Some((at, slot.series.as_ref()?)))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Series> {
        self.slots
            .iter_mut()
            .filter_map(|slot| slot.series.as_mut())
    }

    /// Removes each series for which `keep` returns `false`.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(u32, &Series) -> bool) {
        let before = self.free.len();
        for (at, slot) in (0_u32..).zip(&mut self.slots) {
            let removed = slot.series.take_if(|series| !keep(at, series));
            if let Some(series) = removed {
                slot.generation = slot.generation.wrapping_add(1);
                self.label_bytes -= label_bytes(&series.labels);
                self.free.push(at);
                let found = self.by_labels.find_entry(series.hash, |&slot| slot == at);
                if let Ok(entry) = found {
                    entry.remove();
                }
            }
        }
        if self.free.len() > before {
            let slots = &self.slots;
            self.index
                .retain(|slot| slots[slot as usize].series.is_some());
        }
    }

    /// The series that pass all matchers, by slot.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> Vec<SeriesRef> {
        let passes = |slot: &u32| {
            let labels = self.in_slot(*slot).map(|series| &series.labels);
            let matches = |matcher: &Matcher| {
                labels.is_some_and(|labels| matcher.matches(labels.get(matcher.name())))
            };
            matchers.iter().all(matches)
        };
        let slots = match self.index.candidates(matchers) {
            Some(candidates) => candidates.into_iter().filter(passes).collect(),
            None => self
                .iter()
                .map(|(slot, _)| slot)
                .filter(passes)
                .collect::<Vec<u32>>(),
        };
        slots.into_iter().map(|slot| self.reference(slot)).collect()
    }

    pub(crate) fn reference(&self, slot: u32) -> SeriesRef {
        SeriesRef {
            slot,
            generation: self.slots[slot as usize].generation,
        }
    }

    fn hash<'a>(&self, labels: impl Iterator<Item = (&'a str, &'a str)>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for (name, value) in labels {
            for text in [name, value] {
                hasher.write(text.as_bytes());
                // 0xff does not occur in UTF-8, so label sets cannot be confused.
                hasher.write_u8(0xff);
            }
        }
        hasher.finish()
    }
}

/// The approximate memory use of a series' labels and index entries; most texts are shared.
fn label_bytes(labels: &Labels) -> usize {
    let text: usize = labels.iter().map(|(_, value)| value.len() / 2).sum();
    64 + 48 * labels.len() + text
}
