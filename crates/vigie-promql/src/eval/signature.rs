//! Which series have the same labels, or the same of some labels.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::labels::Labels;

/// Numbers label sets from 0 on; sets that agree in every label that `keep` accepts, and in whether their name is to go,
/// have the same number.
///
/// Nothing is allocated for a set that is known already.
pub(super) struct Signatures<K> {
    keep: K,
    known: HashTable<usize>,
    /// By number, the first set that had it.
    first: Vec<(Labels, bool)>,
    hasher: RandomState,
}

impl<K: Fn(&str) -> bool> Signatures<K> {
    pub(super) fn new(keep: K) -> Self {
        Self {
            keep,
            known: HashTable::new(),
            first: Vec::new(),
            hasher: RandomState::default(),
        }
    }

    /// How many different sets there were.
    pub(super) fn len(&self) -> usize {
        self.first.len()
    }

    /// The number of a set, a new one where it has none.
    pub(super) fn number(&mut self, labels: &Labels) -> usize {
        self.number_of(labels, false)
    }

    /// The same for a set whose name may be `nameless`, there until the end of the query only.
    pub(super) fn number_of(&mut self, labels: &Labels, nameless: bool) -> usize {
        let (keep, first, hasher) = (&self.keep, &mut self.first, &self.hasher);
        let hash = |labels: &Labels, nameless: bool| {
            let mut state = hasher.build_hasher();
            nameless.hash(&mut state);
            kept(labels, keep).for_each(|label| label.hash(&mut state));
            state.finish()
        };
        let same = |&number: &usize| {
            let (known, flag) = &first[number];
            *flag == nameless && kept(known, keep).eq(kept(labels, keep))
        };
        let hashed = hash(labels, nameless);
        if let Some(&number) = self.known.find(hashed, same) {
            return number;
        }
        let number = first.len();
        first.push((labels.clone(), nameless));
        let rehash = |&number: &usize| hash(&first[number].0, first[number].1);
        self.known.insert_unique(hashed, number, rehash);
        number
    }

    /// The labels that all sets of one number have.
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
        // Names and values do not run together.
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
