//! All series: their labels, and the samples that are not sealed yet.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use vigie_promql::{Labels, Matcher};

use super::head::Head;
use super::index::Index;

/// A series that samples can be appended to. It never comes to mean another series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeriesRef {
    pub(crate) slot: u32,
    /// How many series were in the slot before.
    generation: u32,
}

/// One series.
pub(crate) struct Series {
    pub(crate) labels: Labels,
    /// The samples that are not in a block.
    pub(crate) head: Head,
    /// The last scrape that had a sample of it.
    pub(crate) scrape: u64,
    hash: u64,
}

struct Slot {
    generation: u32,
    series: Option<Series>,
}

/// All series, found by their labels.
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

    /// About how much memory the series take without their samples.
    pub(super) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>() + self.label_bytes
    }

    /// The series of these labels, which are sorted by name, without an empty value.
    pub(crate) fn find(&self, labels: &[(&str, &str)]) -> Option<SeriesRef> {
        let hash = self.hash(labels.iter().copied());
        let is_it = |&slot: &u32| {
            let series = self.slots[slot as usize].series.as_ref();
            series.is_some_and(|series| series.labels.iter().eq(labels.iter().copied()))
        };
        let slot = *self.by_labels.find(hash, is_it)?;
        Some(self.reference(slot))
    }

    /// Adds a series of which [`find`](Self::find) knows nothing.
    pub(crate) fn insert(&mut self, labels: &[(&str, &str)]) -> SeriesRef {
        let hash = self.hash(labels.iter().copied());
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                series: None,
            });
            // More than the bound of series there are never.
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

    /// What is in a slot now.
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

    /// Removes every series for which `keep` says no.
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

    /// The series that pass every matcher, by slot.
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
                // 0xff is in no UTF-8 text, so that no two label sets run together.
                hasher.write_u8(0xff);
            }
        }
        hasher.finish()
    }
}

/// About what a series' labels and their places in the index take; most of the texts are shared with others.
fn label_bytes(labels: &Labels) -> usize {
    let text: usize = labels.iter().map(|(_, value)| value.len() / 2).sum();
    64 + 48 * labels.len() + text
}
