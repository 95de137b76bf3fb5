//! Entries of the job lists that are no jobs.
//!
//! Up to version 4 BullMQ pushes a marker into `wait` to wake a worker: `0:` and the time at which the next delayed job is
//! due, or `0:0` for prioritized jobs. A worker moves it to `active` like a job and removes it there; one that is killed in
//! between leaves it. Every reader of the lists takes them through this module.

use redis::Value;

use crate::events::entry::{bytes, list};

/// Whether an entry of a list is a marker. Custom ids that begin with `0:` are jobs.
pub(crate) fn is_marker(entry: &[u8]) -> bool {
    let is_time = |due: &[u8]| {
        due.iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.')
    };
    entry.strip_prefix(b"0:").is_some_and(is_time)
}

/// The jobs in a reply to LRANGE; `None`: it is no list.
pub(crate) fn jobs(reply: &Value) -> Option<impl Iterator<Item = &[u8]>> {
    let entries = list(reply)?.iter().filter_map(bytes);
    Some(entries.filter(|entry| !is_marker(entry)))
}

/// How many markers there are in a reply to LRANGE; `None`: it is no list.
pub(crate) fn count(reply: &Value) -> Option<u64> {
    let entries = list(reply)?.iter().filter_map(bytes);
    Some(entries.filter(|entry| is_marker(entry)).count() as u64)
}
