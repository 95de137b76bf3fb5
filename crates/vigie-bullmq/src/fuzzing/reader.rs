//! A reading of the simulated stream, with its invariants.

use redis::Value;

use crate::events::batch::{Batch, Incident, Name};
use crate::events::fold::Fold;
use crate::events::jobs::Room;
use crate::events::ledger::Ledger;
use crate::fuzzing::input::{Input, bulk};
use crate::fuzzing::server::Server;
use crate::protocol::entry::{Entry, Event, StreamId, StreamInfo, each_stream, size};
use crate::protocol::outcome::{Ended, Outcome};

const NAMES: usize = 3;
const JOBS: usize = 20;
const LONGEST_LABEL: usize = 128;

/// The reading of one stream.
pub(super) struct Reader {
    ledger: Ledger,
    pub(super) fold: Fold,
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
    pub(super) fn new() -> Self {
        Self {
            ledger: Ledger::from_start(),
            fold: Fold::new(NAMES, None, Room::new(JOBS)),
            batch: Batch::default(),
            read: 0,
            lost: 0,
            read_ends: Ended::default(),
            repaired: Ended::default(),
            starts: 0,
            happened: [0; 3],
            names: 0,
        }
    }

    pub(super) fn read(&mut self, server: &Server, limit: usize) {
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

    pub(super) fn take(&mut self, entry: &Entry<'_>) {
        let outcome = entry.event.ended();
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

    pub(super) fn check(&mut self, server: &Server, metered: bool) {
        let info = server.info();
        let counted = metered.then_some(server.metered);
        let lost = self.ledger.check_with(Some(&info), counted);
        self.missed(lost);
    }

    pub(super) fn missed(&mut self, lost: u64) {
        if lost > 0 {
            self.lost += lost;
            self.fold.gap();
        }
        let more = self.ledger.repair.take();
        self.repaired = Ended::from_fn(|end| self.repaired[end] + more[end]);
    }

    pub(super) fn learn(&mut self, input: &mut Input<'_>) {
        let unnamed = self.batch.unnamed.last().map(|(job, _)| job.clone());
        let found = input.byte().is_multiple_of(2).then(|| input.text());
        let job = unnamed.as_deref().unwrap_or(b"1");
        let name = self.fold.learn(job, found);
        assert!(name.index() < self.fold.names().places().count());
    }

    /// Takes an arbitrary entry (any time, repeated, any fields) or an arbitrary reply to XINFO.
    pub(super) fn take_anything(&mut self, input: &mut Input<'_>) {
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
                .then(|| Ended::new(input.number(), input.number()));
            let info = (!ms.is_multiple_of(11)).then_some(info);
            let lost = self.ledger.check_with(info.as_ref(), counted);
            self.missed(lost);
        }
    }

    /// Takes an arbitrary reply in wire format.
    pub(super) fn take_reply(&mut self, input: &mut Input<'_>) {
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

    pub(super) fn bounds_hold(&mut self) {
        assert!(self.fold.remembered() <= JOBS);
        let names = self.fold.names().labels();
        assert!(names.len() >= self.names, "a name went away");
        assert!(names.len() <= NAMES + 2);
        assert!(names.iter().all(|name| name.len() <= LONGEST_LABEL));
        self.names = names.len();
    }

    /// Each outcome in the stream was counted once, and each incident was counted once.
    pub(super) fn ends_add_up(&mut self) {
        self.fold.flush(&mut self.batch);
        let ends = &self.batch.ends;
        let of = |outcome| ends.iter().filter(|end| end.outcome == outcome).count() as u64;
        let all = Ended::from_fn(|end| of(Outcome::Final(end)));
        assert_eq!(all, self.read_ends);
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
    pub(super) fn is_true_to(&self, server: &Server) {
        assert_eq!(self.read + self.lost, server.added);
        let all = Ended::from_fn(|end| self.read_ends[end] + self.repaired[end]);
        for (end, counted) in all.iter() {
            assert!(
                *counted <= server.ended[end],
                "{all:?} of {:?}",
                server.ended
            );
        }
        let metered = server.metered == server.ended;
        if self.lost == 0 || metered && self.ledger.repair.is_exact() {
            assert_eq!(all, server.ended);
        }
    }
}
