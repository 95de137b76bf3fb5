#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};

/// A simulated Redis stream.
#[derive(Clone)]
struct Stream {
    entries: VecDeque<StreamId>,
    last: StreamId,
    added: u64,
    /// Since Redis 7.
    counts: bool,
}

impl Default for Stream {
    fn default() -> Self {
        let (entries, last) = (VecDeque::new(), StreamId::default());
        let (added, counts) = (0, true);
        Self {
            entries,
            last,
            added,
            counts,
        }
    }
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

    /// A failover to a replica that lacks the last `n` entries.
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
            added: self.counts.then_some(self.added),
        }
    }

    /// `None` if nothing was ever written.
    fn reply(&self) -> Option<StreamInfo> {
        (self.last > StreamId::default()).then(|| self.info())
    }

    fn read(&self, ledger: &mut Ledger, limit: usize) -> (u64, u64) {
        let new = self.next(ledger, limit);
        let lost = new.iter().map(|id| ledger.read(*id)).sum();
        (new.len() as u64, lost)
    }

    fn next(&self, ledger: &Ledger, limit: usize) -> Vec<StreamId> {
        let new = self.entries.iter().filter(|id| **id > ledger.cursor());
        new.copied().take(limit).collect()
    }
}

#[test]
fn a_server_that_came_back_empty_is_read_from_its_first_entry() {
    let mut stream = Stream::default();
    let mut ledger = Ledger::from_start();
    (1..=100).for_each(|ms| stream.add(ms));
    stream.read(&mut ledger, 1000);
    assert_eq!(ledger.check(Some(&stream.info())), 0);
    // More entries than before, all later: only the absence of trimming shows that the stream is new.
    let mut stream = Stream::default();
    (200..=400).for_each(|ms| stream.add(ms));
    assert_eq!(ledger.check(Some(&stream.info())), 0);
    assert_eq!(stream.read(&mut ledger, 1000), (201, 0));
    // Trimmed before it was read, with the clock behind.
    let mut stream = Stream::default();
    (210..=250).for_each(|ms| stream.add(ms));
    stream.trim(11);
    ledger.beginning = Some(Beginning {
        first: StreamId { ms: 200, seq: 0 },
        trimmed: Some(30),
        is_empty: false,
    });
    assert_eq!(ledger.check(Some(&stream.info())), 0);
    assert_eq!(stream.read(&mut ledger, 1000), (11, 30));
    // The number of entries lost with the first stream is unknown.
    assert!(!ledger.is_provable());
}

#[test]
fn entries_lost_with_a_server_are_not_read_again() {
    for counts in [true, false] {
        let mut stream = Stream {
            counts,
            ..Stream::default()
        };
        let mut ledger = Ledger::from_start();
        (1..=50).for_each(|ms| stream.add(ms));
        stream.trim(30);
        let replica = stream.clone();
        (51..=70).for_each(|ms| stream.add(ms));
        stream.trim(30);
        let lost = ledger.check(Some(&stream.info()));
        stream.read(&mut ledger, 1000);
        assert_eq!((lost, ledger.is_provable()), (0, counts));
        // The replica took over, and further entries were added.
        let mut stream = replica;
        (80..=84).for_each(|ms| stream.add(ms));
        assert_eq!(ledger.check(Some(&stream.info())), 0);
        assert_eq!(stream.read(&mut ledger, 1000), (5, 0));
        assert!(!ledger.is_provable());
        // The replica took over without further entries; its clock is behind.
        let replica = stream.clone();
        (85..=90).for_each(|ms| stream.add(ms));
        stream.read(&mut ledger, 1000);
        let mut stream = replica;
        assert_eq!(ledger.check(Some(&stream.info())), 0);
        assert_eq!(stream.read(&mut ledger, 1000), (0, 0));
        (86..=87).for_each(|ms| stream.add(ms));
        assert_eq!(stream.read(&mut ledger, 1000), (2, 0));
        assert_eq!(ledger.check(Some(&stream.info())), 0);
    }
}

#[test]
fn a_stream_that_was_emptied_is_lost_at_once() {
    let mut stream = Stream::default();
    let mut ledger = Ledger::from_start();
    (1..=3).for_each(|ms| stream.add(ms));
    stream.read(&mut ledger, 1000);
    (4..=9).for_each(|ms| stream.add(ms));
    stream.trim(0);
    assert_eq!(ledger.check(Some(&stream.info())), 6);
    assert!(ledger.is_settled() && ledger.is_provable());
    stream.add(10);
    assert_eq!(stream.read(&mut ledger, 1000), (1, 0));
    assert_eq!(ledger.check(Some(&stream.info())), 0);
}

#[test]
fn a_stream_that_is_deleted_leaves_nothing_proven() {
    let mut stream = Stream::default();
    let mut ledger = Ledger::from_start();
    assert_eq!(ledger.check(None), 0);
    stream.add(1);
    stream.read(&mut ledger, 1000);
    ledger.check(Some(&stream.info()));
    assert!(ledger.is_provable());
    ledger.check(None);
    ledger.check(Some(&stream.info()));
    assert!(!ledger.is_provable());
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

/// Checks, and returns whether a break was reported.
fn breaks(ledger: &mut Ledger, info: Option<&StreamInfo>) -> bool {
    ledger.check(info);
    let breaks = ledger.unreported_breaks();
    assert!(breaks <= 1, "{breaks}");
    breaks == 1
}

#[test]
fn every_deletion_is_reported_once() {
    for (seen_absent, clock_back, read_between) in [
        (true, false, true),
        (true, true, true),
        (false, false, false),
        (false, false, true),
        (false, true, true),
    ] {
        let mut ledger = Ledger::from_start();
        let mut stream = Stream::default();
        let mut ms = 1_000;
        (ms..ms + 50).for_each(|ms| stream.add(ms));
        stream.read(&mut ledger, 1_000);
        assert!(!breaks(&mut ledger, Some(&stream.info())));
        for deletion in 0..4 {
            if seen_absent {
                assert!(breaks(&mut ledger, None), "deletion {deletion}");
                assert!(!breaks(&mut ledger, None));
            }
            stream = Stream::default();
            ms = if clock_back { ms - 200 } else { ms + 100 };
            // More entries than before, so that the count does not decrease.
            (ms..ms + 100).for_each(|ms| stream.add(ms));
            if read_between {
                stream.read(&mut ledger, 20);
            }
            let case = format!("{seen_absent} {clock_back} {read_between} {deletion}");
            assert_eq!(
                breaks(&mut ledger, Some(&stream.info())),
                !seen_absent,
                "{case}"
            );
            stream.read(&mut ledger, 1_000);
            assert!(!breaks(&mut ledger, Some(&stream.info())), "{case}");
            assert!(!ledger.is_provable());
        }
    }
}

#[test]
fn a_stream_that_was_read_after_an_absence_can_be_deleted_unseen() {
    let mut ledger = Ledger::from_start();
    assert!(!breaks(&mut ledger, None));
    for first in [500, 400] {
        let mut stream = Stream::default();
        (first..first + 50).for_each(|ms| stream.add(ms));
        stream.read(&mut ledger, 1_000);
    }
    let mut stream = Stream::default();
    (400..420).for_each(|ms| stream.add(ms));
    assert!(breaks(&mut ledger, Some(&stream.info())));
    assert!(!ledger.is_provable());
}

proptest! {
    /// For any sequence of additions, trims, partial reads and checks.
    #[test]
    fn read_plus_lost_equals_added(
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
                2 => stream.trim(n - 1),
                3 => lost += ledger.check(Some(&stream.info())),
                _ => {
                    let (more, missed) = stream.read(&mut ledger, n);
                    read += more;
                    lost += missed;
                }
            }
            prop_assert!(before + read + lost <= stream.added);
        }
        let (more, missed) = stream.read(&mut ledger, usize::MAX);
        let last = ledger.check(Some(&stream.info()));
        prop_assert_eq!(before + read + more + lost + missed + last, stream.added);
    }

    /// Servers crash and restart with an earlier state or empty; streams are trimmed and deleted. No entry is read
    /// twice. Each entry has a distinct time.
    #[test]
    fn nothing_is_counted_twice(
        counts: bool,
        steps in prop::collection::vec((0u8..9, 0usize..12), 1..80),
    ) {
        let mut stream = Stream { counts, ..Stream::default() };
        let mut copy = stream.clone();
        let mut ledger = Ledger::from_start();
        let (mut read, mut ms, mut reported) = (BTreeSet::new(), 1, 0);
        for (what, n) in steps {
            reported += ledger.unreported_breaks();
            prop_assert!(!ledger.counts || ledger.is_provable() == (reported == 0));
            match what {
                0..3 => (0..n).for_each(|_| { stream.add(ms); ms += 1; }),
                3 => stream.trim(n),
                4 => copy = stream.clone(),
                // A new connection starts with a check.
                5 | 6 => {
                    stream = match what {
                        5 => copy.clone(),
                        _ => Stream { counts, ..Stream::default() },
                    };
                    (0..n).for_each(|_| { stream.add(ms); ms += 1; });
                    ledger.check(stream.reply().as_ref());
                }
                7 => drop(ledger.check(stream.reply().as_ref())),
                _ => for id in stream.next(&ledger, n) {
                    ledger.read(id);
                    prop_assert!(read.insert(id), "{id} twice");
                },
            }
        }
    }

    /// Replicas take over that lack the last entries; no entry is read twice or reported as lost.
    #[test]
    fn nothing_of_a_cut_stream_is_read_twice(
        before in 0u64..20,
        steps in prop::collection::vec((0u8..4, 1usize..12), 1..80),
    ) {
        let mut stream = Stream::default();
        (1..=before).for_each(|ms| stream.add(ms));
        let mut ledger = Ledger::from_now(Some(&stream.info()));
        let mut seen = BTreeSet::new();
        let mut ms = before + 1;
        // The replica has at least the entries from before the reading began.
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
