//! The event stream of one followed queue: read position, aggregated results, next read time.

use std::sync::Arc;
use std::time::Duration;

use redis::{Pipeline, Value};
use tokio::time::Instant;

use crate::events::entry::{Entry, Event, StreamId, StreamInfo};
use crate::events::fold::{Batch, End, Incident, Name, Outcome, Tally};
use crate::events::ledger::Ledger;
use crate::events::reading::Reading;
use crate::nodes::link::is_elsewhere;
use crate::shared::Queue;
use vigie_redis::reply::bytes;

/// Factor by which an idle stream is reconciled less often with the server's count. It still has to be, because it can
/// be deleted and recreated.
const IDLE: u32 = 6;
/// Delay before the next check while the queue moves to another node.
const CHECK_MOVING: Duration = Duration::from_millis(500);
/// Number of entries after which the next read comes sooner, before BullMQ trims the stream (at 10,000 entries).
const MANY: usize = 2_000;

/// Number of commands that [`Stream::ask`] appends.
pub(crate) const REPLIES: usize = 5;

/// A job count kept by the workers. A missing key means 0: no job has ended yet, or metrics are disabled.
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
    /// Delay between an entry and reconciliation with the server's count.
    check_every: Duration,
}

/// Delay until the next read.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) busy: Duration,
    pub(crate) idle: Duration,
}

impl Stream {
    /// Continues at the queue's read position; `None` if another task holds the reading. The position is checked before
    /// the first read, because the server may have been replaced or have lost its data.
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

    /// Puts the reading back for the next follower. Returns the queue if no follower will take it, so that its counts
    /// can be removed.
    pub(crate) fn leave(self) -> Option<Arc<Queue>> {
        let queue = self.queue;
        queue.activity.follow(false);
        self.reading.counts.exact.forget();
        queue.reading.give(self.reading).then_some(queue)
    }

    /// The entry after which to continue; `None` if the stream is not read.
    pub(crate) fn cursor(&self) -> Option<StreamId> {
        self.reading.ledger.as_ref().map(Ledger::cursor)
    }

    /// Appends XINFO STREAM, with the workers' counts before and after it: if both are equal, they are valid for that
    /// moment.
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

    /// Processes the replies to [`Stream::ask`].
    pub(crate) fn checked(&mut self, answers: &[Value], now: Instant) {
        if answers.iter().any(is_elsewhere) {
            // The stream exists, but on another node.
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
                    // The counts are kept, but may be incomplete.
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

    /// Counts outcomes found only in the workers' counters, under the name unknown.
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
            // Unchanged until the read position reaches the last check.
            false => {}
        }
        if missed != [0; 2] {
            let mut fold = self.queue.fold.lock();
            let name = fold.unknown();
            self.reading.counts.follow(fold.names());
            self.reading.counts.missed(name, missed);
        }
    }

    /// Processes entries that were read. `full`: the reply was cut at the limit, and more entries may follow.
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

    /// Adds new outcomes to the totals by queue name.
    pub(crate) fn publish(&mut self) {
        self.reading.counts.publish();
    }

    /// Schedules the next read after a read that returned `entries` entries.
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

    /// Records the name of a job that became active, and its wait time.
    pub(crate) fn start(&mut self, job: &[u8], wait: Option<Duration>, looked_up: Option<&[u8]>) {
        let mut fold = self.queue.fold.lock();
        let name = fold.learn(job, looked_up);
        self.reading.counts.follow(fold.names());
        if let Some(wait) = wait {
            self.reading.counts.waited(name, wait);
        }
    }

    /// Counts the end of an attempt, with its name if it was looked up.
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

    /// Counts an incident, with the name of its job if it was looked up.
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
