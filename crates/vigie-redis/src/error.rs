//! The errors of this crate. Their messages contain no password.

use std::time::Duration;

use vigie_tls::TlsProblem;

use crate::{redact, tls};

/// The reason why an address is invalid. The message does not quote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// Its scheme is unknown.
    #[error(
        "the URL must begin with redis:, rediss:, unix:, redis+unix:, redis-sentinel:, rediss-sentinel:, \
         redis-cluster: or rediss-cluster:"
    )]
    Scheme,
    /// It is not the address of a server.
    #[error(
        "not redis://HOST:PORT/DATABASE or unix:///PATH?db=DATABASE \
         (characters like / ? # @ in a password must be percent-encoded)"
    )]
    Server,
    /// A parameter after the `?` is unknown, has an invalid value or contradicts the rest of the address.
    #[error("the parameter {name} {problem}")]
    Parameter {
        /// The parameter; `?` stands for a name that is not a plain word.
        name: String,
        /// The problem with it.
        problem: &'static str,
    },
    /// It is not the address of Sentinels.
    #[error(
        "not redis-sentinel://:PASSWORD@HOST:PORT,HOST:PORT/MASTER/DATABASE \
         (characters like / ? # @ in a password must be percent-encoded)"
    )]
    Sentinels,
    /// It is not the address of a cluster.
    #[error(
        "not redis-cluster://:PASSWORD@HOST:PORT,HOST:PORT, without a database, since a cluster has only one \
         (characters like / ? # @ in a password must be percent-encoded)"
    )]
    Cluster,
}

/// The reason why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be used yet, and why.
    #[error("{0}")]
    Address(String),
    /// The server could not be reached, or returned an error.
    #[error("{}", message(.0))]
    Redis(redis::RedisError),
    /// A timeout.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// TLS failed, or a file with a certificate or key cannot be used. What was given as its path may be an address.
    #[error("{}", redact::addresses(&.0.to_string()))]
    Tls(#[from] vigie_tls::Error),
    /// No Sentinel reported an address where a master answers.
    #[error("no master {name:?}: {}", tried.join("; "))]
    NoMaster {
        /// The master's name.
        name: String,
        /// The failure of each Sentinel.
        tried: Vec<String>,
        /// The first problem with certificates or TLS, if any.
        tls: Option<TlsProblem>,
    },
    /// The server is a node of a cluster, but the address is not that of a cluster.
    #[error(
        "the server is part of a cluster: use redis-cluster://HOST:PORT,HOST:PORT (rediss-cluster:// with TLS)"
    )]
    PartOfCluster,
    /// The server is not a node of a cluster, but the address is that of a cluster.
    #[error("the server is not part of a cluster: use redis:// (rediss:// with TLS)")]
    NoCluster,
    /// No known node of the cluster owns the slots in question.
    #[error("no node of the cluster holds these slots")]
    NoSlots,
    /// No node of the cluster answered the query for its masters.
    #[error("no node of the cluster answers: {}", each(tried))]
    NoNode {
        /// The failure of each node, by `host:port`.
        tried: Vec<(String, Error)>,
    },
}

impl Error {
    /// The problem with the certificates or with TLS, if that is the reason.
    #[must_use]
    pub fn tls(&self) -> Option<TlsProblem> {
        match self.first() {
            Self::Tls(error) => error.problem(),
            // A server rejects the client's certificate only after the handshake.
            Self::Redis(error) => TlsProblem::in_sources(error),
            Self::NoMaster { tls, .. } => *tls,
            _ => None,
        }
    }

    /// The setting to change, if that is clear.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        match self.first() {
            Self::Address(_) => Some("the address is read again at each attempt"),
            Self::PartOfCluster => Some("name the nodes of the cluster in redis.url"),
            Self::NoCluster => Some("write redis:// in redis.url: this server stands alone"),
            _ => self.tls().map(tls::advice),
        }
    }

    /// The error of the first node, if several failed.
    #[must_use]
    pub fn first(&self) -> &Self {
        match self {
            Self::NoNode { tried } => tried.first().map_or(self, |(_, first)| first.first()),
            error => error,
        }
    }
}

fn each(tried: &[(String, Error)]) -> String {
    let tried = tried.iter().map(|(name, error)| format!("{name} {error}"));
    tried.collect::<Vec<_>>().join("; ")
}

/// The message of an error; for TLS problems the driver has only the library's debug text.
fn message(error: &redis::RedisError) -> String {
    match TlsProblem::in_sources(error) {
        Some(problem) => problem.to_string(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_place_of_a_path_is_not_shown() {
        let error = Error::from(vigie_tls::Error::Unusable {
            source_name: "redis://u:hunter2@h".into(),
            reason: "it is not a regular file".into(),
        });
        let text = error.to_string();
        assert!(text.contains("not a regular file"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
