//! Finds queues by a slow sweep over all keys.
//!
//! BullMQ keeps no list of its queues. A queue of BullMQ has a `meta` key as soon as it is opened; a queue of Bull, its
//! predecessor, has an `id` key from its first job on. A single sweep finds both, with any prefix.

use std::time::Duration;

use redis::{Cmd, Pipeline, Value};

use crate::protocol::key::QueueKey;
use crate::protocol::version::is_before;
use vigie_redis::reply::{bytes, count, list};

/// Keys scanned per step: well under a millisecond of server time.
const STEP: usize = 1000;
/// Pause between two steps.
pub(crate) const PAUSE: Duration = Duration::from_millis(50);
/// Pause during the first sweep, whose result is needed soon.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// A sweep over all keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sweep {
    cursor: u64,
}

impl Sweep {
    pub(crate) fn command(&self) -> Cmd {
        let mut command = redis::cmd("SCAN");
        // Matches `*:meta` and `*:id`, and few other keys.
        command.arg(self.cursor).arg("MATCH").arg("*:[im]*[ad]");
        command.arg("COUNT").arg(STEP);
        command
    }

    /// Processes the reply to a step. Returns keys that may belong to queues (with duplicates), and whether the sweep
    /// is complete; `None` if the reply is malformed.
    pub(crate) fn step(&mut self, reply: &Value) -> Option<(Vec<QueueKey>, bool)> {
        let [cursor, keys] = list(reply)? else {
            return None;
        };
        self.cursor = std::str::from_utf8(bytes(cursor)?).ok()?.parse().ok()?;
        let keys = list(keys)?.iter().filter_map(bytes);
        let queues = keys.filter_map(QueueKey::found).collect();
        Some((queues, self.cursor == 0))
    }
}

/// A queue that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) key: QueueKey,
    /// Whether it has an event stream: true for BullMQ, false for Bull.
    pub(crate) events: bool,
}

/// BullMQ rejects names with a colon from this version on.
const NO_COLONS: [u32; 3] = [5, 12, 12];
/// Number of commands that [`append`] adds.
pub(crate) const REPLIES: usize = 3;

/// Appends the commands that check whether a key belongs to a queue.
pub(crate) fn append(pipeline: &mut Pipeline, queue: &QueueKey) {
    append_meta(pipeline, queue);
    pipeline.cmd("EXISTS").arg(queue.part("events"));
    pipeline.cmd("EXISTS");
    for part in [
        "wait",
        "paused",
        "active",
        "delayed",
        "completed",
        "failed",
        "prioritized",
        "waiting-children",
        "stalled-check",
    ] {
        pipeline.arg(queue.part(part));
    }
}

/// Appends the first of these commands, which suffices for most versions.
pub(crate) fn append_meta(pipeline: &mut Pipeline, queue: &QueueKey) {
    pipeline.cmd("HMGET").arg(queue.part("meta"));
    pipeline.arg("version").arg("opts.maxLenEvents");
}

/// Whether a `meta` key was written by BullMQ, given its fields.
pub(crate) fn is_of_bullmq(meta: &Value) -> bool {
    // Bull has a `meta` key while paused, without either field.
    list(meta).is_some_and(|fields| fields.iter().any(|field| bytes(field).is_some()))
}

/// Parses the replies. Returns the queue, and whether they are sufficient; otherwise the types of its keys have to be
/// checked.
pub(crate) fn read(key: QueueKey, replies: &[Value]) -> Option<(Found, bool)> {
    let [meta, events, parts] = replies else {
        return None;
    };
    let in_meta = is_of_bullmq(meta);
    let fields = list(meta);
    let version = fields.and_then(|fields| fields.first().and_then(bytes));
    // Versions 3 and 4 add jobs without `meta` to a queue that was never opened, or was obliterated.
    let (has_events, has_parts) = (count(events) > Some(0), count(parts) > Some(0));
    let found = (in_meta || has_events || has_parts).then(|| Found {
        // Without a reply, assume a newer version.
        key: match fields.is_some() && is_before(version, NO_COLONS) {
            true => key.of_old(),
            false => key,
        },
        events: in_meta || has_events,
    });
    let is_sure = in_meta || fields.is_none() && has_events;
    found.map(|found| (found, is_sure))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::protocol::testing::bulk;

    #[test]
    fn walks_to_the_end() {
        let mut sweep = Sweep::default();
        let reply = |cursor, keys: &[&str]| {
            let keys = keys.iter().map(|key| bulk(key)).collect();
            Value::Array(vec![bulk(cursor), Value::Array(keys)])
        };
        let (found, end) = sweep.step(&reply("42", &["bull:a:meta", "meta"])).unwrap();
        assert_eq!((found, end), (vec![QueueKey::new("bull", "a")], false));
        let next: Vec<u8> = sweep.command().get_packed_command();
        assert!(String::from_utf8(next).unwrap().contains("\r\n42\r\n"));
        assert_eq!(sweep.step(&reply("0", &[])), Some((vec![], true)));
        assert_eq!(sweep.step(&Value::Nil), None);
    }

    #[test]
    fn queues_of_bullmq_and_bull_are_distinguished_from_other_keys() {
        let judge = |key: &str, version: Option<&str>, length: Option<&str>, events, parts| {
            let fields = [version, length].map(|field| field.map_or(Value::Nil, bulk));
            let replies = [
                Value::Array(fields.to_vec()),
                Value::Int(events),
                Value::Int(parts),
            ];
            let (found, sure) = read(QueueKey::found(key.as_bytes()).unwrap(), &replies)?;
            assert_eq!(sure, version.or(length).is_some());
            Some((found.key.name().to_owned(), found.events))
        };
        let found = |name: &str, events| Some((name.to_owned(), events));
        let six = Some("bullmq:6.7.0");
        assert_eq!(judge("bull:x:q:meta", six, None, 0, 0), found("q", true));
        let four = Some("bullmq:4.18.3");
        assert_eq!(judge("bull:x:q:meta", four, None, 0, 0), found("x:q", true));
        assert_eq!(judge("a:q:meta", None, Some("9"), 0, 0), found("q", true));
        // Bull.
        assert_eq!(judge("bull:x:q:id", None, None, 0, 2), found("x:q", false));
        assert_eq!(judge("bull:q:id", None, None, 1, 2), found("q", true));
        // Keys of other programs.
        assert_eq!(judge("user:7:id", None, None, 0, 0), None);
        assert_eq!(read(QueueKey::new("bull", "q"), &[]), None);
    }
}
