//! The event stream of one followed queue, and when to read and check it next.

use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use tokio::time::Instant;

use crate::protocol::check::{self, Check};
use crate::protocol::entry::StreamId;
use crate::queue::events::Nameless;
use crate::queue::followed::Queue;
use crate::queue::reading::Reading;

/// Factor by which an idle stream is reconciled less often with the server's count. It still has to be, because it can
/// be deleted and recreated.
const IDLE: u32 = 6;
/// Delay before the next check while the queue moves to another node.
const CHECK_MOVING: Duration = Duration::from_millis(500);
/// Number of entries after which the next read comes sooner, before BullMQ trims the stream (at 10,000 entries).
const MANY: usize = 2_000;

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
        Some(Self {
            reading: queue.take_reading()?,
            key: queue.key.part("events"),
            queue: Arc::clone(queue),
            read_at: now,
            check_at: now,
            check_every,
        })
    }

    /// Puts the reading back for the next follower. Returns the queue if no follower will take it, so that its counts
    /// can be removed.
    pub(crate) fn leave(self) -> Option<Arc<Queue>> {
        let queue = self.queue;
        queue.give_reading(self.reading).then_some(queue)
    }

    /// The entry after which to continue; `None` if the stream is not read.
    pub(crate) fn cursor(&self) -> Option<StreamId> {
        self.reading.cursor()
    }

    /// Processes the replies to [`check::append`].
    pub(crate) fn checked(&mut self, replies: &[Value], now: Instant) {
        let check = check::read(replies);
        self.check_at = match check {
            Check::Elsewhere => now + CHECK_MOVING,
            _ => now + IDLE * self.check_every,
        };
        self.queue.check(&mut self.reading, &check);
    }

    /// Processes entries that were read. `full`: the reply was cut at the limit, and more entries may follow.
    ///
    /// Returns the events that are not counted yet, because the names of their jobs have to be looked up.
    pub(crate) fn take(&mut self, entries: &[Value], full: bool) -> Vec<Nameless> {
        self.queue.read(&mut self.reading, entries, full)
    }

    /// Counts an event after the lookup of its name; `None`: the name is unknown.
    pub(crate) fn name(&mut self, event: &Nameless, name: Option<&[u8]>) {
        self.queue.name(&mut self.reading, event, name);
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
}
