//! The read position of a stream, and the number of missed entries.
//!
//! BullMQ trims its streams, so that entries can be removed before they are read. The server counts all entries ever
//! added; the difference from the number of entries read is the number lost.

use crate::events::repair::Repair;
use crate::protocol::entry::{StreamId, StreamInfo};
use crate::protocol::outcome::{Ended, Final};

/// The read state of one stream.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// The last entry read.
    cursor: StreamId,
    /// The number of entries added up to the cursor if none was missed.
    expected: u64,
    /// Entries read since the last check.
    recent: u64,
    /// The last check, until the cursor reaches it.
    claim: Option<Claim>,
    /// Outcomes at the last check, as counted by the workers.
    counted: Option<Ended>,
    /// The beginning of the stream at the last check.
    beginning: Option<Beginning>,
    /// Whether the server counts added entries.
    counts: bool,
    /// The number of times an unknown number of entries may have been lost, with a stream or a server.
    breaks: u64,
    /// The number of breaks already counted as losses.
    reported: u64,
    /// Whether the stream was absent at the last check.
    absent: bool,
    pub(crate) repair: Repair,
}

/// The server's count of entries added up to the entry `at`.
#[derive(Clone, Copy, Debug)]
struct Claim {
    at: StreamId,
    added: u64,
    /// Whether a difference is a loss. It is not if a previous server had entries that this one does not have.
    counts_loss: bool,
}

/// The first entry of a stream, and the number of entries trimmed before it (since Redis 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Beginning {
    first: StreamId,
    trimmed: Option<u64>,
    is_empty: bool,
}

impl Beginning {
    fn of(info: &StreamInfo) -> Self {
        Self {
            // An empty stream begins after its last entry.
            first: info.first.unwrap_or(info.last),
            trimmed: info.added.and_then(|added| added.checked_sub(info.length)),
            is_empty: info.first.is_none(),
        }
    }

    /// Whether this can be the stream that began as `before`, in its current or an earlier state. A stream created
    /// since then begins later, and none of its entries has been trimmed.
    fn can_be(self, before: Self) -> bool {
        let more = match (self.trimmed, before.trimmed) {
            // In an empty stream, the next entry is added without trimming.
            (Some(now), Some(trimmed)) => now > trimmed || before.is_empty && now == trimmed,
            _ => true,
        };
        self.first <= before.first || more
    }
}

impl Ledger {
    /// Starts after the current last entry.
    pub(crate) fn from_now(info: Option<&StreamInfo>) -> Self {
        info.map_or_else(Self::default, |info| Self {
            cursor: info.last,
            expected: info.added.unwrap_or(0),
            ..Self::default()
        })
    }

    /// Starts at the first entry.
    pub(crate) fn from_start() -> Self {
        Self::default()
    }

    pub(crate) fn cursor(&self) -> StreamId {
        self.cursor
    }

    /// Records an entry that was read. Returns the number of newly detected missed entries.
    #[cfg(test)]
    pub(crate) fn read(&mut self, id: StreamId) -> u64 {
        self.read_end(id, None)
    }

    /// Same as `read`, for an entry that may be an outcome.
    pub(crate) fn read_end(&mut self, id: StreamId, outcome: Option<Final>) -> u64 {
        let mut lost = 0;
        if self.claim.is_some_and(|claim| id > claim.at) {
            lost += self.settle();
        }
        self.cursor = id;
        if std::mem::take(&mut self.absent) {
            // The stream was recreated.
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

    /// Compares the read position with the server's description of the stream (`None`: no such stream). Returns the
    /// number of newly detected missed entries.
    #[cfg(test)]
    pub(crate) fn check(&mut self, info: Option<&StreamInfo>) -> u64 {
        self.check_with(info, None)
    }

    /// Same as `check`, with the workers' outcome counts at that moment, if known.
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
            // The last entries read were lost with a server that crashed or failed over. The remaining entries were
            // read before, or cannot be distinguished from those; reading them again would count them twice.
            self.breaks += u64::from(!was_absent);
            self.repair.reset();
            self.cursor = self.cursor.min(info.last);
            return self.claim(info, false);
        }
        if info.last < self.cursor {
            // Another stream under the same key, created while the server's clock was behind.
            self.anew(was_absent);
            if info.first.is_some() {
                self.cursor = StreamId::default();
            }
        }
        let Some(added) = info.added else {
            return 0;
        };
        let unread = info.first.is_none_or(|first| first > self.cursor);
        // All entries ever added still exist, and none was read: another stream.
        let all_new = unread && added == info.length;
        let is_other = !was_absent && before.is_some() && !same;
        if added < self.expected || self.expected > 0 && (all_new || is_other) {
            // Some entries read since the last check may belong to the new stream. Use a lower bound.
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
            // The stream is empty: move the cursor to its end.
            self.cursor = self.cursor.max(info.last);
        }
        if info.last <= self.cursor {
            return self.settle();
        }
        0
    }

    /// Whether the number of missed entries is exact.
    pub(crate) fn is_provable(&self) -> bool {
        self.counts && self.breaks == 0
    }

    /// The number of breaks not yet counted as losses. Each break counts as one lost entry, because the actual number
    /// is unknown.
    pub(crate) fn unreported_breaks(&mut self) -> u64 {
        let breaks = self.breaks;
        breaks - std::mem::replace(&mut self.reported, breaks)
    }

    /// Restarts after a period in which the key held another type, which was counted as a loss when it began.
    pub(crate) fn after_break(self) -> Self {
        Self {
            breaks: self.breaks + 1,
            reported: self.reported + 1,
            ..self
        }
    }

    /// Whether all entries up to the last check have been read or counted as missed.
    pub(crate) fn is_settled(&self) -> bool {
        self.claim.is_none()
    }

    /// The stream was replaced. Its entries are newer than those read, even if it was restored from a copy.
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
