//! The commands sent to Redis, with the expected replies and the metrics that depend on each.
//!
//! A server may refuse a command (`rename-command`, an ACL), and a proxy may return an unexpected reply. In either case
//! only the dependent metrics are absent.

use redis::{Arg, Cmd, Value};

use crate::protocol::entry::{Entry, StreamInfo};
use vigie_redis::reply::{bytes, list};

/// A command sent to Redis.
#[derive(Debug)]
pub(crate) struct Command {
    /// The name, including the subcommand.
    pub(crate) name: &'static str,
    /// Metrics and functions that depend on the command.
    pub(crate) absent: &'static str,
    /// Whether a value can be a reply to the command with this number of arguments.
    fits: fn(&Value, usize) -> bool,
}

/// All commands, most frequent first: each reply causes a lookup.
pub(crate) const COMMANDS: [Command; 18] = [
    command("LLEN", "waiting, active and paused jobs", is_count),
    command(
        "ZCARD",
        "delayed, prioritized, parent and retained jobs, and job schedulers",
        is_count,
    ),
    command(
        "HMGET",
        "pauses, limits, late schedulers, and ages of jobs added before Vigie started",
        is_fields,
    ),
    command("XREAD", "all counts from events", is_streams),
    command(
        "HGET",
        "names of jobs added before Vigie started, and the stack lines of failures",
        is_field,
    ),
    command(
        "EXISTS",
        "active jobs without a lock, queues of Bull, and the removal of deleted queues",
        is_count,
    ),
    command(
        "LRANGE",
        "ages of waiting and active jobs, active jobs without a lock, and waiting jobs of BullMQ 3 and 4",
        is_texts,
    ),
    command(
        "ZRANGEBYSCORE",
        "overdue delayed jobs, late schedulers, and ages of prioritized jobs and of parents",
        is_scored,
    ),
    command("PTTL", "rate limits", is_integer),
    command("GET", "rate limits", is_field),
    command(
        "XINFO STREAM",
        "new event streams, and the count of lost events",
        is_stream_info,
    ),
    command("SCAN", "new queues", is_scan),
    command("ZCOUNT", "overdue delayed jobs", is_count),
    command(
        "TIME",
        "ages, overdue delayed jobs and late schedulers",
        is_time,
    ),
    command("CLIENT LIST", "workers", is_client_list),
    command(
        "XREVRANGE",
        "the age of a pause that began before Vigie started",
        is_entries,
    ),
    command("HSTRLEN", "the stack lines of failures", is_count),
    command("PING", "nothing", is_any),
];

const fn command(
    name: &'static str,
    absent: &'static str,
    fits: fn(&Value, usize) -> bool,
) -> Command {
    Command { name, absent, fits }
}

impl Command {
    /// The description of a command; `None` if it is not in the list.
    pub(crate) fn of(command: &Cmd) -> Option<&'static Self> {
        let mut words = command.args_iter().filter_map(|word| match word {
            Arg::Simple(word) => Some(word),
            _ => None,
        });
        let (first, second) = (words.next()?, words.next());
        COMMANDS.iter().find(|known| {
            let mut name = known.name.split(' ');
            name.next().is_some_and(|name| name.as_bytes() == first)
                && name
                    .next()
                    .is_none_or(|name| Some(name.as_bytes()) == second)
        })
    }

    /// Whether a value can be a reply to the command.
    pub(crate) fn fits(&self, command: &Cmd, reply: &Value) -> bool {
        let arguments = command.args_iter().len();
        (self.fits)(
            reply,
            arguments - self.name.split(' ').count().min(arguments),
        )
    }
}

/// Any reply proves that the connection works; errors are handled earlier.
fn is_any(reply: &Value, _: usize) -> bool {
    !matches!(reply, Value::ServerError(_))
}

fn is_count(reply: &Value, _: usize) -> bool {
    matches!(reply, Value::Int(0..))
}

fn is_integer(reply: &Value, _: usize) -> bool {
    matches!(reply, Value::Int(_))
}

fn is_bulk(value: &Value) -> bool {
    matches!(value, Value::BulkString(_))
}

fn is_client_list(reply: &Value, _: usize) -> bool {
    let is_text = is_bulk(reply) || matches!(reply, Value::VerbatimString { .. });
    is_text && crate::protocol::clients::is_complete(reply)
}

fn is_field(reply: &Value, _: usize) -> bool {
    is_bulk(reply) || *reply == Value::Nil
}

/// One field per argument after the key.
fn is_fields(reply: &Value, arguments: usize) -> bool {
    list(reply).is_some_and(|fields| {
        fields.len() + 1 == arguments && fields.iter().all(|field| is_field(field, 0))
    })
}

fn is_texts(reply: &Value, _: usize) -> bool {
    list(reply).is_some_and(|texts| texts.iter().all(is_bulk))
}

/// Members with scores: a flat list, or pairs in RESP3.
fn is_scored(reply: &Value, _: usize) -> bool {
    let is_score = |value: &Value| is_bulk(value) || matches!(value, Value::Double(_));
    list(reply).is_some_and(|values| {
        match values.first() {
        Some(Value::Array(_)) => values.iter().all(|pair| {
            matches!(list(pair), Some([member, score]) if is_bulk(member) && is_score(score))
        }),
        _ => values.len() % 2 == 0 && values.iter().all(is_score),
    }
    })
}

fn is_scan(reply: &Value, _: usize) -> bool {
    let Some([cursor, keys]) = list(reply) else {
        return false;
    };
    let cursor = bytes(cursor).and_then(|cursor| std::str::from_utf8(cursor).ok());
    cursor.is_some_and(|cursor| cursor.parse::<u64>().is_ok()) && is_texts(keys, 0)
}

fn is_time(reply: &Value, _: usize) -> bool {
    crate::protocol::values::time(reply).is_some()
}

fn is_entries(reply: &Value, _: usize) -> bool {
    list(reply).is_some_and(|entries| entries.iter().all(|entry| Entry::read(entry).is_some()))
}

/// Nil when there are no new entries.
fn is_streams(reply: &Value, _: usize) -> bool {
    match reply {
        Value::Nil | Value::Map(_) => true,
        Value::Array(streams) => {
            let is_stream = |stream| matches!(list(stream), Some([key, entries]) if is_bulk(key) && list(entries).is_some());
            streams.iter().all(is_stream)
        }
        _ => false,
    }
}

fn is_stream_info(reply: &Value, _: usize) -> bool {
    StreamInfo::read(reply).is_some()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::protocol::counting;
    use crate::protocol::discovery::{self, Sweep};
    use crate::protocol::key::QueueKey;

    #[test]
    fn every_command_of_a_count_is_known_with_its_arguments() {
        let key = QueueKey::new("bull", "q");
        let mut pipeline = redis::pipe();
        counting::append(&mut pipeline, &key, true);
        discovery::append(&mut pipeline, &key);
        pipeline.add_command(Sweep::default().command());
        pipeline.add_command(crate::protocol::values::ask_time());
        pipeline.add_command(crate::protocol::clients::ask());
        for command in pipeline.cmd_iter() {
            assert!(Command::of(command).is_some(), "{command:?}");
        }
        let of = |words: &[&str]| {
            let mut command = redis::cmd(words[0]);
            command.arg(&words[1..]);
            Command::of(&command).map(|command| command.name)
        };
        assert_eq!(of(&["XINFO", "STREAM", "k"]), Some("XINFO STREAM"));
        assert_eq!(of(&["CLIENT", "KILL"]), None);
        assert_eq!(of(&["SET", "k", "v"]), None);
    }

    #[test]
    fn the_documentation_has_every_command() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/redis.md");
        let page = std::fs::read_to_string(page).unwrap();
        for command in &COMMANDS {
            let row = format!("| `{}` | {} |", command.name, command.absent);
            assert!(page.contains(&row), "docs/redis.md lacks: {row}");
        }
    }

    #[test]
    fn replies_of_another_type_do_not_fit() {
        let none_fits = [
            Value::Okay,
            Value::SimpleString("PONG".into()),
            Value::Boolean(true),
            Value::Array(vec![Value::Int(1)]),
        ];
        for known in &COMMANDS[..COMMANDS.len() - 1] {
            for reply in &none_fits {
                assert!(!(known.fits)(reply, 2), "{} {reply:?}", known.name);
            }
        }
        let text = Value::BulkString(b"1".to_vec());
        let array = |values: &[&Value]| Value::Array(values.iter().copied().cloned().collect());
        let (nil, none) = (Value::Nil, Value::Array(Vec::new()));
        assert!(is_fields(&array(&[&text, &nil]), 3) && !is_fields(&none, 3));
        assert!(!is_fields(&array(&[&text]), 3));
        assert!(is_scored(&none, 0) && is_scored(&array(&[&text, &text]), 0));
        assert!(is_scored(
            &array(&[&array(&[&text, &Value::Double(1.0)])]),
            0
        ));
        assert!(!is_scored(&array(&[&text]), 0));
        assert!(is_scan(&array(&[&text, &none]), 0) && !is_scan(&none, 0));
        assert!(!is_time(&none, 0) && !is_client_list(&none, 0) && !is_count(&Value::Int(-1), 0));
    }
}
