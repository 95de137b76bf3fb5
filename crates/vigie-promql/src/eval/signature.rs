//! Which series have the same labels, or the same of some labels.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::labels::Labels;

/// Numbers label sets from 0 on; sets that agree in every label that `keep` accepts have the same number.
///
/// Nothing is allocated for a set that is known already.
pub(super) struct Signatures<K> {
    keep: K,
    known: HashTable<usize>,
    /// By number, the first set that had it.
    first: Vec<Labels>,
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
        let (keep, first, hasher) = (&self.keep, &mut self.first, &self.hasher);
        let hash = |labels: &Labels| {
            let mut state = hasher.build_hasher();
            kept(labels, keep).for_each(|label| label.hash(&mut state));
            state.finish()
        };
        let same = |&number: &usize| kept(&first[number], keep).eq(kept(labels, keep));
        if let Some(&number) = self.known.find(hash(labels), same) {
            return number;
        }
        let number = first.len();
        first.push(labels.clone());
        let known = &mut self.known;
        known.insert_unique(hash(labels), number, |&number| hash(&first[number]));
        number
    }

    /// The labels that all sets of one number have.
    pub(super) fn labels(&self, number: usize) -> Labels {
        self.first[number].filter(&self.keep)
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
