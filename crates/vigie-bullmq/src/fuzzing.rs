//! Invariants for any server behaviour, shared by the property test and the fuzzer; both supply bytes.
//!
//! The bytes select a sequence of steps: valid and invalid entries are added to a stream, which is trimmed, read in
//! parts, and reconciled with the server's counts as the follower does. A second reading receives entries in any order.

use std::collections::VecDeque;

use redis::Value;

use crate::events::entry::{Entry, Event, StreamId, StreamInfo, each_stream, size};
use crate::events::fold::{Batch, Fold, Incident, Name, Outcome};
use crate::events::jobs::Room;
use crate::events::ledger::Ledger;
use crate::events::repair::Ended;

const NAMES: usize = 3;
const JOBS: usize = 20;
const LONGEST_LABEL: usize = 128;
const EVENTS: [&[u8]; 14] = [
    b"added",
    b"waiting",
    b"active",
    b"completed",
    b"failed",
    b"delayed",
    b"stalled",
    b"waiting-children",
    b"removed",
    b"cleaned",
    b"deduplicated",
    b"paused",
    b"resumed",
    b"progress",
];
const FIELDS: [&[u8]; 7] = [
    b"event",
    b"jobId",
    b"name",
    b"prev",
    b"count",
    b"returnvalue",
    b"",
];

/// Runs the steps selected by arbitrary bytes.
///
/// # Panics
///
/// If an invariant is violated.
pub fn any_story(bytes: &[u8]) {
    let mut input = Input(bytes);
    let mut server = Server::default();
    let mut reader = Reader::new();
    let mut wild = Reader::new();
    while !input.0.is_empty() {
        match input.byte() % 16 {
            0..8 => server.add(&mut input),
            8 => server.trim(usize::from(input.byte())),
            9 | 10 => reader.read(&server, usize::from(input.byte()).max(1)),
            11 => reader.check(&server, input.byte().is_multiple_of(2)),
            12 => reader.learn(&mut input),
            13 => {
                let (in_flight, now) = (u64::from(input.byte()), input.number());
                reader.fold.reconcile(in_flight, now);
            }
            14 => wild.take_anything(&mut input),
            _ => wild.take_reply(&mut input),
        }
        reader.bounds_hold();
        wild.bounds_hold();
    }
    reader.read(&server, usize::MAX);
    reader.check(&server, true);
    reader.ends_add_up();
    wild.ends_add_up();
    reader.is_true_to(&server);
}

/// Input for decisions and texts; returns 0 when the bytes are used up.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn number(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    fn text(&mut self) -> &'a [u8] {
        let length = match self.byte() {
            // Longer than the limits on job ids and names.
            255 => 2_000,
            length => usize::from(length % 32),
        };
        let (text, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        text
    }

    /// One of the texts, or an arbitrary one.
    fn one_of(&mut self, texts: &[&'a [u8]]) -> &'a [u8] {
        let at = usize::from(self.byte());
        match texts.get(at % (texts.len() + 1)) {
            Some(text) => text,
            None => self.text(),
        }
    }

    /// The fields of a valid or nearly valid entry, and the outcome that it contains.
    fn fields(&mut self) -> (Vec<Value>, Option<usize>) {
        const IDS: [&[u8]; 8] = [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8"];
        let event = self.one_of(&EVENTS);
        let mut fields = vec![
            (&b"event"[..], event),
            (b"jobId", self.one_of(&IDS)),
            (b"name", self.one_of(&[b"mail", b"resize"])),
        ];
        for _ in 0..self.byte() % 4 {
            fields.push((self.one_of(&FIELDS), self.one_of(&EVENTS)));
        }
        let shift = usize::from(self.byte()) % fields.len();
        fields.rotate_left(shift);
        // If a field occurs twice, the last one counts.
        let event = fields.iter().rfind(|(field, _)| *field == b"event");
        let ended = event.and_then(|(_, event)| {
            [&b"completed"[..], b"failed"]
                .iter()
                .position(|end| end == event)
        });
        let fields = fields.into_iter().flat_map(|(field, value)| [field, value]);
        let mut fields: Vec<_> = fields.map(bulk).collect();
        if self.byte() == 255 {
            // An incomplete pair.
            fields.push(Value::Nil);
        }
        (fields, ended)
    }
}

fn bulk(text: &[u8]) -> Value {
    Value::BulkString(text.to_vec())
}

/// A simulated Redis stream.
#[derive(Default)]
struct Server {
    entries: VecDeque<(StreamId, Value)>,
    last: StreamId,
    added: u64,
    ended: Ended,
    /// Outcomes counted by the workers, some of which may not count.
    metered: Ended,
}

impl Server {
    fn add(&mut self, input: &mut Input<'_>) {
        let ahead = u64::from(input.byte());
        self.last = StreamId {
            ms: self.last.ms + ahead * ahead,
            seq: self.last.seq + 1,
        };
        let (fields, ended) = input.fields();
        if let Some(ended) = ended {
            self.ended[ended] += 1;
            self.metered[ended] += u64::from(input.byte() < 250);
        }
        let id = bulk(self.last.to_string().as_bytes());
        let entry = Value::Array(vec![id, Value::Array(fields)]);
        self.entries.push_back((self.last, entry));
        self.added += 1;
    }

    fn trim(&mut self, keep: usize) {
        let from = self.entries.len().saturating_sub(keep);
        self.entries.drain(..from);
    }

    fn info(&self) -> StreamInfo {
        StreamInfo {
            last: self.last,
            first: self.entries.front().map(|(id, _)| *id),
            length: self.entries.len() as u64,
            added: Some(self.added),
        }
    }
}

/// The reading of one stream.
struct Reader {
    ledger: Ledger,
    fold: Fold,
    batch: Batch,
    read: u64,
    lost: u64,
    /// Outcomes read, by kind.
    read_ends: Ended,
    /// Outcomes recovered.
    repaired: Ended,
    starts: usize,
    /// Jobs reported as stalled, removed, or deduplicated.
    happened: [u64; 3],
    names: usize,
}

impl Reader {
    fn new() -> Self {
        Self {
            ledger: Ledger::from_start(),
            fold: Fold::new(NAMES, None, Room::new(JOBS)),
            batch: Batch::default(),
            read: 0,
            lost: 0,
            read_ends: [0; 2],
            repaired: [0; 2],
            starts: 0,
            happened: [0; 3],
            names: 0,
        }
    }

    fn read(&mut self, server: &Server, limit: usize) {
        let cursor = self.ledger.cursor();
        let new = server.entries.iter().filter(|(id, _)| *id > cursor);
        let new: Vec<_> = new.take(limit).collect();
        let full = new.len() >= limit;
        for (id, entry) in new {
            let entry = Entry::read(entry);
            assert_eq!(
                entry.map(|entry| entry.id),
                Some(*id),
                "an entry was skipped"
            );
            entry.into_iter().for_each(|entry| self.take(&entry));
        }
        if !full {
            self.fold.flush(&mut self.batch);
        }
    }

    fn take(&mut self, entry: &Entry<'_>) {
        let outcome = match entry.event {
            Event::Completed => Some(0),
            Event::Failed => Some(1),
            _ => None,
        };
        if let Some(outcome) = outcome {
            self.read_ends[outcome] += 1;
        }
        self.starts += usize::from(entry.event == Event::Active);
        match entry.event {
            Event::Stalled => self.happened[0] += 1,
            Event::Removed => self.happened[1] += 1,
            Event::Cleaned => self.happened[1] += u64::from(entry.count),
            Event::Deduplicated => self.happened[2] += 1,
            _ => {}
        }
        self.read += 1;
        let lost = self.ledger.read_end(entry.id, outcome);
        self.missed(lost);
        self.fold.apply(entry, &mut self.batch);
    }

    fn check(&mut self, server: &Server, metered: bool) {
        let info = server.info();
        let counted = metered.then_some(server.metered);
        let lost = self.ledger.check_with(Some(&info), counted);
        self.missed(lost);
    }

    fn missed(&mut self, lost: u64) {
        if lost > 0 {
            self.lost += lost;
            self.fold.gap();
        }
        let more = self.ledger.repair.take();
        self.repaired = [0, 1].map(|at| self.repaired[at] + more[at]);
    }

    fn learn(&mut self, input: &mut Input<'_>) {
        let unnamed = self.batch.unnamed.last().map(|(job, _)| job.clone());
        let found = input.byte().is_multiple_of(2).then(|| input.text());
        let job = unnamed.as_deref().unwrap_or(b"1");
        let name = self.fold.learn(job, found);
        assert!(name.index() < self.fold.names().places().count());
    }

    /// Takes an arbitrary entry (any time, repeated, any fields) or an arbitrary reply to XINFO.
    fn take_anything(&mut self, input: &mut Input<'_>) {
        let id = match input.byte() {
            0 => bulk(input.text()),
            ms => bulk(format!("{ms}-{}", input.byte()).as_bytes()),
        };
        let (fields, _) = input.fields();
        let entry = Value::Array(vec![id, Value::Array(fields)]);
        if let Some(entry) = Entry::read(&entry) {
            self.take(&entry);
        }
        if input.byte().is_multiple_of(4) {
            let ms = input.number();
            let (last, first) = (
                StreamId {
                    ms: ms % 256,
                    seq: 0,
                },
                StreamId { ms: ms % 7, seq: 0 },
            );
            let info = StreamInfo {
                last,
                first: ms.is_multiple_of(3).then_some(first),
                length: ms >> 60,
                added: ms.is_multiple_of(5).then_some(ms >> 32),
            };
            let counted = ms
                .is_multiple_of(2)
                .then(|| [input.number(), input.number()]);
            let info = (!ms.is_multiple_of(11)).then_some(info);
            let lost = self.ledger.check_with(info.as_ref(), counted);
            self.missed(lost);
        }
    }

    /// Takes an arbitrary reply in wire format.
    fn take_reply(&mut self, input: &mut Input<'_>) {
        let (reply, rest) = input.0.split_at(input.0.len().min(512));
        input.0 = rest;
        let Ok(reply) = redis::parse_redis_value(reply) else {
            return;
        };
        let _ = (StreamInfo::read(&reply), size(&reply));
        let entry = Entry::read(&reply);
        entry.into_iter().for_each(|entry| self.take(&entry));
        each_stream(&reply, |_, entries| {
            for entry in entries.iter().filter_map(Entry::read) {
                self.take(&entry);
            }
        });
    }

    fn bounds_hold(&mut self) {
        assert!(self.fold.remembered() <= JOBS);
        let names = self.fold.names().labels();
        assert!(names.len() >= self.names, "a name went away");
        assert!(names.len() <= NAMES + 2);
        assert!(names.iter().all(|name| name.len() <= LONGEST_LABEL));
        self.names = names.len();
    }

    /// Each outcome in the stream was counted once, and each incident was counted once.
    fn ends_add_up(&mut self) {
        self.fold.flush(&mut self.batch);
        let ends = &self.batch.ends;
        let of = |outcome| ends.iter().filter(|end| end.outcome == outcome).count() as u64;
        assert_eq!(
            [of(Outcome::Completed), of(Outcome::Failed)],
            self.read_ends
        );
        let measured = ends.iter().filter(|end| end.run.is_some()).count();
        assert!(measured <= self.starts, "more runs than starts");
        assert!(of(Outcome::Retried) as usize <= self.starts);
        let waits = self.batch.waits.len() + self.batch.unnamed.len();
        assert!(waits <= self.starts, "more waits than starts");
        let tallies = &self.batch.tallies;
        let jobs = |incident| {
            let of = tallies.iter().filter(|tally| tally.incident == incident);
            of.map(|tally| tally.jobs).sum::<u64>()
        };
        let all = [Incident::Stalled, Incident::Removed, Incident::Deduplicated].map(jobs);
        assert_eq!(all, self.happened);
        for tally in tallies {
            assert!(tally.jobs > 0, "{tally:?}");
            if let Name::Known(name) = tally.name {
                assert!(name.index() < self.fold.names().places().count());
            }
        }
    }

    /// Entries read plus entries reported lost equal the entries added; the same for outcomes.
    fn is_true_to(&self, server: &Server) {
        assert_eq!(self.read + self.lost, server.added);
        let all = [0, 1].map(|at| self.read_ends[at] + self.repaired[at]);
        for at in 0..2 {
            assert!(all[at] <= server.ended[at], "{all:?} of {:?}", server.ended);
        }
        let metered = server.metered == server.ended;
        if self.lost == 0 || metered && self.ledger.repair.is_exact() {
            assert_eq!(all, server.ended);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn any_story_is_taken(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
            any_story(&bytes);
        }
    }
}
