//! The commands that count the jobs of a queue by state, and parsing of their replies.

use redis::{Cmd, Pipeline, Value};
use vigie_redis::reply::{bytes, count, list};

use crate::protocol::key::QueueKey;
use crate::protocol::levels::Levels;
use crate::protocol::markers;
use crate::protocol::version::is_before;

/// Number of commands that [`append`] adds without the search for markers.
const PLAIN: usize = 9;
const SEARCH: usize = PLAIN + SEARCHED.len();

/// Lists that may contain markers, and the number of entries searched from the end. In `wait` and `paused`, only jobs
/// added with `lifo` come after a marker. In `active`, markers left by killed workers move to the end as jobs finish.
const SEARCHED: [(&str, i64); 3] = [("wait", 64), ("paused", 64), ("active", 1_000)];

/// The number of replies for one queue.
pub(crate) const fn replies(markers: bool) -> usize {
    if markers { SEARCH } else { PLAIN }
}

/// Appends the commands for one queue.
///
/// With `markers`, the ends of the lists are also searched for [markers].
pub(crate) fn append(pipeline: &mut Pipeline, queue: &QueueKey, markers: bool) {
    for list in ["wait", "paused", "active"] {
        pipeline.cmd("LLEN").arg(queue.part(list));
    }
    for set in [
        "prioritized",
        "delayed",
        "waiting-children",
        "completed",
        "failed",
    ] {
        pipeline.cmd("ZCARD").arg(queue.part(set));
    }
    pipeline.cmd("HMGET").arg(queue.part("meta"));
    pipeline.arg("paused").arg("concurrency").arg("max");
    if markers {
        pipeline.arg("version");
        for (list, tail) in SEARCHED {
            pipeline.cmd("LRANGE").arg(queue.part(list));
            pipeline.arg(-tail).arg(-1);
        }
    }
}

/// Parses the replies. Returns the levels, and whether to search for markers next time.
pub(crate) fn read(replies: &[Value]) -> (Levels, bool) {
    let reply = |at: usize| replies.get(at).unwrap_or(&Value::Nil);
    let number = |at| count(reply(at));
    let meta = list(reply(8));
    let field = |at: usize| meta.and_then(|fields| bytes(fields.get(at)?));
    // A queue never returns to a version that uses markers.
    let searched = replies.len() > PLAIN;
    let old = searched && is_old(field(3));
    let [wait, held, active] = [0, 1, 2].map(|at| {
        let markers = match searched {
            true => markers::count(reply(PLAIN + at)),
            false => Some(0),
        };
        // Without markers in this version, a failed search is irrelevant.
        let markers = markers.or((!old).then_some(0));
        number(at).zip(markers)
    });
    let marked = [wait, held, active]
        .iter()
        .flatten()
        .any(|(_, markers)| *markers > 0);
    let [wait, held, active] = [wait, held, active]
        .map(|list| list.map(|(entries, markers)| entries.saturating_sub(markers)));
    let flag = meta.map(|_| field(0).is_some());
    // From version 6 on, paused jobs stay in `wait`; earlier versions move them to `paused`, where some may remain
    // after an upgrade.
    let (waiting, paused) = match (flag, wait, held) {
        (Some(true), Some(wait), Some(held)) => (Some(0), Some(wait + held)),
        (Some(true), ..) => (None, None),
        (Some(false), ..) | (None, Some(0), _) => (wait, held),
        // It is unknown whether the jobs in `wait` are paused.
        (None, ..) => (None, None),
    };
    let levels = Levels {
        states: [waiting, active, number(4), number(3), paused, number(5)],
        retained: [number(6), number(7)],
        paused: flag,
        concurrency: field(1).and_then(bound),
        rate: field(2).and_then(bound),
    };
    (levels, old || marked)
}

/// Rounds a limit up: BullMQ accepts fractional limits.
fn bound(text: &[u8]) -> Option<u64> {
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (number >= 0.0).then(|| number.ceil() as u64)
}

/// Whether this version uses markers. Versions 1 and 2 do not store a version.
fn is_old(version: Option<&[u8]>) -> bool {
    is_before(version, [5, 0, 0])
}

/// Counts the remaining keys of a queue.
pub(crate) fn ask_exists(queue: &QueueKey) -> Cmd {
    let mut command = redis::cmd("EXISTS");
    for part in ["meta", "id", "events"] {
        command.arg(queue.part(part));
    }
    command
}

#[cfg(test)]
#[path = "counting_tests.rs"]
mod tests;
