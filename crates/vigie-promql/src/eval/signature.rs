//! Grouping of label sets by equality of all or some labels.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::labels::Labels;

/// Numbers label sets from 0. Sets get the same number if they agree in every label that `keep` accepts and in whether
/// their name is to be dropped.
///
/// A set seen before causes no allocation.
pub(super) struct Signatures<K> {
    keep: K,
    numbers: HashTable<usize>,
    /// The first set of each number.
    first: Vec<(Labels, bool)>,
    hasher: RandomState,
}

impl<K: Fn(&str) -> bool> Signatures<K> {
    pub(super) fn new(keep: K) -> Self {
        Self {
            keep,
            numbers: HashTable::new(),
            first: Vec::new(),
            hasher: RandomState::default(),
        }
    }

    /// The number of distinct sets.
    pub(super) fn len(&self) -> usize {
        self.first.len()
    }

    /// Returns the number of a set; assigns the next one to a new set.
    pub(super) fn number(&mut self, labels: &Labels) -> usize {
        self.number_of(labels, false)
    }

    /// As [`number`](Self::number), for a set whose name is dropped at the end of the query if `drops_name`.
    pub(super) fn number_of(&mut self, labels: &Labels, drops_name: bool) -> usize {
        let (keep, first, hasher) = (&self.keep, &mut self.first, &self.hasher);
        let hash = |labels: &Labels, drops_name: bool| {
            let mut state = hasher.build_hasher();
            drops_name.hash(&mut state);
            kept(labels, keep).for_each(|label| label.hash(&mut state));
            state.finish()
        };
        let same = |&number: &usize| {
            let (stored, stored_drops) = &first[number];
            *stored_drops == drops_name && kept(stored, keep).eq(kept(labels, keep))
        };
        let hashed = hash(labels, drops_name);
        if let Some(&number) = self.numbers.find(hashed, same) {
            return number;
        }
        let number = first.len();
        first.push((labels.clone(), drops_name));
        let rehash = |&number: &usize| hash(&first[number].0, first[number].1);
        self.numbers.insert_unique(hashed, number, rehash);
        number
    }

    /// The labels common to all sets of a number.
    pub(super) fn labels(&self, number: usize) -> Labels {
        self.first[number].0.filter(&self.keep)
    }
}

fn kept<'l, K: Fn(&str) -> bool>(
    labels: &'l Labels,
    keep: &K,
) -> impl Iterator<Item = (&'l str, &'l str)> {
    labels.iter().filter(move |(name, _)| keep(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_numbered_by_what_is_kept() {
        let mut signatures = Signatures::new(|name: &str| name != "b");
        let set = |pairs: &[(&str, &str)]| Labels::new(pairs.iter().map(|&(n, v)| (n, v)));
        assert_eq!(signatures.number(&set(&[("a", "1"), ("b", "2")])), 0);
        assert_eq!(signatures.number(&set(&[("a", "2")])), 1);
        assert_eq!(signatures.number(&set(&[("a", "1"), ("b", "3")])), 0);
        assert_eq!(signatures.number(&set(&[("a", "1"), ("c", "3")])), 2);
        assert_eq!(signatures.number(&set(&[])), 3);
        assert_eq!(
            (signatures.len(), signatures.labels(0)),
            (4, set(&[("a", "1")]))
        );
        // A name and its value are hashed separately.
        assert_eq!(signatures.number(&set(&[("a", "1c"), ("c", "")])), 4);
        for many in 0..1000 {
            assert_eq!(
                signatures.number(&set(&[("n", &many.to_string())])),
                5 + many
            );
        }
        assert_eq!(signatures.number(&set(&[("n", "500")])), 505);
    }
}
