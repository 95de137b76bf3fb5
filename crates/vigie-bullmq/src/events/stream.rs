//! One queue's event stream, as it is followed: where the reading stands, what it came to, when to look again.

use std::sync::Arc;
use std::time::Duration;

use redis::{Pipeline, Value};
use tokio::time::Instant;

use crate::events::entry::{Entry, Event, StreamId, StreamInfo, bytes};
use crate::events::fold::{Batch, End, Incident, Name, Outcome, Tally};
use crate::events::ledger::Ledger;
use crate::events::reading::Reading;
use crate::nodes::link::is_elsewhere;
use crate::shared::Queue;

/// A stream without entries is compared with the server's count so many times less often than after one: it can be deleted
/// and made anew.
const IDLE: u32 = 6;
/// How soon it is compared while the queue moves from one node to another.
const CHECK_MOVING: Duration = Duration::from_millis(500);
/// So many entries in one look: the next look comes sooner, before BullMQ trims (at 10,000).
const MANY: usize = 2_000;

/// How many commands [`Stream::ask`] makes.
pub(crate) const REPLIES: usize = 5;

/// A count of jobs that workers keep; without a key there was none yet, or none is kept.
fn counted(answer: &Value) -> Option<u64> {
    match answer {
        Value::Nil => Some(0),
        value => std::str::from_utf8(bytes(value)?).ok()?.parse().ok(),
    }
}

pub(crate) struct Stream {
    pub(crate) queue: Arc<Queue>,
    pub(crate) key: String,
    reading: Box<Reading>,
    pub(crate) read_at: Instant,
    pub(crate) check_at: Instant,
    /// How soon after an entry the reading is compared with the server's count.
    check_every: Duration,
}

/// How soon to look again.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) busy: Duration,
    pub(crate) idle: Duration,
}

impl Stream {
    /// Goes on where the reading of the queue stands, if nobody else has it. Before anything is read it is checked: the
    /// server may be another, or have come back empty.
    pub(crate) fn begin(queue: &Arc<Queue>, check_every: Duration, now: Instant) -> Option<Self> {
        let begin = || Reading::new(&queue.space.families, &queue.key, &queue.row);
        let reading = queue.reading.take(|| Box::new(begin()))?;
        Some(Self {
            key: queue.key.part("events"),
            queue: Arc::clone(queue),
            reading,
            read_at: now,
            check_at: now,
            check_every,
        })
    }

    /// Leaves the reading where it stands, for whoever goes on with it. Gives the queue if nobody will: then what was
    /// counted of it may go.
    pub(crate) fn leave(self) -> Option<Arc<Queue>> {
        let queue = self.queue;
        queue.activity.follow(false);
        self.reading.counts.exact.forget();
        queue.reading.give(self.reading).then_some(queue)
    }

    /// After which entry to read on, if it is to be read.
    pub(crate) fn cursor(&self) -> Option<StreamId> {
        self.reading.ledger.as_ref().map(Ledger::cursor)
    }

    /// Asks for the server's description of the stream, and for the workers' counts before and after it: if they are the
    /// same both times, they are of that moment.
    pub(crate) fn ask(&self, pipeline: &mut Pipeline) {
        let counted = |pipeline: &mut Pipeline| {
            for part in ["metrics:completed", "metrics:failed"] {
                pipeline
                    .cmd("HGET")
                    .arg(self.queue.key.part(part))
                    .arg("count");
            }
        };
        counted(pipeline);
        pipeline.cmd("XINFO").arg("STREAM").arg(&self.key);
        counted(pipeline);
    }

    /// Takes the answers.
    pub(crate) fn checked(&mut self, answers: &[Value], now: Instant) {
        if answers.iter().any(is_elsewhere) {
            // Not gone, only not here.
            self.check_at = now + CHECK_MOVING;
            self.queue.activity.follow(false);
            return;
        }
        let [completed, failed, answer, after @ ..] = answers else {
            return;
        };
        let before = [completed, failed].map(counted);
        let counted = [before[0], before[1]] == [0, 1].map(|at| after.get(at).and_then(counted));
        let counted = counted.then_some(before).and_then(|[a, b]| Some([a?, b?]));
        self.check_at = now + IDLE * self.check_every;
        if let Value::ServerError(error) = answer
            && error.code() == "WRONGTYPE"
        {
            if self.reading.ledger.take().is_some() {
                self.reading.was_broken = true;
                self.reading.counts.lost.inc();
            }
            self.reading.counts.exact.forget();
            self.queue.activity.follow(false);
            return;
        }
        let info = match answer {
            // No such key.
            Value::ServerError(_) => None,
            answer => match StreamInfo::read(answer) {
                Some(info) => Some(info),
                None => {
                    // What was read before stays; whether it is complete is not known.
                    self.reading.counts.exact.forget();
                    return;
                }
            },
        };
        let lost = match &mut self.reading.ledger {
            Some(ledger) => ledger.check_with(info.as_ref(), counted),
            None => {
                let mut ledger = match self.queue.is_new {
                    true => Ledger::from_start(),
                    false => Ledger::from_now(info.as_ref()),
                };
                let lost = ledger.check_with(info.as_ref(), counted);
                if self.reading.was_broken {
                    ledger = ledger.after_break();
                }
                self.reading.ledger = Some(ledger);
                lost
            }
        };
        let ledger = self.reading.ledger.as_mut();
        let lost = lost + ledger.map_or(0, Ledger::unreported_breaks);
        if lost > 0 {
            self.reading.counts.lost.add(lost);
            self.queue.activity.changed();
            self.queue.fold.lock().gap();
        }
        self.repair();
    }

    /// Counts what ended unseen, by no name.
    fn repair(&mut self) {
        let Some(ledger) = &mut self.reading.ledger else {
            return;
        };
        let missed = ledger.repair.take();
        match ledger.is_settled() {
            _ if !ledger.is_provable() => self.reading.counts.exact.forget(),
            true => self
                .reading
                .counts
                .exact
                .set(f64::from(ledger.repair.is_exact())),
            // It stays what it was, until the reading gets there.
            false => {}
        }
        if missed != [0; 2] {
            let mut fold = self.queue.fold.lock();
            let name = fold.unknown();
            self.reading.counts.follow(fold.names());
            self.reading.counts.missed(name, missed);
        }
    }

    /// Takes what was read; `full`: there may be more.
    pub(crate) fn take(&mut self, entries: &[Value], full: bool, batch: &mut Batch) {
        let mut read = 0;
        self.reading.counts.begin_batch();
        let queue = Arc::clone(&self.queue);
        let mut fold = queue.fold.lock();
        fold.begin_batch();
        for entry in entries {
            let (Some(entry), Some(ledger)) = (Entry::read(entry), &mut self.reading.ledger) else {
                continue;
            };
            read += 1;
            let outcome = match entry.event {
                Event::Completed => Some(0),
                Event::Failed => Some(1),
                _ => None,
            };
            let lost = ledger.read_end(entry.id, outcome);
            if lost > 0 {
                self.reading.counts.lost.add(lost);
                fold.gap();
            }
            fold.apply(&entry, batch);
        }
        if !entries.is_empty() {
            queue.activity.changed();
        }
        self.reading.counts.read.add(read);
        if !full {
            fold.flush(batch);
        }
        self.reading.counts.follow(fold.names());
        self.reading.counts.arrived(batch);
        drop(fold);
        self.repair();
    }

    /// Brings what ended into the row.
    pub(crate) fn publish(&mut self) {
        self.reading.counts.publish();
    }

    /// Sets when to look again after a look that gave so many entries.
    pub(crate) fn pace(&mut self, entries: usize, full: bool, now: Instant, pace: Pace) {
        self.read_at = match entries {
            _ if full => now,
            0 => now + pace.idle,
            1..MANY => now + pace.busy,
            _ => now + pace.busy / 4,
        };
        if entries > 0 {
            self.check_at = self.check_at.min(now + self.check_every);
        }
    }

    /// Learns the name of a job that was taken, and counts its wait.
    pub(crate) fn start(&mut self, job: &[u8], wait: Option<Duration>, looked_up: Option<&[u8]>) {
        let mut fold = self.queue.fold.lock();
        let name = fold.learn(job, looked_up);
        self.reading.counts.follow(fold.names());
        if let Some(wait) = wait {
            self.reading.counts.waited(name, wait);
        }
    }

    /// Counts an end whose name was looked up, if it had to be.
    pub(crate) fn end(&mut self, end: &End, looked_up: Option<&[u8]>) {
        let mut fold = self.queue.fold.lock();
        let name = match &end.name {
            Name::Known(name) => *name,
            Name::Of(job) => fold.learn(job, looked_up),
            Name::Unknown => fold.unknown(),
        };
        if end.attempt_failed || end.outcome == Outcome::Failed {
            fold.failed(name);
        }
        self.reading.counts.follow(fold.names());
        self.reading.counts.end(name, end);
    }

    /// Counts what happened to jobs whose name was looked up, if it had to be.
    pub(crate) fn tally(&mut self, tally: &Tally, looked_up: Option<&[u8]>) {
        let mut fold = self.queue.fold.lock();
        let name = match (&tally.name, looked_up) {
            (Name::Known(name), _) => Some(*name),
            (Name::Of(job), Some(_)) => Some(fold.learn(job, looked_up)),
            _ => None,
        };
        if let (Incident::Stalled, Some(name)) = (tally.incident, name) {
            fold.failed(name);
        }
        self.reading.counts.follow(fold.names());
        self.reading.counts.tally(tally.incident, name, tally.jobs);
    }
}
