//! Looks at all queues now and then, and counts their workers; on the connection that counts the jobs.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::MutexGuard;
use redis::Value;
use tokio::time::Instant;
use tracing::warn;

use crate::error::Error;
use crate::events::fold::Fold;
use crate::events::pauses::Pauses;
use crate::nodes::link::{Link, is_elsewhere, unless_of_key};
use crate::nodes::node::Node;
use crate::shared::{Census, Queue, Shared};
use crate::signals::workers;
use crate::signals::{self, Events, Known, Look, Remembered, Replies};

/// Queues looked at together.
const CHUNK: usize = 500;
/// Streams read back among them, in search of a pause: half a megabyte, and 10 where return values are large.
const READS: usize = 8;
/// A look takes no more steps: one, one for each priority, and one for the jobs of the last.
const STEPS: usize = 40;
/// What the server refused is asked for again, but not soon: it may keep a log of what it refuses.
const REFUSED: Duration = Duration::from_secs(60);

pub(crate) struct Inspector {
    shared: Arc<Shared>,
    node: Arc<Node>,
    next_look: Instant,
    next_workers: Instant,
    /// Whether it was said that the server refuses to tell.
    look_refused: bool,
    workers_refused: bool,
}

impl Inspector {
    pub(crate) fn new(shared: Arc<Shared>, node: Arc<Node>) -> Self {
        let now = Instant::now();
        Self {
            shared,
            node,
            next_look: now,
            next_workers: now,
            look_refused: false,
            workers_refused: false,
        }
    }

    /// Begins at once.
    pub(crate) fn restart(&mut self) {
        self.next_look = Instant::now();
        self.next_workers = self.next_look;
    }

    /// When there is something to do.
    pub(crate) fn next(&self) -> Instant {
        self.next_look.min(self.next_workers)
    }

    /// Does what is due.
    pub(crate) async fn run(&mut self, link: &mut Link) -> Result<(), Error> {
        let settings = &self.shared.settings;
        let (looks_every, workers_every) = (settings.signals_every, settings.workers_every);
        if self.next_look <= Instant::now() {
            let (refused, pause) = match self.look(link).await {
                // Without the server's clock nothing has an age.
                Err(error) if error.is_refusal() => {
                    for queue in self.node.queues().iter() {
                        queue.while_at(&self.node, |queue| queue.signals.forget());
                    }
                    (Some(error), REFUSED)
                }
                result => (result?, looks_every),
            };
            self.next_look = Instant::now() + pause;
            match &refused {
                Some(error) => say_once(&mut self.look_refused, error),
                None => self.look_refused = false,
            }
        }
        if self.next_workers <= Instant::now() {
            let refused = match self.workers(link).await {
                Err(error) if error.is_of_server() => Some(error),
                result => result.map(|()| None)?,
            };
            let pause = refused.as_ref().map_or(workers_every, |_| REFUSED);
            self.next_workers = Instant::now() + pause;
            if let Some(error) = &refused {
                for queue in self.node.queues().iter() {
                    queue.while_at(&self.node, |queue| queue.signals.workers(None));
                }
                say_once(&mut self.workers_refused, error);
            }
        }
        Ok(())
    }

    /// Looks at all queues whose levels are known. Returns what the server refused, of which that is unknown then.
    async fn look(&mut self, link: &mut Link) -> Result<Option<Error>, Error> {
        let queues = self.node.queues();
        let chunks: Vec<_> = queues.chunks(CHUNK).collect();
        // While the server answers for one chunk, the answers for another are read.
        let mut other = link.clone();
        let (refused, others) = tokio::join!(
            self.look_at(link, chunks.iter().step_by(2)),
            self.look_at(&mut other, chunks.iter().skip(1).step_by(2)),
        );
        link.join(&other);
        Ok(refused?.or(others?))
    }

    async fn look_at<'a>(
        &self,
        link: &mut Link,
        chunks: impl Iterator<Item = &'a &'a [Arc<Queue>]>,
    ) -> Result<Option<Error>, Error> {
        let mut refused = None;
        for chunk in chunks {
            let mut reads = READS;
            let counted = chunk.iter().filter_map(|queue| {
                let levels = queue.counted.lock().map(|counted| counted.levels)?;
                let (gaps, remembered) = std::mem::take(&mut *queue.remembered.lock());
                // After a gap they may have been taken and have come back.
                let valid = gaps == queue.fold.lock().gaps();
                let known = Known {
                    key: &queue.key,
                    levels,
                    events: queue.events,
                    remembered: match valid {
                        true => remembered,
                        false => Remembered::default(),
                    },
                };
                Some((&**queue, Look::new(known, &mut reads)))
            });
            refused = look(link, &self.node, counted.collect()).await?.or(refused);
        }
        Ok(refused)
    }

    async fn workers(&mut self, link: &mut Link) -> Result<(), Error> {
        let what = "listing clients";
        let reply = link.ask(what, &workers::ask()).await?;
        let queues = self.node.queues();
        let keys = queues.iter().map(|queue| &queue.key);
        let database = self.node.endpoint.database().unwrap_or(0);
        let counted = workers::count(&reply, database, keys).ok_or(Error::Answer { what })?;
        for (queue, workers) in queues.iter().zip(counted) {
            queue.while_at(&self.node, |queue| queue.signals.workers(Some(workers)));
        }
        self.workers_refused = false;
        Ok(())
    }
}

/// Advances the looks together until all are over.
async fn look(
    link: &mut Link,
    node: &Node,
    mut looks: Vec<(&Queue, Look<'_>)>,
) -> Result<Option<Error>, Error> {
    let what = "looking at jobs";
    let mut refused = None;
    let mut now = 0;
    for step in 0..STEPS {
        let mut pipeline = redis::pipe();
        if step == 0 {
            pipeline.add_command(signals::ask_time());
        }
        let mut lengths = Vec::with_capacity(looks.len());
        for (_, look) in &looks {
            let before = pipeline.len();
            look.ask(now, &mut pipeline);
            lengths.push(pipeline.len() - before);
        }
        if pipeline.is_empty() {
            break;
        }
        let answers = link.ask_all(what, &pipeline).await?;
        let mut rest = answers.as_slice();
        if let (0, Some((time, others))) = (step, rest.split_first()) {
            unless_of_key(what, time)?;
            now = signals::time(time).ok_or(Error::Answer { what })?;
            rest = others;
        }
        for answer in rest {
            match unless_of_key(what, answer) {
                // One command and not another: a look takes that for not known.
                Err(error) if error.is_refusal() => refused = Some(error),
                result => result?,
            }
        }
        let mut lengths = lengths.into_iter();
        looks.retain_mut(|(queue, look)| {
            let length = lengths.next().unwrap_or(0);
            let (mine, others): (&[Value], _) = rest.split_at(length.min(rest.len()));
            rest = others;
            if mine.iter().any(is_elsewhere) {
                // On its way to another node: half of it may be there already.
                queue.while_at(node, |queue| queue.signals.forget());
                return false;
            }
            if length > 0 {
                let events = Seen {
                    fold: queue.fold.lock(),
                    followed: queue.activity.is_followed(),
                };
                look.take(now, &mut Replies::new(mine), &events);
            }
            true
        });
    }
    for (queue, look) in looks {
        let (signals, remembered) = look.end(now);
        let mut fold = queue.fold.lock();
        *queue.remembered.lock() = (fold.gaps(), remembered);
        // Ends that were not read yet are of jobs that are still remembered, and in flight no more: so what is remembered is
        // held against the count of the last look, and only if all that happened until then has been read since.
        let counted = *queue.counted.lock();
        let census = counted.and_then(|counted| {
            let in_flight = counted.levels.in_flight()?;
            let at = Instant::now();
            Some(Census { in_flight, at, now })
        });
        let before = std::mem::replace(&mut *queue.census.lock(), census);
        if let Some(before) = before
            && queue.activity.is_complete(before.at)
        {
            fold.hold_against(before.in_flight, before.now);
        }
        drop(fold);
        queue.while_at(node, |queue| queue.signals.set(&signals));
    }
    Ok(refused)
}

/// What the events of a queue told so far.
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

fn say_once(said: &mut bool, error: &Error) {
    if !std::mem::replace(said, true) {
        warn!(%error, "the server does not tell: what depends on it has no series");
    }
}
