//! Statistics of a history.

use crate::memory::Refusal;

/// The outcome of a scrape, or of all scrapes since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Accepted samples.
    pub samples: u64,
    /// Series that were in the previous scrape and not in this one.
    pub ended: u64,
    /// Refused samples.
    pub refused: Refused,
}

/// Refused samples by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// The series has a later sample.
    pub out_of_order: u64,
    /// The series has a sample of this time.
    pub duplicate: u64,
    /// Samples of this time are sealed.
    pub too_old: u64,
    /// The maximum number of series is reached.
    pub series_limit: u64,
}

/// The state of a history.
#[derive(Clone, Debug, PartialEq)]
pub struct Stats {
    /// The number of series with samples.
    pub series: usize,
    /// The approximate memory use of series and samples, in bytes.
    pub bytes: u64,
    /// The time of the oldest sample, or a little earlier; milliseconds since the epoch.
    pub oldest: Option<i64>,
    /// The time of the newest sample; milliseconds since the epoch.
    pub newest: Option<i64>,
    /// The outcome of all scrapes since the start.
    pub committed: Committed,
    /// The state of persistence.
    pub disk: DiskState,
}

/// Whether a history survives the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskState {
    /// It is in memory only, as configured.
    Off,
    /// Everything except the last scrape is on disk.
    Working,
    /// Nothing can be written, and why. The history continues in memory, and is written when the disk recovers.
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
            // A series is removed with its last samples.
            Refusal::TooOld | Refusal::Unknown => self.too_old += 1,
        }
    }
}
