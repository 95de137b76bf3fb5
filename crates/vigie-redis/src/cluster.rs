//! A cluster: the addresses of some of its nodes, and its description by one of them.

use std::fmt;

use redis::{ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, Value};
use url::Url;

use crate::error::Error;
use crate::hosts::{self, Address};
use crate::reply::{count, field, list, text};
use crate::slot::Slots;

const PORT: u16 = 6379;

/// The connection parameters of a cluster.
#[derive(Clone)]
pub(crate) struct Cluster {
    /// The addresses of some of its nodes.
    pub(crate) seeds: Vec<Address>,
    over_tls: bool,
    login: RedisConnectionInfo,
}

impl Cluster {
    /// `redis-cluster://[user][:password@]host[:port],…`.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        // There is only one database, and no parameters are allowed.
        if rest.contains(['/', '?', '#']) {
            return None;
        }
        let (login, seeds) = hosts::authority(rest, PORT)?;
        let single = Url::parse(&format!("redis://{login}cluster")).ok()?;
        Some(Self {
            seeds,
            over_tls: scheme == "rediss-cluster",
            login: single.into_connection_info().ok()?.redis_settings().clone(),
        })
    }

    pub(crate) fn is_over_tls(&self) -> bool {
        self.over_tls
    }

    pub(crate) fn password(&self) -> Option<&str> {
        self.login.password()
    }

    /// The connection parameters of one of its nodes.
    pub(crate) fn node(&self, at: &Address) -> Result<ConnectionInfo, Error> {
        hosts::info(at, self.over_tls, &self.login)
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cluster {}", hosts::names(&self.seeds))
    }
}

/// The cluster as seen by one node: the masters with their slots, and the replicas.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Nodes {
    pub(crate) masters: Vec<(Address, Slots)>,
    pub(crate) replicas: Vec<Address>,
}

/// Parses the reply of the node at `asked` to CLUSTER SLOTS; `None` if it is malformed.
///
/// Each entry has the first and last slot of a range and its nodes, the master first. A node has a host, a port, an
/// id, and since version 7 more fields. An empty or null host stands for the node that sent the reply; an announced
/// host name is preferred to an address, since certificates contain names.
pub(crate) fn read(answer: &Value, asked: &str) -> Option<Nodes> {
    let mut nodes = Nodes::default();
    for range in list(answer)? {
        let [from, to, master, replicas @ ..] = list(range)? else {
            return None;
        };
        let [from, to] = [from, to].map(|slot| u16::try_from(count(slot)?).ok());
        let master = address(master, asked)?;
        let at = nodes.masters.iter().position(|(known, _)| *known == master);
        let at = at.unwrap_or_else(|| {
            nodes.masters.push((master, Slots::none()));
            nodes.masters.len() - 1
        });
        nodes.masters[at].1.add(from?..=to?);
        for replica in replicas.iter().filter_map(|node| address(node, asked)) {
            if !nodes.replicas.contains(&replica) {
                nodes.replicas.push(replica);
            }
        }
    }
    nodes.masters.sort_by(|(a, _), (b, _)| a.cmp(b));
    Some(nodes)
}

fn address(node: &Value, asked: &str) -> Option<Address> {
    let [host, port, rest @ ..] = list(node)? else {
        return None;
    };
    let port = u16::try_from(count(port)?).ok().filter(|port| *port > 0)?;
    let usable = |host: &String| !host.is_empty() && host != "?";
    let name = rest.get(1).and_then(|more| field(more, "hostname"));
    let name = name.and_then(text);
    let host = name.filter(usable).or_else(|| text(host).filter(usable));
    Some((host.unwrap_or_else(|| asked.to_owned()), port))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses() {
        let url = "rediss-cluster://vigie:a%2Fb@h1:1,[::1]:2,h3";
        let cluster = Cluster::parse(url).unwrap();
        assert_eq!(cluster.to_string(), "cluster h1:1,::1:2,h3:6379");
        assert!(cluster.is_over_tls());
        assert_eq!(cluster.password(), Some("a/b"));
        assert_eq!(cluster.login.username(), Some("vigie"));
        let plain = Cluster::parse("redis-cluster://h/").unwrap();
        assert_eq!(plain.to_string(), "cluster h:6379");
        for wrong in [
            "redis-cluster://",
            "redis-cluster://h/0",
            "redis-cluster://h,",
            "redis-cluster://h:0",
            "redis-cluster://h:x",
            "redis-cluster://h:70000",
            "redis-cluster://h?db=1",
            "redis-cluster://:12/34@h",
            "redis-cluster://h#x",
        ] {
            assert!(Cluster::parse(wrong).is_none(), "{wrong}");
        }
    }

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    fn node(host: Value, port: i64, more: Vec<Value>) -> Value {
        Value::Array(vec![host, Value::Int(port), bulk("id"), Value::Array(more)])
    }

    fn range(from: i64, to: i64, nodes: Vec<Value>) -> Value {
        let ends = [Value::Int(from), Value::Int(to)];
        Value::Array(ends.into_iter().chain(nodes).collect())
    }

    #[test]
    fn a_reply_describes_all_nodes() {
        let named = vec![bulk("hostname"), bulk("c.internal")];
        let unnamed = vec![bulk("hostname"), bulk("")];
        let of_old = Value::Array(vec![bulk("10.0.0.2"), Value::Int(2), bulk("id")]);
        let answer = Value::Array(vec![
            range(0, 5, vec![node(bulk(""), 1, vec![]), of_old.clone()]),
            range(6, 9, vec![node(bulk("10.0.0.3"), 3, named), of_old]),
            range(10, 10, vec![node(Value::Nil, 1, unnamed)]),
        ]);
        let nodes = read(&answer, "asked").unwrap();
        let at = |host: &str, port| (host.to_owned(), port);
        let (first, slots) = &nodes.masters[0];
        assert_eq!((first, slots.len()), (&at("asked", 1), 7));
        assert!(slots.contains(5) && slots.contains(10) && !slots.contains(6));
        assert_eq!(nodes.masters[1].0, at("c.internal", 3));
        assert_eq!(nodes.replicas, [at("10.0.0.2", 2)]);
        assert_eq!(read(&Value::Array(vec![]), "h"), Some(Nodes::default()));
        assert_eq!(read(&Value::Okay, "h"), None);
        assert_eq!(read(&Value::Array(vec![range(0, 1, vec![])]), "h"), None);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Nil),
            (-2i64..70_000).prop_map(Value::Int),
            "[a-z?]{0,3}|hostname".prop_map(|text| bulk(&text)),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop::collection::vec(inner, 0..5).prop_map(Value::Array)
        })
    }

    proptest! {
        #[test]
        fn any_reply_is_handled(answer in any_value()) {
            if let Some(nodes) = read(&answer, "asked") {
                prop_assert!(nodes.masters.iter().all(|((host, port), _)| !host.is_empty() && *port > 0));
            }
        }
    }
}
