//! The errors of this crate. Their texts hold no password.

use std::time::Duration;

use vigie_tls::TlsProblem;

use crate::tls;

/// Why an address is refused. The text does not repeat it.
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
    /// A parameter after the `?` is unknown, has a wrong value or contradicts the rest of the address.
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

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server could not be reached, or refuses.
    #[error("{}", told(.0))]
    Redis(redis::RedisError),
    /// There was no answer in time.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// There is no connection over TLS, or a file with a certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] vigie_tls::Error),
    /// No Sentinel led to a server that is master.
    #[error("no master {name:?}: {}", tried.join("; "))]
    NoMaster {
        /// The master's name.
        name: String,
        /// The failure of each Sentinel.
        tried: Vec<String>,
        /// The problem with the certificates or with TLS of the first one that has any.
        tls: Option<TlsProblem>,
    },
    /// The server is part of a cluster, and the address is not that of one.
    #[error(
        "the server is part of a cluster: use redis-cluster://HOST:PORT,HOST:PORT (rediss-cluster:// with TLS)"
    )]
    PartOfCluster,
    /// The server is not part of a cluster, and the address is that of one.
    #[error("the server is no part of a cluster: use redis:// (rediss:// with TLS)")]
    NoCluster,
    /// No node of the cluster is known to hold the slots in question.
    #[error("no node of the cluster holds these slots")]
    NoSlots,
    /// No node of the cluster answered the question for its masters.
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
            // A server refuses the client's certificate after the handshake.
            Self::Redis(error) => TlsProblem::in_sources(error),
            Self::NoMaster { tls, .. } => *tls,
            _ => None,
        }
    }

    /// The setting to change, if that is clear.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        match self.first() {
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

/// The error in words; for a problem with TLS the driver has only the library's debug text.
fn told(error: &redis::RedisError) -> String {
    match TlsProblem::in_sources(error) {
        Some(problem) => problem.to_string(),
        None => error.to_string(),
    }
}
