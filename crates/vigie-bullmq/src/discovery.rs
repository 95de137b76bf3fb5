//! Finding queues: a slow walk over all keys, a step at a time.
//!
//! BullMQ keeps no list of its queues. Every queue has a `meta` key from the moment it is opened, so a walk
//! for `*:meta` finds them all, under whatever prefix.

use std::time::Duration;

use redis::{Cmd, Value};

use crate::entry::{bytes, list};
use crate::key::QueueKey;

/// Keys looked at in one step: well under a millisecond of the server's time.
const STEP: usize = 1000;
/// Between two steps.
pub(crate) const PAUSE: Duration = Duration::from_millis(50);
/// The first walk is waited for.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// A walk over all keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sweep {
    cursor: u64,
}

impl Sweep {
    pub(crate) fn command(&self) -> Cmd {
        let mut command = redis::cmd("SCAN");
        command.arg(self.cursor).arg("MATCH").arg("*:meta");
        command.arg("COUNT").arg(STEP);
        command
    }

    /// Reads the reply to a step: keys that may be queues' (some more than once), and whether the walk is
    /// at its end. `None` when that is no reply.
    pub(crate) fn step(&mut self, reply: &Value) -> Option<(Vec<QueueKey>, bool)> {
        let [cursor, keys] = list(reply)? else {
            return None;
        };
        self.cursor = std::str::from_utf8(bytes(cursor)?).ok()?.parse().ok()?;
        let keys = list(keys)?.iter().filter_map(bytes);
        let queues = keys.filter_map(QueueKey::from_meta).collect();
        Some((queues, self.cursor == 0))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::entry::tests::bulk;

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
}
