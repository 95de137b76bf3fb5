//! Reads the names of a queue's jobs that are still in Redis.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::protocol::entry::{Entry, Event};
use crate::protocol::key::QueueKey;
use crate::protocol::markers;
use crate::protocol::values::scored;
use crate::session::connection::Connection;
use vigie_redis::reply::{bytes, list};

/// Events read back, and jobs of each state looked up.
const EVENTS: usize = 500;
const JOBS: isize = 100;

/// Names from the last events, from some jobs of each state, and from the job schedulers.
pub(crate) async fn sample(
    connection: &mut Connection,
    queue: &QueueKey,
) -> Result<BTreeSet<String>, Error> {
    let lists = ["wait", "paused", "active"];
    let sets = [
        "prioritized",
        "delayed",
        "waiting-children",
        "completed",
        "failed",
        "repeat",
    ];
    let mut pipeline = redis::pipe();
    let events = pipeline.cmd("XREVRANGE").arg(queue.part("events"));
    events.arg("+").arg("-").arg("COUNT").arg(EVENTS);
    for part in lists {
        let list = pipeline.cmd("LRANGE").arg(queue.part(part));
        list.arg(-JOBS).arg(-1);
    }
    for part in sets {
        let set = pipeline.cmd("ZRANGEBYSCORE").arg(queue.part(part));
        set.arg("-inf").arg("+inf").arg("WITHSCORES");
        set.arg("LIMIT").arg(0).arg(JOBS);
    }
    let replies = connection.ask_all("reading job names", &pipeline).await?;
    let Some((events, jobs)) = replies.split_first() else {
        return Ok(BTreeSet::new());
    };
    let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    let entries = list(events).unwrap_or_default().iter();
    let added = entries
        .filter_map(Entry::read)
        .filter(|entry| entry.event == Event::Added);
    let mut names: BTreeSet<_> = added.map(|entry| text(entry.name)).collect();
    let (of_lists, of_sets) = jobs.split_at(lists.len().min(jobs.len()));
    let mut keys = Vec::new();
    for ids in of_lists.iter().filter_map(markers::jobs) {
        keys.extend(ids.map(|id| queue.job(id)));
    }
    for (part, reply) in sets.iter().zip(of_sets) {
        let members = scored(reply).unwrap_or_default();
        keys.extend(members.iter().map(|(id, _)| match *part {
            "repeat" => queue.job(&[b"repeat:", *id].concat()),
            _ => queue.job(id),
        }));
    }
    let mut pipeline = redis::pipe();
    for key in keys {
        pipeline.cmd("HGET").arg(key).arg("name");
    }
    let replies = connection.ask_all("reading job names", &pipeline).await?;
    names.extend(replies.iter().filter_map(bytes).map(text));
    Ok(names)
}
