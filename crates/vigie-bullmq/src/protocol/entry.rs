//! Parsing of stream replies in place, without copying or allocating.

use std::fmt;

use redis::Value;
use vigie_redis::reply::{self, bytes, count, list};

use crate::protocol::outcome::Final;

/// The id of a stream entry: the server's clock in milliseconds, and a sequence number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamId {
    pub(crate) ms: u64,
    pub(crate) seq: u64,
}

impl StreamId {
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let (ms, seq) = std::str::from_utf8(text).ok()?.split_once('-')?;
        Some(Self {
            ms: ms.parse().ok()?,
            seq: seq.parse().ok()?,
        })
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

/// The event types that are evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Added,
    Waiting,
    Active,
    Delayed,
    WaitingChildren,
    Completed,
    Failed,
    Stalled,
    Removed,
    Cleaned,
    Deduplicated,
    /// Events of the queue, not of a job.
    Paused,
    Resumed,
    Other,
}

impl Event {
    fn of(name: &[u8]) -> Self {
        match name {
            b"added" => Self::Added,
            b"waiting" => Self::Waiting,
            b"active" => Self::Active,
            b"delayed" => Self::Delayed,
            b"waiting-children" => Self::WaitingChildren,
            b"completed" => Self::Completed,
            b"failed" => Self::Failed,
            b"stalled" => Self::Stalled,
            b"removed" => Self::Removed,
            b"cleaned" => Self::Cleaned,
            b"deduplicated" => Self::Deduplicated,
            b"paused" => Self::Paused,
            b"resumed" => Self::Resumed,
            _ => Self::Other,
        }
    }

    /// The outcome, if a job ended.
    pub(crate) fn ended(self) -> Option<Final> {
        match self {
            Self::Completed => Some(Final::Completed),
            Self::Failed => Some(Final::Failed),
            _ => None,
        }
    }
}

/// An entry of a queue's event stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) id: StreamId,
    pub(crate) event: Event,
    /// The job's id.
    pub(crate) job: &'a [u8],
    /// The job's name; only in `added`.
    pub(crate) name: &'a [u8],
    /// The previous state of the job, if the entry contains it.
    pub(crate) prev: &'a [u8],
    /// The number of removed jobs; only in `cleaned`.
    pub(crate) count: u32,
    /// Why the job failed; only in `failed`.
    pub(crate) reason: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Parses an entry; `None` if the value is not one. An entry without fields is valid, as `Event::Other`.
    pub(crate) fn read(value: &'a Value) -> Option<Self> {
        let [id, fields] = list(value)? else {
            return None;
        };
        let mut entry = Self {
            id: StreamId::parse(bytes(id)?)?,
            event: Event::Other,
            job: b"",
            name: b"",
            prev: b"",
            count: 0,
            reason: b"",
        };
        for pair in list(fields).unwrap_or_default().chunks_exact(2) {
            let (Some(field), Some(value)) = (bytes(&pair[0]), bytes(&pair[1])) else {
                continue;
            };
            match field {
                b"event" => entry.event = Event::of(value),
                b"jobId" => entry.job = value,
                b"name" => entry.name = value,
                b"prev" => entry.prev = value,
                b"failedReason" => entry.reason = value,
                b"count" => entry.count = number(value).unwrap_or(0),
                _ => {}
            }
        }
        Some(entry)
    }
}

fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Calls `give` with the key and the entries of each stream in a reply to XREAD.
pub(crate) fn each_stream<'a>(reply: &'a Value, mut give: impl FnMut(&'a [u8], &'a [Value])) {
    let mut pair = |key, entries| {
        if let (Some(key), Some(entries)) = (bytes(key), list(entries)) {
            give(key, entries);
        }
    };
    match reply {
        // RESP3
        Value::Map(streams) => streams.iter().for_each(|(key, entries)| pair(key, entries)),
        Value::Array(streams) => {
            for stream in streams {
                if let Some([key, entries]) = list(stream) {
                    pair(key, entries);
                }
            }
        }
        // No new entries.
        _ => {}
    }
}

/// The approximate size of an entry in bytes.
pub(crate) fn size(entry: &Value) -> usize {
    match entry {
        Value::BulkString(bytes) => bytes.len() + size_of::<Value>(),
        Value::Array(values) => values.iter().map(size).sum(),
        _ => size_of::<Value>(),
    }
}

/// The reply to XINFO STREAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamInfo {
    /// The id of the last entry added, even if it was trimmed.
    pub(crate) last: StreamId,
    /// The id of the first remaining entry.
    pub(crate) first: Option<StreamId>,
    /// The number of remaining entries.
    pub(crate) length: u64,
    /// The number of entries ever added (since Redis 7).
    pub(crate) added: Option<u64>,
}

impl StreamInfo {
    pub(crate) fn read(reply: &Value) -> Option<Self> {
        let field = |name| reply::field(reply, name);
        Some(Self {
            last: StreamId::parse(bytes(field("last-generated-id")?)?)?,
            first: field("first-entry")
                .and_then(Entry::read)
                .map(|entry| entry.id),
            length: count(field("length")?)?,
            added: field("entries-added").and_then(count),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::protocol::testing::bulk;
    use proptest::prelude::*;

    fn entry(id: &str, fields: &[&str]) -> Value {
        let fields = fields.iter().map(|text| bulk(text)).collect();
        Value::Array(vec![bulk(id), Value::Array(fields)])
    }

    #[test]
    fn both_protocols_parse_alike() {
        let events = Value::Array(vec![
            entry("17-3", &["event", "added", "jobId", "7", "name", "mail"]),
            entry(
                "18-0",
                &["returnvalue", "{}", "jobId", "7", "event", "completed"],
            ),
        ]);
        let old = Value::Array(vec![Value::Array(vec![bulk("k"), events.clone()])]);
        let new = Value::Map(vec![(bulk("k"), events)]);
        for reply in [old, new] {
            let mut read = Vec::new();
            each_stream(&reply, |key, entries| {
                assert_eq!(key, b"k");
                read.extend(entries.iter().filter_map(Entry::read));
            });
            assert_eq!((read[0].id.ms, read[0].id.seq), (17, 3));
            assert_eq!((read[0].event, read[0].job), (Event::Added, &b"7"[..]));
            assert_eq!(read[0].name, b"mail");
            assert_eq!((read[1].event, read[1].job), (Event::Completed, &b"7"[..]));
        }
        each_stream(&Value::Nil, |_, _| panic!("nothing is there"));
    }

    #[test]
    fn stream_info_of_both_protocols() {
        let fields = [
            ("length", Value::Int(2)),
            ("last-generated-id", bulk("9-1")),
            ("entries-added", Value::Int(5)),
            ("first-entry", entry("8-0", &["a", "b"])),
        ];
        let map = fields.clone().map(|(name, value)| (bulk(name), value));
        let flat = fields.map(|(name, value)| [bulk(name), value]).concat();
        for reply in [Value::Map(map.to_vec()), Value::Array(flat)] {
            let info = StreamInfo::read(&reply).unwrap();
            assert_eq!(info.last, StreamId { ms: 9, seq: 1 });
            assert_eq!(info.first, Some(StreamId { ms: 8, seq: 0 }));
            assert_eq!((info.length, info.added), (2, Some(5)));
        }
        assert_eq!(StreamInfo::read(&Value::Nil), None);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Nil),
            any::<i64>().prop_map(Value::Int),
            "[0-9]{0,3}-?[0-9]{0,3}|event|jobId|active".prop_map(|text| bulk(&text)),
            prop::collection::vec(any::<u8>(), 0..8).prop_map(Value::BulkString),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop::collection::vec(inner, 0..4).prop_map(Value::Array)
        })
    }

    proptest! {
        #[test]
        fn any_reply_is_taken(reply in any_value()) {
            each_stream(&reply, |_, entries| {
                for entry in entries {
                    let _ = Entry::read(entry);
                }
            });
            let _ = (Entry::read(&reply), StreamInfo::read(&reply), size(&reply));
        }
    }
}
