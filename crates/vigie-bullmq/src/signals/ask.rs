//! The commands and replies of a step of an inspection.

use redis::{Pipeline, Value};

use crate::protocol::key::QueueKey;

/// Commands about one queue.
pub(super) struct Ask<'a> {
    pub(super) key: &'a QueueKey,
    pub(super) pipeline: &'a mut Pipeline,
}

impl Ask<'_> {
    pub(super) fn of_part(&mut self, command: &str, part: &str) -> &mut Pipeline {
        self.pipeline.cmd(command).arg(self.key.part(part))
    }

    /// Reads the member with the lowest score, and the score; parse with [`scored`](crate::protocol::values::scored).
    pub(super) fn first(&mut self, part: &str) {
        let range = self.of_part("ZRANGEBYSCORE", part);
        range.arg("-inf").arg("+inf").arg("WITHSCORES");
        range.arg("LIMIT").arg(0).arg(1);
    }

    /// A command for a job's key with the suffix `what`, which is empty for the job itself.
    pub(super) fn of_job(&mut self, command: &str, job: &[u8], what: &str) -> &mut Pipeline {
        let key = self.key.job(&[job, what.as_bytes()].concat());
        self.pipeline.cmd(command).arg(key)
    }
}

/// The replies of one round trip, in command order.
pub(crate) struct Replies<'a>(std::slice::Iter<'a, Value>);

impl<'a> Replies<'a> {
    pub(crate) fn new(replies: &'a [Value]) -> Self {
        Self(replies.iter())
    }

    pub(super) fn next(&mut self) -> &'a Value {
        self.0.next().unwrap_or(&Value::Nil)
    }
}
