//! What a history says about itself.

use crate::memory::Refusal;

/// What a scrape came to, or all of them since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Samples that were taken.
    pub samples: u64,
    /// Series that ended: the scrape before had them.
    pub ended: u64,
    /// Samples that were not taken.
    pub refused: Refused,
}

/// Samples that were not taken, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// The series has a later sample.
    pub out_of_order: u64,
    /// The series has a sample of this time.
    pub duplicate: u64,
    /// Samples of this time are sealed.
    pub too_old: u64,
    /// There are as many series as there may be.
    pub series_limit: u64,
}

/// How a history is doing.
#[derive(Clone, Debug, PartialEq)]
pub struct Stats {
    /// Series that have samples.
    pub series: usize,
    /// The memory that series and samples take, about, in bytes.
    pub bytes: u64,
    /// The time of the oldest sample, or a little earlier; milliseconds since the epoch.
    pub oldest: Option<i64>,
    /// The time of the newest sample; milliseconds since the epoch.
    pub newest: Option<i64>,
    /// What all scrapes since the start came to.
    pub committed: Committed,
    /// Whether it outlives the process.
    pub disk: DiskState,
}

/// Whether a history outlives the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskState {
    /// It is kept in memory alone, as asked.
    Off,
    /// All but the last scrape is on disk.
    Working,
    /// Nothing can be written, and why. The history goes on in memory, and is written when this is possible again.
    Failing(String),
}

impl Committed {
    pub(crate) fn add(&mut self, other: &Self) {
        self.samples += other.samples;
        self.ended += other.ended;
        self.refused.out_of_order += other.refused.out_of_order;
        self.refused.duplicate += other.refused.duplicate;
        self.refused.too_old += other.refused.too_old;
        self.refused.series_limit += other.refused.series_limit;
    }
}

impl Refused {
    pub(crate) fn count(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::OutOfOrder => self.out_of_order += 1,
            Refusal::Duplicate => self.duplicate += 1,
            // A series is gone when its last samples are.
            Refusal::TooOld | Refusal::Unknown => self.too_old += 1,
        }
    }
}
