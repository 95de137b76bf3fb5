//! Where the reading of a stream stands, and what of it was missed.
//!
//! BullMQ trims its streams, so entries can be gone before they are read. The server counts all that was
//! ever added; held against what was read, that tells the loss to the entry.
//!
//! A replica that becomes the master lacks what it was not sent yet: the end of the stream is cut off, some of it read
//! already. That is the same stream all the same, and nothing of it is read again.

use crate::entry::{StreamId, StreamInfo};
use crate::repair::{Ended, Repair};

/// A replica that takes over lacks no more than this, in milliseconds.
const LAG: u64 = 5_000;

/// The reading of one stream.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// The last entry that was read.
    cursor: StreamId,
    /// How many entries must have been added up to the cursor if none was missed.
    expected: u64,
    /// How many were read since the last check.
    recent: u64,
    /// "When the entry with this id was added, there were so many": settled when the cursor gets there.
    claim: Option<(StreamId, u64)>,
    /// Moments up to which all was read or known to be missed, and how many entries there had been: one as old as
    /// [`LAG`] or older, if the reading is, and one after it.
    marks: Option<[(StreamId, u64); 2]>,
    /// What had ended by then, as workers counted it.
    counted: Option<Ended>,
    pub(crate) repair: Repair,
}

impl Ledger {
    /// Reads what is added from now on.
    pub(crate) fn from_now(info: Option<&StreamInfo>) -> Self {
        info.map_or_else(Self::default, |info| Self {
            cursor: info.last,
            expected: info.added.unwrap_or(0),
            marks: Some([(info.last, info.added.unwrap_or(0)); 2]),
            ..Self::default()
        })
    }

    /// Reads the stream from its first entry on.
    pub(crate) fn from_start() -> Self {
        Self::default()
    }

    pub(crate) fn cursor(&self) -> StreamId {
        self.cursor
    }

    /// Takes note of an entry that was read. Returns how many are now known to be missed.
    #[cfg(test)]
    pub(crate) fn read(&mut self, id: StreamId) -> u64 {
        self.read_end(id, None)
    }

    /// The same of an entry that may tell an end: 0 completed, 1 failed.
    pub(crate) fn read_end(&mut self, id: StreamId, outcome: Option<usize>) -> u64 {
        let mut lost = 0;
        if self.claim.is_some_and(|(at, _)| id > at) {
            lost += self.settle();
        }
        self.cursor = id;
        self.expected = self.expected.saturating_add(1);
        self.recent = self.recent.saturating_add(1);
        if let Some(outcome) = outcome {
            self.repair.read(outcome);
        }
        if self.claim.is_some_and(|(at, _)| id == at) {
            lost += self.settle();
        }
        lost
    }

    /// Holds the reading against what the server says now; `None`: there is no such stream.
    /// Returns how many entries are now known to be missed.
    #[cfg(test)]
    pub(crate) fn check(&mut self, info: Option<&StreamInfo>) -> u64 {
        self.check_with(info, None)
    }

    /// The same with what workers counted to have ended at that moment, if that is known.
    pub(crate) fn check_with(&mut self, info: Option<&StreamInfo>, counted: Option<Ended>) -> u64 {
        let recent = std::mem::take(&mut self.recent);
        self.claim = None;
        self.counted = counted;
        let Some(info) = info else {
            self.anew();
            self.repair.settle(0, counted);
            return 0;
        };
        let was_cut = self.was_cut(info);
        if info.last < self.cursor {
            match was_cut {
                true => self.cut(info),
                // Another stream under the same key, made while the server's clock stood behind.
                false => self.anew(),
            }
        }
        let Some(added) = info.added else {
            self.mark(self.cursor, 0);
            return 0;
        };
        let unread = info.first.is_none_or(|first| first > self.cursor);
        // All that was ever added is still there, and nothing of it was read: it is not what we were reading.
        let replaced = self.expected > 0 && unread && added == info.length;
        if added < self.expected && was_cut && !unread {
            // It grew again since, but how much of what was read is gone is not known.
            self.expected = added;
            self.repair.reset();
        } else if added < self.expected || replaced {
            // Some of what was read since the last check may be of the new stream. Never say more than is sure.
            self.expected = if unread { 0 } else { recent.min(added) };
            self.repair.reset();
        }
        self.claim = Some((info.last, added));
        if info.last == self.cursor {
            return self.settle();
        }
        0
    }

    /// Whether, if anything of the stream is gone, it is its end: the old mark is still in it.
    fn was_cut(&self, info: &StreamInfo) -> bool {
        self.marks
            .is_some_and(|[(id, added), _]| info.last >= id && info.added.unwrap_or(0) >= added)
    }

    fn mark(&mut self, id: StreamId, added: u64) {
        let now = (id, added);
        self.marks = Some(match self.marks {
            None => [now; 2],
            Some([_, young]) if id.ms >= young.0.ms.saturating_add(LAG) => [young, now],
            // Never later than the stream is known to go.
            Some([old, young]) => [old.min(now), young.min(now)],
        });
    }

    /// The end of the stream is gone, and was read.
    fn cut(&mut self, info: &StreamInfo) {
        self.cursor = info.last;
        self.expected = info.added.unwrap_or(0);
        self.repair.reset();
    }

    /// It is not what we were reading.
    fn anew(&mut self) {
        let mut repair = std::mem::take(&mut self.repair);
        repair.reset();
        *self = Self {
            counted: self.counted,
            repair,
            ..Self::default()
        };
    }

    fn settle(&mut self) -> u64 {
        let Some((id, added)) = self.claim.take() else {
            return 0;
        };
        let lost = added.saturating_sub(self.expected);
        self.expected = added;
        self.mark(id, added);
        self.repair.settle(lost, self.counted);
        lost
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
