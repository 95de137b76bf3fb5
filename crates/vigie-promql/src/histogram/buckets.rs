//! Buckets as pairs of index and count, sorted by index.

use super::Count;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Buckets<N = f64>(Vec<(i32, N)>);

impl<N> Default for Buckets<N> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<N: Count> Buckets<N> {
    /// Buckets in ascending order of their indexes.
    pub(crate) fn new(sorted: impl IntoIterator<Item = (i32, N)>) -> Self {
        Self(sorted.into_iter().collect())
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (i32, N)> + Clone {
        self.0.iter().copied()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    pub(super) fn map<M>(&self, change: impl Fn(N) -> M) -> Buckets<M> {
        let pairs = self.0.iter();
        Buckets(
            pairs
                .map(|&(index, count)| (index, change(count)))
                .collect(),
        )
    }

    /// Replaces the count of each bucket; `change` gets its index.
    pub(super) fn update(&mut self, mut change: impl FnMut(i32, N) -> N) {
        for (index, count) in &mut self.0 {
            *count = change(*index, *count);
        }
    }

    pub(super) fn compact(&mut self) {
        self.0.retain(|(_, count)| !count.is_zero());
    }

    /// The buckets with new indexes, which ascend as the old ones do; buckets with the same one are merged.
    pub(super) fn moved(&self, place: impl Fn(i32) -> i32) -> Self {
        let mut moved: Vec<(i32, N)> = Vec::with_capacity(self.0.len());
        for &(index, count) in &self.0 {
            let index = place(index);
            match moved.last_mut() {
                Some((last, known)) if *last == index => known.absorb(count),
                _ => moved.push((index, count)),
            }
        }
        Self(moved)
    }

    /// Adds `sign` times each bucket.
    pub(super) fn add(&mut self, other: impl Iterator<Item = (i32, f64)>, sign: f64) {
        let mut own = std::mem::take(&mut self.0).into_iter().peekable();
        for (index, count) in other {
            while let Some(before) = own.next_if(|(known, _)| *known < index) {
                self.0.push(before);
            }
            let known = own.next_if(|(known, _)| *known == index);
            let mut sum = known.map_or_else(N::default, |(_, count)| count);
            sum.add(sign * count);
            self.0.push((index, sum));
        }
        self.0.extend(own);
    }
}

impl Buckets {
    pub(super) fn same(&self, other: &Self) -> bool {
        let bits = |buckets: &Self| -> Vec<(i32, u64)> {
            let pairs = buckets.iter();
            pairs
                .map(|(index, count)| (index, count.to_bits()))
                .collect()
        };
        bits(self) == bits(other)
    }
}
