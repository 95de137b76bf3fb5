//! Queues in which something happens.

use redis::Connection;

use super::{QUEUES, feed};

/// How many queues are busy at a time.
pub(super) const BUSY: usize = 100;
/// Jobs that wait in every queue from the start.
const FILLED: usize = 5;

/// All queues, some of which are busy for a moment, then others.
pub(super) struct Busy {
    next: usize,
    /// Whether one more job waits, by queue.
    more: [bool; QUEUES],
}

impl Busy {
    pub(super) fn new() -> Self {
        Self {
            next: 0,
            more: [false; QUEUES],
        }
    }

    /// How many jobs wait in all queues.
    pub(super) fn waiting(&self) -> usize {
        FILLED * QUEUES + self.more.iter().filter(|more| **more).count()
    }

    /// What BullMQ's scripts write for one job that comes, runs and ends in each of the next queues, and for
    /// one that comes to wait or no longer waits.
    pub(super) fn some(&mut self, connection: &mut Connection) -> anyhow::Result<()> {
        let mut pipeline = redis::pipe();
        for _ in 0..BUSY {
            let queue = self.next;
            self.next = (queue + 1) % QUEUES;
            let name = format!("queue-{queue}");
            let end = ["event", "completed", "returnvalue", "null"];
            feed::life(&mut pipeline, &name, "busy", "job", &end);
            let wait = format!("bull:{name}:wait");
            match self.more[queue] {
                true => pipeline.lpop(wait, None).ignore(),
                false => pipeline.lpush(wait, "more").ignore(),
            };
            self.more[queue] ^= true;
        }
        Ok(pipeline.query(connection)?)
    }
}
