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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    /// A stream as Redis keeps it.
    #[derive(Default)]
    struct Stream {
        entries: VecDeque<StreamId>,
        last: StreamId,
        added: u64,
    }

    impl Stream {
        fn add(&mut self, ms: u64) {
            self.last = StreamId { ms, seq: 0 };
            self.entries.push_back(self.last);
            self.added += 1;
        }

        fn trim(&mut self, keep: usize) {
            let from = self.entries.len().saturating_sub(keep);
            self.entries.drain(..from);
        }

        /// A replica takes over that had not got the last `n`.
        fn cut(&mut self, n: usize) {
            for _ in 0..n.min(self.entries.len()) {
                self.entries.pop_back();
                self.added -= 1;
            }
            self.last = self.entries.back().copied().unwrap_or_default();
        }

        fn info(&self) -> StreamInfo {
            StreamInfo {
                last: self.last,
                first: self.entries.front().copied(),
                length: self.entries.len() as u64,
                added: Some(self.added),
            }
        }

        fn read(&self, ledger: &mut Ledger, limit: usize) -> (u64, u64) {
            let new = self.entries.iter().filter(|id| **id > ledger.cursor());
            let new: Vec<_> = new.copied().take(limit).collect();
            let lost = new.iter().map(|id| ledger.read(*id)).sum();
            (new.len() as u64, lost)
        }
    }

    #[test]
    fn a_server_that_came_back_empty_is_read_from_its_first_entry() {
        let mut stream = Stream::default();
        let mut ledger = Ledger::from_start();
        (1..=100).for_each(|ms| stream.add(ms));
        stream.read(&mut ledger, 1000);
        assert_eq!(ledger.check(Some(&stream.info())), 0);
        // More than before, all of it later: only that nothing was ever trimmed gives it away.
        let mut stream = Stream::default();
        (200..=400).for_each(|ms| stream.add(ms));
        assert_eq!(ledger.check(Some(&stream.info())), 0);
        assert_eq!(stream.read(&mut ledger, 1000), (201, 0));
        // Trimmed before it was read, its clock behind.
        let mut stream = Stream::default();
        (10..=50).for_each(|ms| stream.add(ms));
        stream.trim(11);
        assert_eq!(ledger.check(Some(&stream.info())), 0);
        assert_eq!(stream.read(&mut ledger, 1000), (11, 30));
    }

    #[test]
    fn a_stream_whose_end_was_cut_off_is_not_read_again() {
        for info_has_count in [true, false] {
            let mut stream = Stream::default();
            let mut ledger = Ledger::from_start();
            let info = |stream: &Stream| StreamInfo {
                added: info_has_count.then_some(stream.added),
                ..stream.info()
            };
            (1..=50).for_each(|ms| stream.add(ms));
            stream.read(&mut ledger, 1000);
            assert_eq!(ledger.check(Some(&info(&stream))), 0);
            (51..=100).for_each(|ms| stream.add(ms));
            stream.read(&mut ledger, 1000);
            assert_eq!(ledger.check(Some(&info(&stream))), 0);
            (101..=120).for_each(|ms| stream.add(ms));
            stream.read(&mut ledger, 1000);
            stream.cut(15);
            assert_eq!(ledger.check(Some(&info(&stream))), 0);
            assert_eq!(stream.read(&mut ledger, 1000), (0, 0));
            (130..=140).for_each(|ms| stream.add(ms));
            assert_eq!(stream.read(&mut ledger, 1000), (11, 0));
            assert_eq!(ledger.check(Some(&info(&stream))), 0);
            // It grew again before anybody looked.
            stream.cut(5);
            (150..=152).for_each(|ms| stream.add(ms));
            assert_eq!(ledger.check(Some(&info(&stream))), 0);
            assert_eq!(stream.read(&mut ledger, 1000), (3, 0));
            stream.add(160);
            stream.trim(0);
            let lost = if info_has_count { 1 } else { 0 };
            assert_eq!(ledger.check(Some(&info(&stream))), 0);
            stream.add(161);
            let read = stream.read(&mut ledger, 1000);
            assert_eq!(read, (1, lost));
        }
    }

    #[test]
    fn a_server_that_does_not_count_is_read_all_the_same() {
        let mut ledger = Ledger::from_start();
        ledger.read(StreamId { ms: 5, seq: 0 });
        let info = StreamInfo {
            last: StreamId { ms: 9, seq: 0 },
            first: Some(StreamId { ms: 9, seq: 0 }),
            length: 1,
            added: None,
        };
        assert_eq!(ledger.check(Some(&info)), 0);
        assert_eq!(ledger.read(info.last), 0);
    }

    proptest! {
        /// Whatever is added, trimmed, read in parts and checked at whatever moment.
        #[test]
        fn read_and_lost_make_what_was_added(
            before in 0u64..20,
            steps in prop::collection::vec((0u8..5, 1usize..12), 1..80),
        ) {
            let mut stream = Stream::default();
            (1..=before).for_each(|ms| stream.add(ms));
            let mut ledger = Ledger::from_now(Some(&stream.info()));
            let (mut read, mut lost, mut ms) = (0, 0, before + 1);
            for (what, n) in steps {
                match what {
                    0 | 1 => (0..n).for_each(|_| { stream.add(ms); ms += 1; }),
                    2 => stream.trim(n),
                    3 => lost += ledger.check(Some(&stream.info())),
                    _ => {
                        let (more, missed) = stream.read(&mut ledger, n);
                        read += more;
                        lost += missed;
                    }
                }
                prop_assert!(before + read + lost <= stream.added);
            }
            stream.add(ms);
            let (more, missed) = stream.read(&mut ledger, usize::MAX);
            let last = ledger.check(Some(&stream.info()));
            prop_assert_eq!(before + read + more + lost + missed + last, stream.added);
        }

        /// Replicas take over that had not got everything, and no entry is read twice or said to be lost.
        #[test]
        fn nothing_of_a_cut_stream_is_read_twice(
            before in 0u64..20,
            steps in prop::collection::vec((0u8..4, 1usize..12), 1..80),
        ) {
            let mut stream = Stream::default();
            (1..=before).for_each(|ms| stream.add(ms));
            let mut ledger = Ledger::from_now(Some(&stream.info()));
            let mut seen = std::collections::BTreeSet::new();
            let mut ms = before + 1;
            // The replica has at least what was there when the reading began.
            let sure = stream.entries.len();
            for (what, n) in steps {
                match what {
                    0 | 1 => (0..n).for_each(|_| { stream.add(ms); ms += 1; }),
                    2 => {
                        stream.cut(n.min(stream.entries.len() - sure));
                        prop_assert_eq!(ledger.check(Some(&stream.info())), 0);
                    }
                    _ => {
                        let from = ledger.cursor();
                        let (_, lost) = stream.read(&mut ledger, usize::MAX);
                        prop_assert_eq!(lost, 0);
                        for id in stream.entries.iter().filter(|id| **id > from) {
                            prop_assert!(seen.insert(*id), "read twice");
                        }
                        prop_assert_eq!(ledger.check(Some(&stream.info())), 0);
                    }
                }
            }
        }

        #[test]
        fn any_claim_is_taken(steps in prop::collection::vec((any::<bool>(), any::<[u64; 4]>()), 0..50)) {
            let mut ledger = Ledger::from_start();
            for (read, [a, b, c, d]) in steps {
                let id = StreamId { ms: a % 50, seq: 0 };
                if read {
                    ledger.read(id);
                } else {
                    let info = StreamInfo { last: id, first: None, length: b, added: Some(c.max(d)) };
                    ledger.check(Some(&info));
                }
            }
        }
    }
}
