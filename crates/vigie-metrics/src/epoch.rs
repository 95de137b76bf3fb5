//! Which series are new to a scraper.
//!
//! `rate()` and `increase()` need a sample before the first event. A counter with new label values has none, so a
//! scraper first gets such a series as 0, and its value from the next scrape on. To detect new series, the registry
//! numbers the scrapes, and each series records the number of the scrape before its creation.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// The number of a scrape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(u64);

impl Epoch {
    /// Before all series.
    pub const START: Self = Self(0);
}

/// The number of the latest scrape. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Epochs(Arc<AtomicU64>);

impl Epochs {
    /// A series created after this call is not older than the returned epoch.
    pub(crate) fn begin(&self) -> Epoch {
        Epoch(self.0.fetch_add(1, SeqCst) + 1)
    }

    pub(crate) fn current(&self) -> Epoch {
        Epoch(self.0.load(SeqCst))
    }
}

/// The epoch in which a series started to count.
#[derive(Debug)]
pub(crate) struct Birth(AtomicU64);

impl Birth {
    pub(crate) fn new(epoch: Epoch) -> Self {
        Self(AtomicU64::new(epoch.0))
    }

    /// The value was still unknown at the scrape `epoch`.
    pub(crate) fn not_before(&self, epoch: Epoch) {
        self.0.fetch_max(epoch.0, SeqCst);
    }

    pub(crate) fn is_since(&self, epoch: Epoch) -> bool {
        self.0.load(SeqCst) >= epoch.0
    }
}
