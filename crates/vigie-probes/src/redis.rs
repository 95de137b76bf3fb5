//! The check of Redis.

use std::time::Duration;

use redis::{ErrorKind, RedisError};
use vigie_redis::redact::Secrets;
use vigie_redis::{Endpoint, Error, TlsFiles};

use crate::address::{self, UrlError};
use crate::check::{BoxFuture, Check, Outcome};
use crate::failure::{Failure, FailureKind};
use crate::redis_cluster::Members;
use crate::redis_ping::Ping;
use crate::sql::RELOGIN_EVERY;

/// Sends `PING` on a persistent connection. In a cluster it pings every master, and checks that all slots are owned
/// and that the cluster reports itself as working.
pub struct Redis {
    name: String,
    endpoint: Endpoint,
    secrets: Secrets,
    relogin_every: Duration,
    /// `None` until the address is known.
    asked: Option<Asked>,
}

enum Asked {
    One(Ping),
    Cluster(Box<Members>),
}

impl Asked {
    fn of(endpoint: &Endpoint) -> Self {
        match endpoint.scout() {
            Some(scout) => Self::Cluster(Box::new(Members::new(scout))),
            None => Self::One(Ping::default()),
        }
    }
}

/// A problem, and its node if there are several.
pub(crate) struct Trouble {
    pub(crate) node: Option<String>,
    pub(crate) what: What,
}

pub(crate) enum What {
    Error(Error),
    /// The cluster reports that it works only partially.
    Partial(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self {
            node: None,
            what: What::Error(error),
        }
    }
}

impl Redis {
    /// A check of the server at a `redis://`, `rediss://` or `unix:` URL.
    ///
    /// # Errors
    /// If the URL cannot be parsed.
    pub fn new(name: impl Into<String>, url: &str) -> Result<Self, UrlError> {
        address::parse(url)?;
        let endpoint = Endpoint::new(url, TlsFiles::default());
        let endpoint = endpoint.map_err(|error| match error {
            vigie_redis::UrlError::Scheme => UrlError::Scheme("redis://, rediss:// or unix:"),
            error => UrlError::Detail(error.to_string()),
        })?;
        Ok(Self::at(name, endpoint))
    }

    /// A check of an endpoint: a server, the master reported by Sentinels, or a cluster. While its address is not
    /// known, it fails with the reason.
    #[must_use]
    pub fn at(name: impl Into<String>, endpoint: Endpoint) -> Self {
        Self {
            name: name.into(),
            asked: None,
            endpoint,
            secrets: Secrets::default(),
            relogin_every: RELOGIN_EVERY,
        }
    }

    /// Sets the period after which a new login is made even if the connection still works; 60 s by default.
    #[must_use]
    pub fn relogin_every(mut self, every: Duration) -> Self {
        self.relogin_every = every;
        self
    }

    async fn ping(&mut self, deadline: Duration) -> Result<(), Trouble> {
        let endpoint = self.endpoint.find().await?;
        let asked = self.asked.get_or_insert_with(|| {
            endpoint.passwords().for_each(|word| self.secrets.add(word));
            Asked::of(endpoint)
        });
        match asked {
            Asked::One(ping) => {
                let answered = ping.run(endpoint, deadline, self.relogin_every).await;
                answered.map_err(Trouble::from)
            }
            Asked::Cluster(members) => members.run(deadline, self.relogin_every).await,
        }
    }

    fn failure(&self, trouble: &Trouble) -> Failure {
        let place = match &trouble.node {
            Some(node) => format!("{}: {node}", self.target()),
            None => self.target(),
        };
        let error = match &trouble.what {
            What::Error(error) => error,
            What::Partial(text) => {
                let text = format_args!("{place}: {text}");
                return Failure::new(FailureKind::NotReady, text);
            }
        };
        if let Error::Address(reason) = error {
            return Failure::new(FailureKind::Other, reason).advise(error.advice());
        }
        let (kind, text) = self.classify(error);
        let failure = Failure::new(kind, format_args!("{place}: {text}"));
        failure.without(&self.secrets).advise(error.advice())
    }

    fn classify(&self, error: &Error) -> (FailureKind, String) {
        if error.tls().is_some() {
            return (FailureKind::Tls, format!("TLS: {error}"));
        }
        match error {
            Error::Redis(error) => explain(error, self.endpoint.is_over_tls()),
            Error::Late(_) => (FailureKind::TimedOut, "no answer in time".into()),
            Error::Tls(_) => (FailureKind::Tls, error.to_string()),
            Error::PartOfCluster | Error::NoCluster => (FailureKind::Protocol, error.to_string()),
            Error::NoSlots => (FailureKind::NotReady, error.to_string()),
            Error::NoNode { .. } => {
                let kind = match error.first() {
                    Error::NoNode { .. } => FailureKind::Unreachable,
                    first => self.classify(first).0,
                };
                (kind, error.to_string())
            }
            _ => (FailureKind::Unreachable, error.to_string()),
        }
    }
}

impl Check for Redis {
    fn name(&self) -> &str {
        &self.name
    }

    fn target(&self) -> String {
        format!("redis {}", self.endpoint)
    }

    fn run(&mut self, deadline: Duration) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let outcome = self.ping(deadline).await;
            outcome.map_err(|error| self.failure(&error))
        })
    }
}

/// The kind and the message of an error.
fn explain(error: &RedisError, over_tls: bool) -> (FailureKind, String) {
    use FailureKind::{
        Broken, Denied, Full, NotReady, Other, Protocol, TimedOut, Tls, Unreachable,
    };
    let detail = error.detail().unwrap_or_default();
    if let Some(code) = error.code() {
        let (kind, meaning) = match code {
            "LOADING" => (NotReady, "is loading its data"),
            "BUSY" => (NotReady, "is busy running a script"),
            "MASTERDOWN" => (NotReady, "is a replica that has lost its master"),
            "CLUSTERDOWN" => (NotReady, "belongs to a cluster that is down"),
            "MISCONF" => (NotReady, "refuses writes because it cannot save to disk"),
            "READONLY" => (NotReady, "is a read-only replica"),
            "NOAUTH" => (Denied, "requires a password, but the address has none"),
            "WRONGPASS" => (Denied, "does not accept this user and password"),
            "NOPERM" => (Denied, "does not allow this user to run PING"),
            "DENIED" => (
                Denied,
                "runs in protected mode and answers to its own machine only",
            ),
            "ERR" if detail.contains("max number of clients") => {
                (Full, "has reached its limit of clients")
            }
            "ERR" if detail.contains("AUTH") || detail.contains("invalid password") => {
                (Denied, "does not accept this password")
            }
            _ => (Other, "answers with an error"),
        };
        return (kind, format!("{meaning} ({code} {detail})"));
    }
    if error.is_timeout() {
        return (TimedOut, "no answer in time".into());
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed => {
            (Denied, "does not accept this user and password".into())
        }
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => (
            Protocol,
            format!("does not speak the Redis protocol ({error})"),
        ),
        _ if error.is_connection_refusal() => (Unreachable, "connection refused".into()),
        // A server at its client limit sends an error and closes the connection; the error is often lost.
        _ if error.is_connection_dropped() => (
            Broken,
            "the connection broke off (a server at its maxclients limit does this)".into(),
        ),
        ErrorKind::Io if over_tls && !is_network_error(error) => (Tls, format!("TLS: {error}")),
        ErrorKind::Io => (Unreachable, error.to_string()),
        _ => (Other, error.to_string()),
    }
}

/// Whether it failed before the TLS handshake; the driver does not distinguish the two.
fn is_network_error(error: &RedisError) -> bool {
    let text = error.to_string();
    text.contains("(os error ") || text.contains("lookup address")
}
