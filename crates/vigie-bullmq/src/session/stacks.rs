//! The round trips that read the stack traces of failed jobs, while the jobs exist.

use std::sync::Arc;

use redis::Value;
use vigie_redis::reply::bytes;

use crate::error::Error;
use crate::queue::followed::Queue;
use crate::session::connection::Connection;
use crate::session::stream::Stream;

/// Jobs looked up per read of the streams.
const LOOKUPS: usize = 50;
/// The largest field that is read, in bytes.
const LARGEST: i64 = 64 << 10;
const FIELD: &str = "stacktrace";

/// Looks up the stack traces of the reasons that are new in these streams.
pub(crate) async fn look_up(
    connection: &mut Connection,
    streams: &[&mut Stream],
) -> Result<(), Error> {
    let mut wanted = Vec::new();
    for stream in streams {
        let queue = &stream.queue;
        let more = queue.take_wanted(LOOKUPS - wanted.len());
        wanted.extend(more.into_iter().map(|one| (Arc::clone(queue), one)));
    }
    let key = |queue: &Queue, job: &[u8]| queue.key.job(job);
    let mut sizes = redis::pipe();
    for (queue, one) in &wanted {
        sizes.cmd("HSTRLEN").arg(key(queue, &one.job)).arg(FIELD);
    }
    let what = "reading stack traces";
    let sizes = connection.ask_all(what, &sizes).await?;
    let mut sizes = sizes.iter();
    wanted.retain(|_| matches!(sizes.next(), Some(Value::Int(1..=LARGEST))));
    let mut traces = redis::pipe();
    for (queue, one) in &wanted {
        traces.cmd("HGET").arg(key(queue, &one.job)).arg(FIELD);
    }
    let traces = connection.ask_all(what, &traces).await?;
    for ((queue, one), trace) in wanted.iter().zip(&traces) {
        if let Some(trace) = bytes(trace) {
            queue.learn(one, trace);
        }
    }
    Ok(())
}
