//! The task that follows the event streams of all queues of a node, on one connection.
//!
//! Streams are polled without blocking: a blocking XREAD over many streams, sent again after each event, would cost the
//! server half a core.
//!
//! The entry of a completion contains the whole return value, for example 10 KB. Values are not parsed, copied or kept,
//! so that they only cost network transfer, and a reply is dropped before names are looked up. The number of entries
//! per reply is derived from the size of previous entries, to keep a reply at about 8 MiB ([`ANSWER`]): the memory and
//! time for one reply do not grow with the values. A stream with more entries is read again at once. Reading only parts
//! of an entry would need a script, which requires another permission and blocks the server.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::error::Error;
use crate::events::entry::{each_stream, size};
use crate::events::fold::{Batch, End, Name, Tally};
use crate::events::stream::{self, Pace, Stream};
use crate::nodes::link::{Backoff, Link, is_elsewhere};
use crate::nodes::node::Node;
use crate::nodes::refusals::{UNUSABLE, refused};
use crate::shared::{Queues, Shared};
use vigie_redis::reply::bytes;

/// Streams per XREAD command.
const CHUNK: usize = 1_000;
/// Streams checked per round trip; each reply contains two whole entries.
const CHECKS: usize = 100;
/// Names looked up per round trip.
const LOOKUPS: usize = 1_000;
/// Upper limit of entries per reply. If their size grows to 10 KB at once, a single reply takes 80 MB.
const MOST: usize = 8_000;
/// Lower limit of entries per reply, for entries of any size.
const LEAST: usize = 100;
/// Target size of a reply in bytes, by the size of previous entries.
const ANSWER: usize = 8 << 20;
/// Reads of idle streams per second, over all streams: less than half a percent of one server core.
const IDLE_LOOKS_PER_SECOND: f64 = 3_500.0;
/// Upper limit of the interval between two reads of a stream.
const LONGEST_IDLE: Duration = Duration::from_secs(1);

/// Commands required to read events, including the first events of a queue.
const REQUIRED: [&str; 2] = ["XREAD", "XINFO STREAM"];

pub(crate) struct Follower {
    shared: Arc<Shared>,
    node: Arc<Node>,
    backoff: Backoff,
    /// The list for which `streams` was built.
    queues: Queues,
    /// Whether another task still holds the reading of some queues.
    waits: bool,
    streams: Vec<Stream>,
    /// Entries per reply.
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

    /// Runs until `stop` is cancelled and the current read is complete.
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

    /// Runs until the first error or until `stop` is cancelled; connects first if there is no link. The read positions
    /// persist across sessions and nodes.
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
                self.shared.hints.elsewhere(&self.node);
            }
            let next = self.streams.iter().map(|stream| stream.read_at).min();
            // Check for new queues as often as for events of busy ones.
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

    /// Adds streams for new queues, and drops those of removed queues.
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

    /// Puts back all readings for the next follower.
    fn leave(&mut self) {
        let streams = std::mem::take(&mut self.streams);
        self.left(streams);
        self.queues = Arc::new([]);
    }

    /// Puts back the readings of these streams, and removes the counts of queues that are no longer followed.
    fn left(&self, streams: Vec<Stream>) {
        let over = streams.into_iter().filter_map(Stream::leave);
        let over: Vec<_> = over.collect();
        let keys = over.iter().map(|queue| queue.key.order());
        self.node.space.families.remove_counts(&keys.collect());
    }

    /// Reconciles the streams that are due with the server's counts.
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

    /// Reads new entries of the streams that are due.
    async fn read(&mut self, link: &mut Link, pace: Pace) -> Result<(), Error> {
        let now = Instant::now();
        let mut due: Vec<_> = self.streams.iter_mut().collect();
        due.retain(|stream| stream.read_at <= now);
        for stream in &mut due {
            stream.read_at = now + pace.idle;
        }
        due.retain(|stream| stream.cursor().is_some());
        // Outside a cluster, all queues have the same slot.
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
                    // Streams in a reply have the order of the request.
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
                // Shrink immediately, grow gradually: large entries may recur.
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
        let error = error.map(|error| self.node.describe(error));
        if std::mem::replace(&mut health.events_error, error).is_some()
            && health.events_error.is_none()
        {
            info!(node = self.node.name, "events can be read again");
        }
        drop(health);
        self.shared.report();
    }

    fn failed(&mut self, error: &Error) {
        // If the reply was late because of its size, request a smaller one.
        self.budget = (self.budget / 2).max(LEAST);
        // Without a connection, another node's follower may take the streams.
        self.leave();
        let text = self.node.describe(error);
        let mut health = self.node.health.lock();
        // Refused commands are logged elsewhere.
        if health.events_error.as_ref() != Some(&text) && !error.is_of_command() {
            warn!(
                error = text,
                "cannot read events; they are not counted until it recovers"
            );
        }
        health.events_error = Some(text);
        drop(health);
        self.shared.report();
    }
}

/// Reads new entries: one reply per slot, with the range of its streams in the request.
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

/// An event of a job without a known name.
enum Nameless {
    /// The job became active after this wait time.
    Start(Option<Duration>),
    End(End),
    Tally(Tally),
}

/// Looks up missing names, and counts by name.
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
        // Counted even without a reply, under the name unknown.
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
