//! The commands that reconcile a read position with the server's counts, and parsing of their replies.

use redis::{Pipeline, Value};
use vigie_redis::reply::bytes;

use crate::protocol::entry::StreamInfo;
use crate::protocol::errors::is_elsewhere;
use crate::protocol::key::QueueKey;
use crate::protocol::outcome::Ended;

/// Number of commands that [`append`] adds.
pub(crate) const REPLIES: usize = 5;

/// The server's reply about a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// The stream exists, but on another node.
    Elsewhere,
    /// The key holds another type.
    OtherType,
    /// The reply is malformed, or the command is refused.
    Unknown,
    Stream {
        /// `None`: no such key.
        info: Option<StreamInfo>,
        /// The outcomes at that moment as counted by the workers, if known.
        ended: Option<Ended>,
    },
}

/// Appends XINFO STREAM, with the workers' counts before and after it: if both are equal, they are valid for that
/// moment.
pub(crate) fn append(pipeline: &mut Pipeline, queue: &QueueKey) {
    append_ended(pipeline, queue);
    pipeline
        .cmd("XINFO")
        .arg("STREAM")
        .arg(queue.part("events"));
    append_ended(pipeline, queue);
}

fn append_ended(pipeline: &mut Pipeline, queue: &QueueKey) {
    for part in ["metrics:completed", "metrics:failed"] {
        pipeline.cmd("HGET").arg(queue.part(part)).arg("count");
    }
}

pub(crate) fn read(replies: &[Value]) -> Check {
    if replies.iter().any(is_elsewhere) {
        return Check::Elsewhere;
    }
    let [completed, failed, info, after @ ..] = replies else {
        return Check::Unknown;
    };
    let before = [completed, failed].map(counted);
    let is_stable = before == [0, 1].map(|at| after.get(at).and_then(counted));
    let ended = match before {
        [Some(completed), Some(failed)] if is_stable => Some(Ended::new(completed, failed)),
        _ => None,
    };
    match info {
        Value::ServerError(error) if error.code() == "WRONGTYPE" => Check::OtherType,
        // No such key.
        Value::ServerError(_) => Check::Stream { info: None, ended },
        info => match StreamInfo::read(info) {
            None => Check::Unknown,
            info => Check::Stream { info, ended },
        },
    }
}

/// A job count kept by the workers. A missing key means 0: no job has ended yet, or metrics are disabled.
fn counted(reply: &Value) -> Option<u64> {
    match reply {
        Value::Nil => Some(0),
        value => std::str::from_utf8(bytes(value)?).ok()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::protocol::testing::bulk;

    fn error(text: &str) -> Value {
        redis::parse_redis_value(format!("-{text}\r\n").as_bytes()).unwrap()
    }

    fn info() -> Value {
        let fields = [
            ("length", Value::Int(2)),
            ("last-generated-id", bulk("9-1")),
        ];
        Value::Map(fields.map(|(name, value)| (bulk(name), value)).to_vec())
    }

    #[test]
    fn as_many_commands_as_replies() {
        let mut pipeline = redis::pipe();
        append(&mut pipeline, &QueueKey::new("bull", "q"));
        assert_eq!(pipeline.len(), REPLIES);
    }

    #[test]
    fn workers_counts_are_used_if_they_did_not_change_meanwhile() {
        let ended = |before: [Value; 2], after: [Value; 2]| {
            let [a, b] = before;
            let [c, d] = after;
            match read(&[a, b, info(), c, d]) {
                Check::Stream { info, ended } => {
                    assert_eq!(info.unwrap().length, 2);
                    ended
                }
                other => panic!("{other:?}"),
            }
        };
        let both = [bulk("7"), Value::Nil];
        assert_eq!(ended(both.clone(), both.clone()), Some(Ended::new(7, 0)));
        assert_eq!(ended(both.clone(), [bulk("8"), Value::Nil]), None);
        let odd = [bulk("7"), bulk("x")];
        assert_eq!(ended(odd.clone(), odd), None);
    }

    #[test]
    fn errors_are_distinguished() {
        let of = |info: Value| read(&[Value::Nil, Value::Nil, info, Value::Nil, Value::Nil]);
        let ended = Some(Ended::default());
        let absent = Check::Stream { info: None, ended };
        assert_eq!(of(error("ERR no such key")), absent);
        assert_eq!(of(error("WRONGTYPE Operation")), Check::OtherType);
        assert_eq!(of(error("MOVED 7 127.0.0.1:1")), Check::Elsewhere);
        assert_eq!(of(Value::Okay), Check::Unknown);
        assert_eq!(read(&[]), Check::Unknown);
    }
}
