//! The round trips that read streams, and that look up the names of jobs.

use std::ops::Range;

use redis::Value;
use tokio::time::Instant;
use vigie_redis::reply::bytes;

use crate::error::Error;
use crate::protocol::entry::{each_stream, size};
use crate::protocol::errors::is_elsewhere;
use crate::queue::events::Nameless;
use crate::session::connection::Connection;
use crate::session::refusals::{UNUSABLE, refused};
use crate::session::stream::{Pace, Stream};

/// Names looked up per round trip.
const LOOKUPS: usize = 1_000;

/// Commands required to read events, including the first events of a queue.
pub(crate) const REQUIRED: [&str; 2] = ["XREAD", "XINFO STREAM"];

/// The entries read in one round trip.
#[derive(Default)]
pub(crate) struct Read {
    entries: usize,
    bytes: usize,
    /// Events whose names have to be looked up, with the index of the stream.
    nameless: Vec<(usize, Nameless)>,
}

impl Read {
    /// The average size of the entries in bytes.
    pub(crate) fn average(&self) -> Option<usize> {
        self.bytes.checked_div(self.entries)
    }
}

/// Reads and processes new entries of these streams, sorted by slot: at most `count` each.
pub(crate) async fn read(
    connection: &mut Connection,
    streams: &mut [&mut Stream],
    count: usize,
    pace: Pace,
) -> Result<Read, Error> {
    let asked = Instant::now();
    let replies = ask(connection, streams, count).await?;
    let now = Instant::now();
    let mut read = Read::default();
    let mut is_cut = vec![false; streams.len()];
    for (slot, reply) in &replies {
        let mut at = slot.start;
        each_stream(reply, |key, entries| {
            // Streams in a reply have the order of the request.
            let mut rest = streams[at..slot.end].iter();
            let Some(ahead) = rest.position(|stream| stream.key.as_bytes() == key) else {
                return;
            };
            at += ahead;
            let full = entries.len() >= count;
            let nameless = streams[at].take(entries, full);
            streams[at].pace(entries.len(), full, now, pace);
            is_cut[at] = full;
            read.entries += entries.len();
            read.bytes += entries.iter().map(size).sum::<usize>();
            let nameless = nameless.into_iter();
            read.nameless.extend(nameless.map(|event| (at, event)));
            at += 1;
        });
        let is_here = !is_elsewhere(reply);
        for at in slot.clone() {
            let complete = (is_here && !is_cut[at]).then_some(asked);
            streams[at].queue.followed(is_here, complete);
        }
    }
    Ok(read)
}

/// Reads new entries: one reply per slot, with the range of its streams in the request.
async fn ask(
    connection: &mut Connection,
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
    let replies = connection.ask_all(what, &pipeline).await?;
    if replies.contains(&UNUSABLE) {
        let reasons = connection.refusals().reasons(&REQUIRED);
        return Err(Error::Refused(reasons.unwrap_or_default()));
    }
    for reply in &replies {
        if let Value::ServerError(error) = reply
            && !is_elsewhere(reply)
        {
            return Err(refused(what, error.clone()));
        }
    }
    Ok(slots.into_iter().zip(replies).collect())
}

/// Looks up the names that are missing, and counts the events that need them.
pub(crate) async fn look_up(
    connection: &mut Connection,
    streams: &mut [&mut Stream],
    read: Read,
) -> Result<(), Error> {
    let mut result = Ok(());
    let mut nameless = read.nameless.into_iter().peekable();
    while nameless.peek().is_some() {
        let chunk: Vec<_> = nameless.by_ref().take(LOOKUPS).collect();
        let mut pipeline = redis::pipe();
        for (at, event) in &chunk {
            let key = streams[*at].queue.key.job(&event.job);
            pipeline.cmd("HGET").arg(key).arg("name");
        }
        let names = match &result {
            Ok(()) => connection.ask_all("reading names", &pipeline).await,
            Err(_) => Ok(Vec::new()),
        };
        // Counted even without a reply, under the name unknown.
        let names = names.unwrap_or_else(|error| {
            result = Err(error);
            Vec::new()
        });
        for (i, (at, event)) in chunk.iter().enumerate() {
            streams[*at].name(event, names.get(i).and_then(bytes));
        }
    }
    result
}
