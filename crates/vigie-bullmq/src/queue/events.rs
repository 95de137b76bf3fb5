//! How entries of the event stream change the state of a queue.

use std::time::Duration;

use redis::Value;

use crate::events::batch::{Batch, End, Incident, Name, Tally};
use crate::protocol::check::Check;
use crate::protocol::entry::Entry;
use crate::protocol::outcome::Outcome;
use crate::queue::reading::Reading;
use crate::queue::state::State;

/// An event of a job whose name has to be looked up.
pub(crate) struct Nameless {
    pub(crate) job: Box<[u8]>,
    event: NamelessEvent,
}

enum NamelessEvent {
    /// The job became active after this wait time.
    Start(Option<Duration>),
    End(End),
    Tally(Tally),
}

impl State {
    /// Processes the server's counts. `is_new`: whether the first entry of the stream is the first to read.
    pub(super) fn check(&mut self, reading: &mut Reading, check: &Check, is_new: bool) {
        match check {
            Check::Elsewhere => self.activity.follow(false),
            Check::OtherType => {
                reading.break_off();
                self.activity.follow(false);
            }
            // The counts are kept, but may be incomplete.
            Check::Unknown => reading.counts.exact.forget(),
            Check::Stream { info, ended } => {
                let lost = reading.check(info.as_ref(), *ended, is_new);
                if lost > 0 {
                    reading.counts.lost.add(lost);
                    self.activity.changed();
                    self.fold.gap();
                }
                self.repair(reading);
            }
        }
    }

    /// Counts outcomes found only in the workers' counters, under the name unknown.
    fn repair(&mut self, reading: &mut Reading) {
        let Some(ledger) = &mut reading.ledger else {
            return;
        };
        let missed = ledger.repair.take();
        match ledger.is_settled() {
            _ if !ledger.is_provable() => reading.counts.exact.forget(),
            true => {
                let is_exact = ledger.repair.is_exact();
                reading.counts.exact.set(f64::from(is_exact));
            }
            // Unchanged until the read position reaches the last check.
            false => {}
        }
        if !missed.is_zero() {
            let name = self.fold.unknown();
            reading.counts.follow(self.fold.names());
            reading.counts.missed(name, missed);
        }
    }

    /// Processes entries that were read. `full`: the reply was cut at the limit, and more entries may follow.
    ///
    /// Returns the events that are not counted yet, because the names of their jobs have to be looked up.
    pub(super) fn read(
        &mut self,
        reading: &mut Reading,
        entries: &[Value],
        full: bool,
    ) -> Vec<Nameless> {
        let mut batch = Batch::default();
        let mut read = 0;
        reading.counts.begin_batch();
        self.fold.begin_batch();
        for entry in entries {
            let (Some(entry), Some(ledger)) = (Entry::read(entry), &mut reading.ledger) else {
                continue;
            };
            read += 1;
            let lost = ledger.read_end(entry.id, entry.event.ended());
            if lost > 0 {
                reading.counts.lost.add(lost);
                self.fold.gap();
            }
            self.fold.apply(&entry, &mut batch);
        }
        if !entries.is_empty() {
            self.activity.changed();
        }
        reading.counts.read.add(read);
        if !full {
            self.fold.flush(&mut batch);
        }
        reading.counts.follow(self.fold.names());
        reading.counts.arrived(&batch);
        self.repair(reading);
        self.count(reading, batch)
    }

    /// Counts the events of a batch. Returns those whose names have to be looked up.
    fn count(&mut self, reading: &mut Reading, batch: Batch) -> Vec<Nameless> {
        let started = batch.unnamed.into_iter().map(|(job, wait)| Nameless {
            job,
            event: NamelessEvent::Start(wait),
        });
        let mut nameless: Vec<_> = started.collect();
        for end in batch.ends {
            match &end.name {
                Name::Of(job) => nameless.push(Nameless {
                    job: job.clone(),
                    event: NamelessEvent::End(end),
                }),
                _ => self.end(reading, &end, None),
            }
        }
        for tally in batch.tallies {
            match &tally.name {
                Name::Of(job) => nameless.push(Nameless {
                    job: job.clone(),
                    event: NamelessEvent::Tally(tally),
                }),
                _ => self.tally(reading, &tally, None),
            }
        }
        nameless
    }

    /// Counts an event after the lookup of its name; `None`: the name is unknown.
    pub(super) fn name(&mut self, reading: &mut Reading, found: &Nameless, name: Option<&[u8]>) {
        match &found.event {
            NamelessEvent::Start(wait) => self.start(reading, &found.job, *wait, name),
            NamelessEvent::End(end) => self.end(reading, end, name),
            NamelessEvent::Tally(tally) => self.tally(reading, tally, name),
        }
    }

    /// Records the name of a job that became active, and its wait time.
    fn start(
        &mut self,
        reading: &mut Reading,
        job: &[u8],
        wait: Option<Duration>,
        looked_up: Option<&[u8]>,
    ) {
        let name = self.fold.learn(job, looked_up);
        reading.counts.follow(self.fold.names());
        if let Some(wait) = wait {
            reading.counts.waited(name, wait);
        }
    }

    /// Counts the end of an attempt, with its name if it was looked up.
    fn end(&mut self, reading: &mut Reading, end: &End, looked_up: Option<&[u8]>) {
        let name = match &end.name {
            Name::Known(name) => *name,
            Name::Of(job) => self.fold.learn(job, looked_up),
            Name::Unknown => self.fold.unknown(),
        };
        if end.attempt_failed || end.outcome == Outcome::FAILED {
            self.fold.failed(name);
        }
        if let Some(failure) = &end.failure {
            self.reasons.record(self.fold.names().label(name), failure);
        }
        reading.counts.follow(self.fold.names());
        reading.counts.end(name, end);
    }

    /// Counts an incident, with the name of its job if it was looked up.
    fn tally(&mut self, reading: &mut Reading, tally: &Tally, looked_up: Option<&[u8]>) {
        let name = match (&tally.name, looked_up) {
            (Name::Known(name), _) => Some(*name),
            (Name::Of(job), Some(_)) => Some(self.fold.learn(job, looked_up)),
            _ => None,
        };
        if let (Incident::Stalled, Some(name)) = (tally.incident, name) {
            self.fold.failed(name);
        }
        reading.counts.follow(self.fold.names());
        reading.counts.tally(tally.incident, name, tally.jobs);
    }
}
