//! Periodically inspects all queues of a node and counts their workers, on the connection that also counts jobs.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::MutexGuard;
use redis::Value;
use tokio::time::Instant;

use crate::error::Error;
use crate::events::fold::Fold;
use crate::events::pauses::Pauses;
use crate::nodes::link::{Link, is_elsewhere};
use crate::nodes::node::Node;
use crate::shared::{Census, Queue, Shared};
use crate::signals::workers;
use crate::signals::{self, Clock, Events, Inspection, Known, Remembered, Replies};

/// Queues inspected together.
const CHUNK: usize = 500;
/// Streams read back per chunk to find the start of a pause: half a megabyte, or 10 MB with large return values.
const READS: usize = 8;
/// Maximum number of steps of an inspection: one, one per priority, and one for the jobs of the last priority.
const STEPS: usize = 40;

/// After this many broken connections in a row, a command is only retried after `BROKEN`: some proxies close the
/// connection on an unknown command. Meanwhile levels are counted.
const BREAKS: u32 = 3;
const BROKEN: Duration = Duration::from_secs(60);

pub(crate) struct Inspector {
    shared: Arc<Shared>,
    node: Arc<Node>,
    signals: Schedule,
    workers: Schedule,
}

/// The schedule of a periodic task.
struct Schedule {
    next: Instant,
    /// The number of consecutive starts that did not complete.
    breaks: u32,
}

impl Schedule {
    fn now() -> Self {
        let next = Instant::now();
        Self { next, breaks: 0 }
    }

    /// After a reconnect, the task is due at once, unless it repeatedly broke the connection.
    fn restart(&mut self) {
        if self.breaks < BREAKS {
            self.next = Instant::now();
        }
    }

    fn is_due(&self) -> bool {
        self.next <= Instant::now()
    }

    fn begin(&mut self) {
        self.breaks += 1;
        self.next = Instant::now() + BROKEN;
    }

    fn end(&mut self, every: Duration) {
        self.breaks = 0;
        self.next = Instant::now() + every;
    }
}

impl Inspector {
    pub(crate) fn new(shared: Arc<Shared>, node: Arc<Node>) -> Self {
        Self {
            shared,
            node,
            signals: Schedule::now(),
            workers: Schedule::now(),
        }
    }

    /// Reschedules the tasks after a reconnect.
    pub(crate) fn restart(&mut self) {
        self.signals.restart();
        self.workers.restart();
    }

    /// When the next task is due.
    pub(crate) fn next(&self) -> Instant {
        self.signals.next.min(self.workers.next)
    }

    /// Runs the tasks that are due.
    pub(crate) async fn run(&mut self, link: &mut Link) -> Result<(), Error> {
        let settings = &self.shared.settings;
        let (signals_every, workers_every) = (settings.signals_every, settings.workers_every);
        if self.signals.is_due() {
            self.signals.begin();
            self.inspect_all(link).await?;
            self.signals.end(signals_every);
        }
        if self.workers.is_due() {
            self.workers.begin();
            self.count_workers(link).await?;
            self.workers.end(workers_every);
        }
        Ok(())
    }

    /// Inspects all queues whose levels are known.
    async fn inspect_all(&self, link: &mut Link) -> Result<(), Error> {
        let queues = self.node.queues();
        if queues.is_empty() {
            return Ok(());
        }
        let time = link.ask("reading the time", signals::ask_time()).await?;
        let at = Instant::now().into_std();
        let clock = signals::time(&time).map(|now| Clock { now, at });
        let chunks: Vec<_> = queues.chunks(CHUNK).collect();
        // The replies for one chunk are processed while the server handles the next.
        let mut other = link.clone();
        let (first, second) = tokio::join!(
            self.inspect_chunks(link, clock, chunks.iter().step_by(2)),
            self.inspect_chunks(&mut other, clock, chunks.iter().skip(1).step_by(2)),
        );
        link.join(&other);
        first.and(second)
    }

    async fn inspect_chunks<'a>(
        &self,
        link: &mut Link,
        clock: Option<Clock>,
        chunks: impl Iterator<Item = &'a &'a [Arc<Queue>]>,
    ) -> Result<(), Error> {
        for chunk in chunks {
            let mut reads = READS;
            let counted = chunk.iter().filter_map(|queue| {
                let levels = queue.counted.lock().map(|counted| counted.levels)?;
                let (gaps, remembered) = std::mem::take(&mut *queue.remembered.lock());
                // After missed entries, remembered jobs may have been taken and returned.
                let valid = gaps == queue.fold.lock().gaps();
                let known = Known {
                    key: &queue.key,
                    now: clock.map(|clock| clock.now),
                    levels,
                    events: queue.events,
                    remembered: match valid {
                        true => remembered,
                        false => Remembered::default(),
                    },
                };
                Some((&**queue, Inspection::new(known, &mut reads)))
            });
            inspect(link, &self.node, clock, counted.collect()).await?;
        }
        Ok(())
    }

    async fn count_workers(&self, link: &mut Link) -> Result<(), Error> {
        let reply = link.ask("listing clients", workers::ask()).await?;
        let queues = self.node.queues();
        let keys = queues.iter().map(|queue| &queue.key);
        let database = self.node.endpoint.database().unwrap_or(0);
        let counted = workers::count(&reply, database, keys);
        for (at, queue) in queues.iter().enumerate() {
            let workers = counted.as_ref().map(|counted| counted[at]);
            queue.if_held_by(&self.node, |queue| queue.signals.workers(workers));
        }
        Ok(())
    }
}

/// Advances the inspections together until all are complete.
async fn inspect(
    link: &mut Link,
    node: &Node,
    clock: Option<Clock>,
    mut inspections: Vec<(&Queue, Inspection<'_>)>,
) -> Result<(), Error> {
    for _ in 0..STEPS {
        let mut pipeline = redis::pipe();
        let mut lengths = Vec::with_capacity(inspections.len());
        for (_, inspection) in &inspections {
            let before = pipeline.len();
            inspection.ask(&mut pipeline);
            lengths.push(pipeline.len() - before);
        }
        if pipeline.is_empty() {
            break;
        }
        let answers = link.ask_all("inspecting jobs", &pipeline).await?;
        let mut rest = answers.as_slice();
        let mut lengths = lengths.into_iter();
        inspections.retain_mut(|(queue, inspection)| {
            let length = lengths.next().unwrap_or(0);
            let (mine, others): (&[Value], _) = rest.split_at(length.min(rest.len()));
            rest = others;
            if mine.iter().any(is_elsewhere) {
                // The queue is migrating to another node, and its data may be split.
                queue.if_held_by(node, |queue| queue.signals.forget());
                return false;
            }
            if length > 0 {
                let events = Seen {
                    fold: queue.fold.lock(),
                    followed: queue.activity.is_followed(),
                };
                inspection.take(&mut Replies::new(mine), &events);
            }
            true
        });
    }
    for (queue, inspection) in inspections {
        let (signals, remembered) = inspection.end();
        let mut fold = queue.fold.lock();
        *queue.remembered.lock() = (fold.gaps(), remembered);
        // Jobs whose end event was not read yet are remembered but no longer in flight. Therefore compare with the
        // count of the last inspection, and only if all events until then have been read.
        let counted = *queue.counted.lock();
        let census = counted.zip(clock).and_then(|(counted, clock)| {
            let in_flight = counted.levels.in_flight()?;
            let (at, now) = (Instant::now(), clock.now);
            Some(Census { in_flight, at, now })
        });
        let before = std::mem::replace(&mut *queue.census.lock(), census);
        if let Some(before) = before
            && queue.activity.is_complete(before.at)
        {
            fold.reconcile(before.in_flight, before.now);
        }
        drop(fold);
        let at = Instant::now().into_std();
        queue.if_held_by(node, |queue| queue.signals.set(&signals, clock, at));
    }
    Ok(())
}

/// The state of a queue from its events so far.
struct Seen<'a> {
    fold: MutexGuard<'a, Fold>,
    followed: bool,
}

impl Events for Seen<'_> {
    fn ready(&self, job: &[u8]) -> Option<u64> {
        self.fold.ready(job)
    }

    fn started(&self, job: &[u8]) -> Option<u64> {
        self.fold.started(job)
    }

    fn pauses(&self) -> Pauses {
        self.fold.pauses()
    }

    fn are_followed(&self) -> bool {
        self.followed
    }
}
