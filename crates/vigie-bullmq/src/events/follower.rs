//! The task that follows the event streams of all queues of a node, on one connection.
//!
//! It reads without blocking and at its own pace: a blocking XREAD over many streams, asked again after
//! every event, would cost the server half a core.
//!
//! An entry that tells a completion holds the whole return value, be it 10 KB. What this costs is its way over the
//! network, and no more: values are not parsed, copied or kept, only looked at for their length, and an answer is given
//! back before names are asked for. How many entries an answer may hold follows from the size of those before, so that
//! it is about 8 MiB ([`ANSWER`]): neither the memory nor the time of one answer grows with the values, and a stream of
//! which there is more to read is read on at once. Reading less of an entry would need a script, which is a right of its
//! own and blocks the server.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::error::Error;
use crate::events::entry::{bytes, each_stream, size};
use crate::events::fold::{Batch, End, Name, Tally};
use crate::events::stream::{self, Pace, Stream};
use crate::nodes::link::{Backoff, Link, is_elsewhere};
use crate::nodes::node::Node;
use crate::nodes::refusals::{UNUSABLE, refused};
use crate::shared::{Queues, Shared};

/// Streams in one command.
const CHUNK: usize = 1_000;
/// Streams checked in one round trip: each answer holds two whole entries.
const CHECKS: usize = 100;
/// Names looked up in one round trip.
const LOOKUPS: usize = 1_000;
/// Entries in one answer: what no answer foretold, that they are 10 KB each all at once, is then 80 MB, once.
const MOST: usize = 8_000;
/// And no fewer, however large they are.
const LEAST: usize = 100;
/// What an answer should not exceed, by the size of the entries before it: return values can be large.
const ANSWER: usize = 8 << 20;
/// How often idle streams are looked at, all together: less than half a percent of a core of the server's.
const IDLE_LOOKS_PER_SECOND: f64 = 3_500.0;
/// No stream is left alone for longer.
const LONGEST_IDLE: Duration = Duration::from_secs(1);

/// Commands without which no event, or none of a queue's first, is read.
const REQUIRED: [&str; 2] = ["XREAD", "XINFO STREAM"];

pub(crate) struct Follower {
    shared: Arc<Shared>,
    node: Arc<Node>,
    backoff: Backoff,
    /// The list the streams were made from.
    queues: Queues,
    /// Whether another still has the reading of some of them.
    waits: bool,
    streams: Vec<Stream>,
    /// Entries in one answer.
    budget: usize,
}

impl Follower {
    pub(crate) fn new(shared: Arc<Shared>, node: Arc<Node>) -> Self {
        Self {
            shared,
            node,
            backoff: Backoff::new(),
            queues: Arc::new([]),
            waits: false,
            streams: Vec::new(),
            budget: MOST,
        }
    }

    /// Runs until `stop` is cancelled and what is under way is done.
    pub(crate) async fn run(mut self, stop: &CancellationToken) {
        let mut link = None;
        while !stop.is_cancelled() {
            if let Err(error) = self.session(&mut link, stop).await {
                self.failed(&error);
                if !error.is_of_command() {
                    link = None;
                }
                let pause = sleep(self.backoff.next());
                stop.run_until_cancelled(pause).await;
            }
        }
        self.leave();
    }

    /// From connecting, unless there is a link, to the first error, or until `stop` is cancelled. The streams stay where
    /// they are, over any number of sessions, here or elsewhere.
    async fn session(
        &mut self,
        kept: &mut Option<Link>,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let busy = self.shared.settings.poll_every;
        let link = match kept {
            Some(link) => link,
            None => match stop.run_until_cancelled(self.open()).await {
                Some(link) => kept.insert(link?),
                None => return Ok(()),
            },
        };
        while !stop.is_cancelled() {
            self.follow_list();
            self.check(link).await?;
            let idle = self.streams.len() as f64 / IDLE_LOOKS_PER_SECOND;
            let idle = Duration::from_secs_f64(idle).max(busy).min(LONGEST_IDLE);
            self.read(link, Pace { busy, idle }).await?;
            self.works();
            if link.take_moved() {
                self.shared.signs.elsewhere(&self.node);
            }
            let next = self.streams.iter().map(|stream| stream.read_at).min();
            // A new queue is not waited for longer than an event of an old one.
            let next = next.unwrap_or_else(|| Instant::now() + busy);
            let pause = sleep_until(next.min(Instant::now() + busy));
            stop.run_until_cancelled(pause).await;
        }
        Ok(())
    }

    async fn open(&self) -> Result<Link, Error> {
        let timeout = self.shared.settings.timeout;
        let refusals = &self.node.refusals;
        let mut link = Link::open(&self.node.endpoint, timeout, refusals).await?;
        link.ask("PING", redis::cmd("PING")).await?;
        Ok(link)
    }

    /// Begins with queues that came, and ends with those that went.
    fn follow_list(&mut self) {
        let queues = self.node.queues();
        if Arc::ptr_eq(&queues, &self.queues) && !self.waits {
            return;
        }
        let streams = std::mem::take(&mut self.streams).into_iter();
        let mut old: HashMap<_, _> = streams
            .map(|stream| (Arc::as_ptr(&stream.queue), stream))
            .collect();
        let followed = || queues.iter().filter(|queue| queue.events);
        let kept: Vec<_> = followed()
            .map(|queue| old.remove(&Arc::as_ptr(queue)))
            .collect();
        self.left(old.into_values().collect());
        let (now, check_every) = (Instant::now(), self.shared.settings.checks_every);
        let streams = kept.into_iter().zip(followed());
        self.streams = streams
            .filter_map(|(stream, queue)| stream.or_else(|| Stream::begin(queue, check_every, now)))
            .collect();
        self.waits = self.streams.len() < followed().count();
        self.queues = queues;
    }

    /// Leaves all streams to the node that follows them next.
    fn leave(&mut self) {
        let streams = std::mem::take(&mut self.streams);
        self.left(streams);
        self.queues = Arc::new([]);
    }

    /// Leaves these streams, and removes what was counted of those that nobody will follow.
    fn left(&self, streams: Vec<Stream>) {
        let over = streams.into_iter().filter_map(Stream::leave);
        let over: Vec<_> = over.collect();
        let keys = over.iter().map(|queue| queue.key.order());
        self.node.space.families.remove_counts(&keys.collect());
    }

    /// Holds what was read against what the server counted, where that is due.
    async fn check(&mut self, link: &mut Link) -> Result<(), Error> {
        let now = Instant::now();
        let mut due: Vec<_> = self.streams.iter_mut().collect();
        due.retain(|stream| stream.check_at <= now);
        for chunk in due.chunks_mut(CHECKS) {
            let mut pipeline = redis::pipe();
            for stream in &*chunk {
                stream.ask(&mut pipeline);
            }
            let answers = link.ask_all("checking events", &pipeline).await?;
            for (stream, answers) in chunk.iter_mut().zip(answers.chunks(stream::REPLIES)) {
                stream.checked(answers, now);
            }
        }
        Ok(())
    }

    /// Reads what is new in the streams that are due.
    async fn read(&mut self, link: &mut Link, pace: Pace) -> Result<(), Error> {
        let now = Instant::now();
        let mut due: Vec<_> = self.streams.iter_mut().collect();
        due.retain(|stream| stream.read_at <= now);
        for stream in &mut due {
            stream.read_at = now + pace.idle;
        }
        due.retain(|stream| stream.cursor().is_some());
        // Outside of a cluster all are in one slot.
        due.sort_by_key(|stream| stream.queue.slot);
        for chunk in due.chunks_mut(CHUNK) {
            let count = (self.budget / chunk.len()).clamp(10, MOST);
            let asked = Instant::now();
            let answers = ask(link, chunk, count).await?;
            let now = Instant::now();
            let mut sizes = (0, 0);
            let mut found = Vec::new();
            let mut complete = vec![false; chunk.len()];
            for (slot, answer) in &answers {
                let here = !is_elsewhere(answer);
                for stream in &chunk[slot.clone()] {
                    stream.queue.activity.follow(here);
                }
                complete[slot.clone()].fill(here);
                let mut at = slot.start;
                each_stream(answer, |key, entries| {
                    // The streams of an answer come in the order they were asked for.
                    let found_at = chunk[at..slot.end]
                        .iter()
                        .position(|stream| stream.key.as_bytes() == key);
                    let Some(ahead) = found_at else { return };
                    at += ahead;
                    let full = entries.len() >= count;
                    let mut batch = Batch::default();
                    chunk[at].take(entries, full, &mut batch);
                    chunk[at].pace(entries.len(), full, now, pace);
                    complete[at] = !full;
                    sizes.0 += entries.len();
                    sizes.1 += entries.iter().map(size).sum::<usize>();
                    found.push((at, batch));
                    at += 1;
                });
            }
            drop(answers);
            let complete = chunk.iter().zip(complete).filter(|(_, complete)| *complete);
            complete.for_each(|(stream, _)| stream.queue.activity.complete(asked));
            finish(link, chunk, found).await?;
            if let Some(size) = sizes.1.checked_div(sizes.0) {
                // Down at once, and up by and by: what is large may come again.
                let most = (2 * self.budget).min(MOST);
                self.budget = (ANSWER / size.max(1)).clamp(LEAST, most);
            }
        }
        Ok(())
    }

    fn works(&mut self) {
        self.backoff.reset();
        let mut health = self.node.health.lock();
        health.followed = true;
        let error = self.node.refusals.reasons(&REQUIRED);
        let error = error.map(|error| self.node.says(error));
        if std::mem::replace(&mut health.events_error, error).is_some()
            && health.events_error.is_none()
        {
            info!(node = self.node.name, "events are followed again");
        }
        drop(health);
        self.shared.report();
    }

    fn failed(&mut self, error: &Error) {
        // If the answer was too large to come in time, the next one is not.
        self.budget = (self.budget / 2).max(LEAST);
        // Without a connection nothing is followed here; elsewhere it may be.
        self.leave();
        let text = self.node.says(error);
        let mut health = self.node.health.lock();
        // A refused command was logged as such.
        if health.events_error.as_ref() != Some(&text) && !error.is_of_command() {
            warn!(
                error = text,
                "events cannot be read: nothing is counted from them until it works again"
            );
        }
        health.events_error = Some(text);
        drop(health);
        self.shared.report();
    }
}

/// The new entries of streams: the answer for those of each slot, which is where they are among all.
async fn ask(
    link: &mut Link,
    streams: &[&mut Stream],
    count: usize,
) -> Result<Vec<(Range<usize>, Value)>, Error> {
    let what = "reading events";
    let mut pipeline = redis::pipe();
    let mut slots = Vec::new();
    let mut end = 0;
    for slot in streams.chunk_by(|a, b| a.queue.slot == b.queue.slot) {
        pipeline.cmd("XREAD").arg("COUNT").arg(count).arg("STREAMS");
        for stream in slot {
            pipeline.arg(&stream.key);
        }
        for stream in slot {
            let cursor = stream.cursor().unwrap_or_default();
            pipeline.arg(cursor.to_string());
        }
        slots.push(end..end + slot.len());
        end += slot.len();
    }
    let answers = link.ask_all(what, &pipeline).await?;
    if answers.contains(&UNUSABLE) {
        let reasons = link.refusals().reasons(&REQUIRED);
        return Err(Error::Refused(reasons.unwrap_or_default()));
    }
    for answer in &answers {
        if let Value::ServerError(error) = answer
            && !is_elsewhere(answer)
        {
            return Err(refused(what, error.clone()));
        }
    }
    Ok(slots.into_iter().zip(answers).collect())
}

/// What is known of a job without a name.
enum Nameless {
    /// It was taken, after it had waited so long.
    Start(Option<Duration>),
    End(End),
    Tally(Tally),
}

/// Looks up the names that are missing, and counts by name.
async fn finish(
    link: &mut Link,
    streams: &mut [&mut Stream],
    found: Vec<(usize, Batch)>,
) -> Result<(), Error> {
    let mut nameless: Vec<(usize, Box<[u8]>, Nameless)> = Vec::new();
    for (at, batch) in found {
        let running = batch.unnamed.into_iter();
        nameless.extend(running.map(|(job, wait)| (at, job, Nameless::Start(wait))));
        for end in batch.ends {
            match &end.name {
                Name::Of(job) => nameless.push((at, job.clone(), Nameless::End(end))),
                _ => streams[at].end(&end, None),
            }
        }
        for tally in batch.tallies {
            match &tally.name {
                Name::Of(job) => nameless.push((at, job.clone(), Nameless::Tally(tally))),
                _ => streams[at].tally(&tally, None),
            }
        }
        streams[at].publish();
    }
    let mut result = Ok(());
    let mut nameless = nameless.into_iter().peekable();
    while nameless.peek().is_some() {
        let chunk: Vec<_> = nameless.by_ref().take(LOOKUPS).collect();
        let mut pipeline = redis::pipe();
        for (at, job, _) in &chunk {
            let key = streams[*at].queue.key.job(job);
            pipeline.cmd("HGET").arg(key).arg("name");
        }
        let names = match &result {
            Ok(()) => link.ask_all("reading names", &pipeline).await,
            Err(_) => Ok(Vec::new()),
        };
        // Also without an answer it is counted.
        let names = names.unwrap_or_else(|error| {
            result = Err(error);
            Vec::new()
        });
        for (i, (at, job, what)) in chunk.into_iter().enumerate() {
            let name = names.get(i).and_then(bytes);
            match what {
                Nameless::End(end) => streams[at].end(&end, name),
                Nameless::Tally(tally) => streams[at].tally(&tally, name),
                Nameless::Start(wait) => streams[at].start(&job, wait, name),
            }
            streams[at].publish();
        }
    }
    result
}
