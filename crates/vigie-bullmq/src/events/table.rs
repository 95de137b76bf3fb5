//! A compact hash table of integers.
//!
//! Open addressing with linear probing, without tombstones: a removal moves later entries up (Knuth, volume 3, section
//! 6.4, algorithm R). The load factor therefore reflects the actual entries.

/// Minimum number of slots.
const LEAST: usize = 4;

/// Maps keys, which must be hashes with a secret seed, to non-zero numbers.
///
/// Doubles at three quarters full and halves below a quarter. With 16 bytes per slot, this takes 21 to 64 bytes per
/// entry, and at most 64 bytes per entry of the maximum length, including the copy during a resize.
#[derive(Default)]
pub(crate) struct Table {
    /// The length is a power of two, or 0.
    slots: Vec<[u64; 2]>,
    len: usize,
}

impl Table {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, key: u64) -> Option<u64> {
        let at = self.find(key).ok()?;
        Some(self.slots[at][1])
    }

    /// Sets the number of an existing key. Returns whether the key exists.
    pub(crate) fn replace(&mut self, key: u64, number: u64) -> bool {
        debug_assert!(number != 0);
        let found = self.find(key);
        if let Ok(at) = found {
            self.slots[at][1] = number;
        }
        found.is_ok()
    }

    /// Sets the number of a new key.
    pub(crate) fn insert(&mut self, key: u64, number: u64) {
        debug_assert!(number != 0 && self.find(key).is_err());
        if self.len >= self.slots.len() / 4 * 3 {
            self.resize((2 * self.slots.len()).max(LEAST));
        }
        self.add([key, number]);
        self.len += 1;
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<u64> {
        let mut hole = self.find(key).ok()?;
        let number = self.slots[hole][1];
        let mask = self.slots.len() - 1;
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let [key, number] = self.slots[at];
            if number == 0 {
                break;
            }
            // The entry may move to the hole unless the hole is before its home slot.
            let from_home = at.wrapping_sub(self.home(key)) & mask;
            if from_home >= at.wrapping_sub(hole) & mask {
                self.slots[hole] = [key, number];
                hole = at;
            }
        }
        self.slots[hole] = [0; 2];
        self.len -= 1;
        self.fit();
        Some(number)
    }

    /// Replaces each number by the result of `change`; `None` removes it.
    pub(crate) fn rewrite(&mut self, mut change: impl FnMut(u64) -> Option<u64>) {
        let mut removed = 0;
        for [_, number] in &mut self.slots {
            if *number != 0 {
                *number = change(*number).unwrap_or(0);
                removed += usize::from(*number == 0);
            }
        }
        if removed > 0 {
            self.len -= removed;
            // Rehash: entries behind the holes would not be found.
            self.resize(fitting(self.len).min(self.slots.len()));
        }
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> {
        let numbers = self.slots.iter().map(|[_, number]| *number);
        numbers.filter(|number| *number != 0)
    }

    /// `Ok`: the slot of the key; `Err`: the slot in which to insert it.
    fn find(&self, key: u64) -> Result<usize, usize> {
        if self.slots.is_empty() {
            return Err(0);
        }
        let mask = self.slots.len() - 1;
        let mut at = self.home(key);
        loop {
            match self.slots[at] {
                [_, 0] => return Err(at),
                [found, _] if found == key => return Ok(at),
                _ => at = (at + 1) & mask,
            }
        }
    }

    fn home(&self, key: u64) -> usize {
        // The mask keeps only low bits, so that truncation to `usize` is harmless.
        key as usize & (self.slots.len() - 1)
    }

    /// Inserts a new key when a slot is free.
    fn add(&mut self, slot: [u64; 2]) {
        if let Err(at) = self.find(slot[0]) {
            self.slots[at] = slot;
        }
    }

    fn fit(&mut self) {
        if self.len < self.slots.len() / 4 || self.len == 0 {
            self.resize(fitting(self.len));
        }
    }

    fn resize(&mut self, slots: usize) {
        let old = std::mem::replace(&mut self.slots, vec![[0; 2]; slots]);
        for slot in old {
            if slot[1] != 0 {
                self.add(slot);
            }
        }
    }
}

/// The number of slots for a table about half full.
fn fitting(len: usize) -> usize {
    match len {
        0 => 0,
        len => (2 * len).next_power_of_two().max(LEAST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn load_factor_is_bounded() {
        let mut table = Table::default();
        let spread = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for n in 1..=100_000 {
            table.insert(spread(n), n);
            let slots = table.slots.len();
            assert!(4 * table.len() <= 3 * slots && 4 * table.len() >= slots);
        }
        for n in 1..=100_000 {
            assert_eq!(table.remove(spread(n)), Some(n));
            let slots = table.slots.len();
            assert!(4 * table.len() >= slots || slots == LEAST, "{slots}");
        }
        assert_eq!(table.slots.capacity(), 0);
    }

    proptest! {
        /// Behaves like the standard map, including with keys that collide.
        #[test]
        fn is_a_map(steps in prop::collection::vec((0u8..8, 0u64..24, 1u64..1_000), 0..400)) {
            let mut table = Table::default();
            let mut map = HashMap::new();
            for (what, key, number) in steps {
                let key = (key << 32) | (key % 5);
                match what {
                    0..4 => {
                        if !table.replace(key, number) {
                            table.insert(key, number);
                        }
                        map.insert(key, number);
                    }
                    4..7 => prop_assert_eq!(table.remove(key), map.remove(&key)),
                    _ => {
                        let keep = |n: u64| (!n.is_multiple_of(3)).then_some(n + 1);
                        table.rewrite(keep);
                        map = map.into_iter().filter_map(|(key, n)| Some((key, keep(n)?))).collect();
                    }
                }
                prop_assert_eq!(table.get(key), map.get(&key).copied());
                prop_assert_eq!(table.len(), map.len());
                prop_assert_eq!(table.numbers().sum::<u64>(), map.values().sum::<u64>());
            }
            for (key, number) in map {
                prop_assert_eq!(table.get(key), Some(number));
            }
        }
    }
}
