//! A map that forgets its oldest entries.

use hashbrown::HashMap;

/// Grown beyond this, an emptied map gives its memory back.
const KEPT_CAPACITY: usize = 1024;

/// A map of at most `limit` entries. When it is full the older half goes at once, so that nothing has to
/// keep the order of every entry.
pub(crate) struct Recent<T> {
    young: Half<T>,
    old: Half<T>,
    half: usize,
}

/// The keys are hashes already, but a stranger chose what was hashed: hash again, with a secret.
type Half<T> = HashMap<u64, T, foldhash::fast::RandomState>;

impl<T> Recent<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            young: Half::default(),
            old: Half::default(),
            half: (limit / 2).max(1),
        }
    }

    pub(crate) fn insert(&mut self, key: u64, value: T) {
        self.old.remove(&key);
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(key, value);
    }

    pub(crate) fn get(&self, key: u64) -> Option<&T> {
        self.young.get(&key).or_else(|| self.old.get(&key))
    }

    pub(crate) fn each_mut(&mut self, change: impl FnMut(&mut T)) {
        let old = self.old.values_mut();
        old.chain(self.young.values_mut()).for_each(change);
    }

    pub(crate) fn get_mut(&mut self, key: u64) -> Option<&mut T> {
        self.young.get_mut(&key).or_else(|| self.old.get_mut(&key))
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<T> {
        for half in [&mut self.young, &mut self.old] {
            if let Some(value) = half.remove(&key) {
                if half.is_empty() && half.capacity() > KEPT_CAPACITY {
                    half.shrink_to(KEPT_CAPACITY);
                }
                return Some(value);
            }
        }
        None
    }

    /// Takes everything out.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (u64, T)> + use<T> {
        let old = std::mem::take(&mut self.old).into_iter();
        old.chain(std::mem::take(&mut self.young))
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_first_and_the_limit_holds() {
        let mut map = Recent::new(100);
        for key in 0..1_000 {
            map.insert(key, key);
            assert!(map.len() <= 100);
        }
        assert_eq!(map.remove(999), Some(999));
        assert_eq!(map.remove(999), None);
        assert_eq!(map.get_mut(960), Some(&mut 960));
        assert_eq!(map.get_mut(10), None);
        map.insert(960, 1);
        assert_eq!(map.remove(960), Some(1));
        let left = map.len();
        assert_eq!((map.drain().count(), map.len()), (left, 0));
    }
}
