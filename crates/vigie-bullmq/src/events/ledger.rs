//! Where the reading of a stream stands, and what of it was missed.
//!
//! BullMQ trims its streams, so entries can be gone before they are read. The server counts all that was
//! ever added; held against what was read, that tells the loss to the entry.

use crate::events::entry::{StreamId, StreamInfo};
use crate::events::repair::{Ended, Repair};

/// The reading of one stream.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// The last entry that was read.
    cursor: StreamId,
    /// How many entries must have been added up to the cursor if none was missed.
    expected: u64,
    /// How many were read since the last check.
    recent: u64,
    /// Settled when the cursor gets there.
    claim: Option<Claim>,
    /// What had ended by then, as workers counted it.
    counted: Option<Ended>,
    /// The beginning of the stream at the last check.
    beginning: Option<Beginning>,
    /// Whether the server counts what it adds.
    counts: bool,
    /// How often entries may have been lost without a way to tell how many: with a stream or a server.
    breaks: u64,
    /// How many of the breaks were counted as losses.
    reported: u64,
    /// Whether the stream was absent at the last check.
    absent: bool,
    pub(crate) repair: Repair,
}

/// "When the entry with this id was added, there were so many."
#[derive(Clone, Copy, Debug)]
struct Claim {
    at: StreamId,
    added: u64,
    /// Whether what is missing up to there was missed. It may have gone with a server that had more than this one has.
    counts_loss: bool,
}

/// Where a stream begins, and how many entries were there before; since Redis 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Beginning {
    first: StreamId,
    trimmed: Option<u64>,
    is_empty: bool,
}

impl Beginning {
    fn of(info: &StreamInfo) -> Self {
        Self {
            // An empty one begins after its last entry.
            first: info.first.unwrap_or(info.last),
            trimmed: info.added.and_then(|added| added.checked_sub(info.length)),
            is_empty: info.first.is_none(),
        }
    }

    /// Whether this can be the stream that began like `before`, as it is by now or as it was some time ago. One that was
    /// made since begins later, and nothing of it was trimmed yet.
    fn can_be(self, before: Self) -> bool {
        let more = match (self.trimmed, before.trimmed) {
            // Nothing is trimmed from an empty stream when its next entry comes.
            (Some(now), Some(trimmed)) => now > trimmed || before.is_empty && now == trimmed,
            _ => true,
        };
        self.first <= before.first || more
    }
}

impl Ledger {
    /// Reads what is added from now on.
    pub(crate) fn from_now(info: Option<&StreamInfo>) -> Self {
        info.map_or_else(Self::default, |info| Self {
            cursor: info.last,
            expected: info.added.unwrap_or(0),
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
        if self.claim.is_some_and(|claim| id > claim.at) {
            lost += self.settle();
        }
        self.cursor = id;
        if std::mem::take(&mut self.absent) {
            // This is another stream than the one before.
            self.beginning = None;
        }
        self.beginning.get_or_insert(Beginning {
            first: id,
            trimmed: None,
            is_empty: false,
        });
        self.expected = self.expected.saturating_add(1);
        self.recent = self.recent.saturating_add(1);
        if let Some(outcome) = outcome {
            self.repair.read(outcome);
        }
        if self.claim.is_some_and(|claim| id == claim.at) {
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
        let was_absent = std::mem::replace(&mut self.absent, info.is_none());
        let Some(info) = info else {
            self.anew(was_absent);
            self.repair.settle(0, counted);
            return 0;
        };
        self.counts = info.added.is_some();
        let beginning = Beginning::of(info);
        let before = self.beginning.replace(beginning);
        let same = before.is_some_and(|before| beginning.can_be(before));
        let fewer = info.added.is_some_and(|added| added < self.expected);
        if same && (fewer || info.last < self.cursor) {
            // What was read last went with a server: it crashed, or another took over. What is there was read, or cannot
            // be told from what was; to read it again would count it twice.
            self.breaks += u64::from(!was_absent);
            self.repair.reset();
            self.cursor = self.cursor.min(info.last);
            return self.claim(info, false);
        }
        if info.last < self.cursor {
            // Another stream under the same key, made while the server's clock stood behind.
            self.anew(was_absent);
            if info.first.is_some() {
                self.cursor = StreamId::default();
            }
        }
        let Some(added) = info.added else {
            return 0;
        };
        let unread = info.first.is_none_or(|first| first > self.cursor);
        // All that was ever added is still there, and nothing of it was read: it is not what we were reading.
        let all_new = unread && added == info.length;
        let is_other = !was_absent && before.is_some() && !same;
        if added < self.expected || self.expected > 0 && (all_new || is_other) {
            // Some of what was read since the last check may be of the new stream. Never say more than is sure.
            self.expected = if unread { 0 } else { recent.min(added) };
            self.breaks += 1;
            self.repair.reset();
        }
        self.claim(info, true)
    }

    fn claim(&mut self, info: &StreamInfo, counts_loss: bool) -> u64 {
        let Some(added) = info.added else {
            return 0;
        };
        self.claim = Some(Claim {
            at: info.last,
            added,
            counts_loss,
        });
        if info.length == 0 {
            // There is nothing to read on the way there.
            self.cursor = self.cursor.max(info.last);
        }
        if info.last <= self.cursor {
            return self.settle();
        }
        0
    }

    /// Whether it can be told how many entries were missed.
    pub(crate) fn is_provable(&self) -> bool {
        self.counts && self.breaks == 0
    }

    /// How many breaks have not been counted as losses yet. Each is at least one lost entry, as far as can be known: what
    /// is not provable is also reported as lost.
    pub(crate) fn unreported_breaks(&mut self) -> u64 {
        let breaks = self.breaks;
        breaks - std::mem::replace(&mut self.reported, breaks)
    }

    /// The same after a reading that ended because the key held another type for a time, which was counted as a loss then.
    pub(crate) fn after_break(self) -> Self {
        Self {
            breaks: self.breaks + 1,
            reported: self.reported + 1,
            ..self
        }
    }

    /// Whether all that the last check claimed was read, or is known to be missed.
    pub(crate) fn is_settled(&self) -> bool {
        self.claim.is_none()
    }

    /// It is not what we were reading. What comes is newer: an entry that was read does not come again with a copy.
    fn anew(&mut self, was_absent: bool) {
        self.expected = 0;
        if self.cursor > StreamId::default() && !was_absent {
            self.breaks += 1;
        }
        self.repair.reset();
    }

    fn settle(&mut self) -> u64 {
        let Some(claim) = self.claim.take() else {
            return 0;
        };
        let lost = match claim.counts_loss {
            true => claim.added.saturating_sub(self.expected),
            false => 0,
        };
        self.expected = claim.added;
        self.repair.settle(lost, self.counted);
        lost
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
