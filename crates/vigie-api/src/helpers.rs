//! The threads that help the large queries, at most one for each further processor.

use std::num::NonZero;
use std::thread::available_parallelism;

use tokio::sync::{Semaphore, SemaphorePermit};

/// The most threads that help one query.
const MOST: usize = 3;

/// The threads that may be started.
pub(crate) struct Helpers(Semaphore);

impl Helpers {
    pub(crate) fn new() -> Self {
        let processors = available_parallelism().map_or(1, NonZero::get);
        Self(Semaphore::new(processors - 1))
    }

    /// Takes the free helpers, at most as many as one query gets. Dropping the result returns them.
    pub(crate) fn take(&self) -> Helping<'_> {
        Helping(
            std::iter::from_fn(|| self.0.try_acquire().ok())
                .take(MOST)
                .collect(),
        )
    }
}

/// The helpers of a query.
pub(crate) struct Helping<'a>(Vec<SemaphorePermit<'a>>);

impl Helping<'_> {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_are_bounded_and_given_back() {
        let helpers = Helpers(Semaphore::new(4));
        let first = helpers.take();
        let second = helpers.take();
        let third = helpers.take();
        assert_eq!([first.count(), second.count(), third.count()], [3, 1, 0]);
        drop(first);
        assert_eq!(helpers.take().count(), 3);
    }
}
