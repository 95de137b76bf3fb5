//! Errors. Their texts hold no password.

use std::path::PathBuf;
use std::time::Duration;

use crate::redact;
use crate::tls::TlsProblem;

/// What is wrong with an address. The text holds nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It begins with something else than it may.
    #[error(
        "the URL must begin with redis:, rediss:, unix:, redis+unix:, redis-sentinel:, rediss-sentinel:, \
         redis-cluster: or rediss-cluster:"
    )]
    Scheme,
    /// It is no address of a server.
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
        /// What is wrong with it.
        problem: &'static str,
    },
    /// It is no address of Sentinels.
    #[error(
        "not redis-sentinel://:PASSWORD@HOST:PORT,HOST:PORT/MASTER/DATABASE \
         (characters like / ? # @ in a password must be percent-encoded)"
    )]
    Sentinels,
    /// It is no address of a cluster.
    #[error(
        "not redis-cluster://:PASSWORD@HOST:PORT,HOST:PORT, without a database, for a cluster has but one \
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
    /// Nobody answered in time.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// A file with a certificate or key cannot be used.
    #[error("{}: {reason}", redact::addresses(&path.display().to_string()))]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// No Sentinel knew a master that says it is one.
    #[error("no master {name:?}: {}", tried.join("; "))]
    NoMaster {
        /// The master's name.
        name: String,
        /// What each Sentinel came to.
        tried: Vec<String>,
    },
    /// A server that was taken for all there is holds but a part.
    #[error(
        "the server is part of a cluster: use redis-cluster://HOST:PORT,HOST:PORT (rediss-cluster:// with TLS)"
    )]
    PartOfCluster,
    /// A server that was taken for a node of a cluster is none.
    #[error("the server is no part of a cluster: use redis:// (rediss:// with TLS)")]
    NoCluster,
    /// A node of a cluster, or all of them, know nobody who holds the slots in question.
    #[error("nobody in the cluster holds these slots")]
    NoSlots,
    /// No node of a cluster can tell who its masters are.
    #[error("no node of the cluster answers: {}", each(tried))]
    NoNode {
        /// What each node came to, by `host:port`.
        tried: Vec<(String, Error)>,
    },
}

impl Error {
    /// What is wrong with the certificates, if that is the reason.
    #[must_use]
    pub fn tls(&self) -> Option<TlsProblem> {
        TlsProblem::in_text(&self.to_string())
    }
}

fn each(tried: &[(String, Error)]) -> String {
    let tried = tried.iter().map(|(name, error)| format!("{name} {error}"));
    tried.collect::<Vec<_>>().join("; ")
}

/// The error, and in words what it means for the certificates.
fn told(error: &redis::RedisError) -> String {
    let text = error.to_string();
    match TlsProblem::in_text(&text) {
        Some(problem) => format!("{problem} ({text})"),
        None => text,
    }
}
