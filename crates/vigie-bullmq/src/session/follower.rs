//! The task that follows the event streams of all queues of a node, on one connection.
//!
//! Streams are polled without blocking: a blocking XREAD over many streams, sent again after each event, would cost the
//! server half a core.
//!
//! The entry of a completion contains the whole return value, for example 10 KB. Values are not parsed, copied or kept,
//! so that they only cost network transfer, and a reply is dropped before names are looked up. The number of entries
//! per reply is derived from the size of previous entries, to keep a reply at about 8 MiB ([`REPLY`]): the memory and
//! time for one reply do not grow with the values. A stream with more entries is read again at once. Reading only parts
//! of an entry would need a script, which requires another permission and blocks the server.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::directory::node::WatchedNode;
use crate::error::Error;
use crate::protocol::check;
use crate::queue::followed::Queues;
use crate::session::backoff::Backoff;
use crate::session::connection::Connection;
use crate::session::context::Context;
use crate::session::reader::{self, REQUIRED};
use crate::session::refusals::Refusals;
use crate::session::stacks;
use crate::session::stream::{Pace, Stream};

/// Streams per XREAD command.
const CHUNK: usize = 1_000;
/// Streams checked per round trip; each reply contains two whole entries.
const CHECKS: usize = 100;
/// Upper limit of entries per reply. If their size grows to 10 KB at once, a single reply takes 80 MB.
const MOST: usize = 8_000;
/// Lower limit of entries per reply, for entries of any size.
const LEAST: usize = 100;
/// Target size of a reply in bytes, by the size of previous entries.
const REPLY: usize = 8 << 20;
/// Reads of idle streams per second, over all streams: less than half a percent of one server core.
const IDLE_LOOKS_PER_SECOND: f64 = 3_500.0;
/// Upper limit of the interval between two reads of a stream.
const LONGEST_IDLE: Duration = Duration::from_secs(1);

pub(crate) struct Follower {
    context: Arc<Context>,
    node: Arc<WatchedNode>,
    refusals: Arc<Refusals>,
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
    pub(crate) fn new(
        context: Arc<Context>,
        node: Arc<WatchedNode>,
        refusals: Arc<Refusals>,
    ) -> Self {
        Self {
            context,
            node,
            refusals,
            backoff: Backoff::new(),
            queues: Arc::new([]),
            waits: false,
            streams: Vec::new(),
            budget: MOST,
        }
    }

    /// Runs until `stop` is cancelled and the current read is complete.
    pub(crate) async fn run(mut self, stop: &CancellationToken) {
        let mut connection = None;
        while !stop.is_cancelled() {
            if let Err(error) = self.session(&mut connection, stop).await {
                self.failed(&error);
                if !error.is_of_command() {
                    connection = None;
                }
                let pause = sleep(self.backoff.next());
                stop.run_until_cancelled(pause).await;
            }
        }
        self.leave();
    }

    /// Runs until the first error or until `stop` is cancelled; connects first if there is no connection. The read
    /// positions persist across sessions and nodes.
    async fn session(
        &mut self,
        kept: &mut Option<Connection>,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let busy = self.context.settings.poll_every;
        let connection = match kept {
            Some(connection) => connection,
            None => match stop.run_until_cancelled(self.open()).await {
                Some(opened) => kept.insert(opened?),
                None => return Ok(()),
            },
        };
        while !stop.is_cancelled() {
            self.follow_list();
            self.check(connection).await?;
            let idle = self.streams.len() as f64 / IDLE_LOOKS_PER_SECOND;
            let idle = Duration::from_secs_f64(idle).max(busy).min(LONGEST_IDLE);
            self.read(connection, Pace { busy, idle }).await?;
            self.works();
            if connection.take_moved() {
                self.context.hints.elsewhere(&self.node);
            }
            let next = self.streams.iter().map(|stream| stream.read_at).min();
            // Check for new queues as often as for events of busy ones.
            let next = next.unwrap_or_else(|| Instant::now() + busy);
            let pause = sleep_until(next.min(Instant::now() + busy));
            stop.run_until_cancelled(pause).await;
        }
        Ok(())
    }

    async fn open(&self) -> Result<Connection, Error> {
        let timeout = self.context.settings.timeout;
        let connection = Connection::open(&self.node.endpoint, timeout, &self.refusals);
        let mut connection = connection.await?;
        connection.ask("PING", redis::cmd("PING")).await?;
        Ok(connection)
    }

    /// Adds streams for new queues, and drops those of removed queues.
    fn follow_list(&mut self) {
        let queues = self.context.directory.queues_of(&self.node);
        if Arc::ptr_eq(&queues, &self.queues) && !self.waits {
            return;
        }
        let streams = std::mem::take(&mut self.streams).into_iter();
        let mut old: HashMap<_, _> = streams
            .map(|stream| (Arc::as_ptr(&stream.queue), stream))
            .collect();
        let followed = || queues.iter().filter(|queue| queue.has_events);
        let kept: Vec<_> = followed()
            .map(|queue| old.remove(&Arc::as_ptr(queue)))
            .collect();
        self.left(old.into_values().collect());
        let (now, check_every) = (Instant::now(), self.context.settings.checks_every);
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
    async fn check(&mut self, connection: &mut Connection) -> Result<(), Error> {
        let now = Instant::now();
        let mut due: Vec<_> = self.streams.iter_mut().collect();
        due.retain(|stream| stream.check_at <= now);
        for chunk in due.chunks_mut(CHECKS) {
            let mut pipeline = redis::pipe();
            for stream in &*chunk {
                check::append(&mut pipeline, &stream.queue.key);
            }
            let replies = connection.ask_all("checking events", &pipeline).await?;
            for (stream, replies) in chunk.iter_mut().zip(replies.chunks(check::REPLIES)) {
                stream.checked(replies, now);
            }
        }
        Ok(())
    }

    /// Reads new entries of the streams that are due.
    async fn read(&mut self, connection: &mut Connection, pace: Pace) -> Result<(), Error> {
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
            let read = reader::read(connection, chunk, count, pace).await?;
            let average = read.average();
            reader::look_up(connection, chunk, read).await?;
            stacks::look_up(connection, chunk).await?;
            if let Some(size) = average {
                // Shrink immediately, grow gradually: large entries may recur.
                let most = (2 * self.budget).min(MOST);
                self.budget = (REPLY / size.max(1)).clamp(LEAST, most);
            }
        }
        Ok(())
    }

    fn works(&mut self) {
        self.backoff.reset();
        let error = self.refusals.reasons(&REQUIRED);
        let error = error.map(|error| self.node.describe(error));
        let mut health = self.node.health.lock();
        health.followed = true;
        if std::mem::replace(&mut health.events_error, error).is_some()
            && health.events_error.is_none()
        {
            info!(node = self.node.name, "events can be read again");
        }
        drop(health);
        self.context.directory.report();
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
        self.context.directory.report();
    }
}
