//! Counts the workers of a queue by the names of their connections.
//!
//! BullMQ names the connection on which a worker waits for jobs: `bull:bWFpbHM=` for the queue `mails`, or
//! `bull:bWFpbHM=:w:name` for a worker with a name. Node and Rust encode the queue name in Base64, with one such
//! connection per worker. Python, Elixir and .NET write the plain name, and some of them also name a worker's second
//! connection: of those, only connections that wait for jobs are counted.
//!
//! Some servers and proxies return an empty or filtered list. A complete list contains the requesting connection; a
//! list without it is ignored.

use std::collections::HashMap;

use redis::{Cmd, Value};

use crate::protocol::key::QueueKey;
use vigie_redis::reply::bytes;

/// Separator between the queue and the worker's own name.
const NAMED: &str = ":w:";
/// Blocking commands with which workers wait for jobs. While a worker is busy, its connection still shows it as the
/// last command.
const WAITING: [&str; 5] = ["bzpopmin", "brpoplpush", "blmove", "brpop", "bzmpop"];
/// The command shown for the requesting connection. Redis 6.2 shows no subcommand.
const ASKING: [&str; 2] = ["client|list", "client"];
/// Maximum idle time in seconds of the requesting connection, in a clock of whole seconds. Other clients that requested
/// the list earlier show the same command with a longer idle time.
const ASKED_WITHIN: u64 = 5;

pub(crate) fn ask() -> Cmd {
    let mut command = redis::cmd("CLIENT");
    command.arg("LIST").arg("TYPE").arg("normal");
    command
}

/// The number of workers of each queue of a database; `None` if the reply is not a client list, or does not contain the
/// requesting connection.
pub(crate) fn count<'a>(
    reply: &Value,
    database: i64,
    queues: impl ExactSizeIterator<Item = &'a QueueKey>,
) -> Option<Vec<u64>> {
    let clients = String::from_utf8_lossy(bytes(reply)?);
    if !has_asker(&clients) {
        return None;
    }
    let mut workers = vec![0; queues.len()];
    let mut places = HashMap::new();
    for (at, queue) in queues.enumerate() {
        let (prefix, name) = (queue.prefix(), queue.name());
        places
            .entry(format!("{prefix}:{name}"))
            .or_insert((at, false));
        places.insert(format!("{prefix}:{}", base64(name.as_bytes())), (at, true));
    }
    let place = |name: &str| {
        let ends = name.match_indices(NAMED).map(|(end, _)| end);
        let mut ends = ends.chain([name.len()]);
        ends.find_map(|end| places.get(&name[..end]).copied())
    };
    // Connections per plain name, and how many of them wait.
    let mut plain: HashMap<&str, (usize, u64)> = HashMap::new();
    for client in clients.lines() {
        let field = |wanted| field(client, wanted);
        if field("db").is_some_and(|number| number.parse() != Ok(database)) {
            continue;
        }
        let Some(name) = field("name").filter(|name| !name.is_empty()) else {
            continue;
        };
        match place(name) {
            Some((at, true)) => workers[at] += 1,
            Some((at, false)) => {
                let waits = field("cmd").is_some_and(|command| WAITING.contains(&command));
                plain.entry(name).or_insert((at, 0)).1 += u64::from(waits);
            }
            None => {}
        }
    }
    for (at, waiting) in plain.into_values() {
        workers[at] += waiting.max(1);
    }
    Some(workers)
}

/// Whether a client list contains the requesting connection.
pub(crate) fn is_complete(reply: &Value) -> bool {
    bytes(reply).is_some_and(|clients| has_asker(&String::from_utf8_lossy(clients)))
}

fn has_asker(clients: &str) -> bool {
    clients.lines().any(|client| {
        field(client, "cmd").is_some_and(|command| ASKING.contains(&command))
            && field(client, "idle")
                .is_none_or(|idle| idle.parse().is_ok_and(|idle: u64| idle <= ASKED_WITHIN))
    })
}

fn field<'a>(client: &'a str, wanted: &str) -> Option<&'a str> {
    let mut fields = client.split(' ').filter_map(|field| field.split_once('='));
    fields.find_map(|(field, value)| (field == wanted).then_some(value))
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let three = chunk
            .iter()
            .fold(0u32, |three, byte| three << 8 | u32::from(*byte));
        let three = three << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            match digit <= chunk.len() {
                true => text.push(char::from(
                    DIGITS[(three >> (18 - 6 * digit)) as usize & 63],
                )),
                false => text.push('='),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::protocol::testing::bulk;
    use proptest::prelude::*;

    fn counted(clients: &[(&str, &str)], queues: &[(&str, &str)]) -> Vec<u64> {
        let clients = clients.iter().chain(&[("", "client|list")]);
        let lines = clients.enumerate().map(|(id, (name, command))| {
            format!(
                "id={id} addr=127.0.0.1:1 name={name} age=1 flags=b cmd={command} user=default\n"
            )
        });
        let queues: Vec<_> = queues
            .iter()
            .map(|(prefix, name)| QueueKey::new(prefix, name))
            .collect();
        count(&bulk(&lines.collect::<String>()), 0, queues.iter()).unwrap()
    }

    #[test]
    fn base64_of_the_rfc() {
        let texts =
            ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|text| base64(text.as_bytes()));
        assert_eq!(
            texts,
            [
                "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"
            ]
        );
        assert_eq!(base64(b"\xfb\xff"), "+/8=");
    }

    #[test]
    fn every_library_names_its_workers() {
        let queues = [("bull", "mails"), ("{shop}:eu", "mails"), ("bull", "other")];
        let mails = "bull:bWFpbHM=";
        for (clients, expected) in [
            // Node: busy, waiting, named; and other clients.
            (
                &[
                    (mails, "bzpopmin"),
                    (mails, "evalsha"),
                    ("bull:bWFpbHM=:w:a:w:b", "bzpopmin"),
                ][..],
                [3, 0, 0],
            ),
            (
                &[
                    ("bull:bWFpbHM=:qe", "xread"),
                    ("", "ping"),
                    ("bull:bWFpbHM", "ping"),
                    ("bull", "x"),
                ],
                [0; 3],
            ),
            // Python: two connections each of two workers, one of them busy; and one that has not waited yet.
            (
                &[
                    ("bull:other", "bzpopmin"),
                    ("bull:other", "evalsha"),
                    ("bull:other", "bzpopmin"),
                    ("bull:other", "evalsha"),
                ],
                [0, 0, 2],
            ),
            (
                &[("bull:other:w:x", "evalsha"), ("bull:other:w:x", "evalsha")],
                [0, 0, 1],
            ),
            (&[("{shop}:eu:bWFpbHM=:w:1", "brpoplpush")], [0, 1, 0]),
        ] {
            assert_eq!(counted(clients, &queues), expected, "{clients:?}");
        }
        assert_eq!(count(&Value::Nil, 0, [].iter()), None);
    }

    #[test]
    fn the_list_is_of_the_server_and_the_workers_of_a_database() {
        let line = |database| format!("id=1 name=bull:cQ== db={database} cmd=bzpopmin\n");
        let queue = QueueKey::new("bull", "q");
        for (database, workers) in [(0, 1), (3, 2), (1, 0)] {
            let own = format!("id=2 name= idle=0 db={database} cmd=client\n");
            let list = bulk(&[line(0), line(3), line(3), line(13), own].concat());
            assert_eq!(
                count(&list, database, [&queue].into_iter()),
                Some(vec![workers])
            );
        }
    }

    #[test]
    fn a_queue_named_like_anothers_base64() {
        let queues = [("bull", "bWFpbHM="), ("bull", "mails")];
        assert_eq!(counted(&[("bull:bWFpbHM=", "bzpopmin")], &queues), [0, 1]);
    }

    #[test]
    fn a_list_without_the_connection_that_asks_is_unknown() {
        let queue = QueueKey::new("bull", "q");
        let worker = "id=1 name=bull:cQ== idle=0 db=0 cmd=bzpopmin\n";
        // Another tool that requested the list a minute ago.
        let stranger = "id=2 name= idle=60 db=0 cmd=client|list\n";
        for list in ["", worker, stranger, &[worker, stranger].concat()] {
            assert_eq!(count(&bulk(list), 0, [&queue].into_iter()), None, "{list}");
        }
        let none = Value::Array(Vec::new());
        assert_eq!(count(&none, 0, [&queue].into_iter()), None);
    }

    proptest! {
        #[test]
        fn any_list_is_taken(text in "(id=1 )?(name=[a-z:=%]{0,12})?( cmd=[a-z]{0,4}| =|\n|.{0,5}){0,20}") {
            count(&bulk(&text), 0, [QueueKey::new("bull", "q")].iter());
        }
    }
}
