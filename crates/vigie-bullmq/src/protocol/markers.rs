//! List entries that are not jobs.
//!
//! Up to version 4, BullMQ pushes a marker into `wait` to wake up a worker: `0:` followed by the due time of the next
//! delayed job, or `0:0` for prioritized jobs. A worker moves it to `active` like a job and removes it there; a worker
//! killed in between leaves it. All code that reads the lists uses this module.

use redis::Value;

use vigie_redis::reply::{bytes, list};

/// Whether a list entry is a marker. Other entries that begin with `0:` are jobs with custom ids.
pub(crate) fn is_marker(entry: &[u8]) -> bool {
    let is_time = |due: &[u8]| {
        due.iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.')
    };
    entry.strip_prefix(b"0:").is_some_and(is_time)
}

/// The jobs in a reply to LRANGE; `None`: not a list.
pub(crate) fn jobs(reply: &Value) -> Option<impl Iterator<Item = &[u8]>> {
    let entries = list(reply)?.iter().filter_map(bytes);
    Some(entries.filter(|entry| !is_marker(entry)))
}

/// The number of markers in a reply to LRANGE; `None`: not a list.
pub(crate) fn count(reply: &Value) -> Option<u64> {
    let entries = list(reply)?.iter().filter_map(bytes);
    Some(entries.filter(|entry| is_marker(entry)).count() as u64)
}
