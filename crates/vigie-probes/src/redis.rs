//! Whether Redis answers.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError};
use tokio::time::Instant;
use vigie_redis::{Endpoint, Error, TlsFiles};

use crate::address::{self, UrlError};
use crate::check::{BoxFuture, Check, Outcome};
use crate::failure::{Failure, FailureKind, Secrets};
use crate::sql::RELOGIN_EVERY;

/// Asks Redis for a `PING` on a connection that is kept.
pub struct Redis {
    name: String,
    endpoint: Endpoint,
    secrets: Secrets,
    relogin_every: Duration,
    kept: Option<(MultiplexedConnection, Instant)>,
}

impl Redis {
    /// A check of the server at a `redis://`, `rediss://` or `unix:` URL.
    ///
    /// # Errors
    /// When the URL makes no sense.
    pub fn new(name: impl Into<String>, url: &str) -> Result<Self, UrlError> {
        address::parse(url)?;
        let endpoint = Endpoint::new(url, TlsFiles::default());
        let endpoint = endpoint.map_err(|error| match error {
            vigie_redis::UrlError::Scheme => UrlError::Scheme("redis://, rediss:// or unix:"),
            error => UrlError::Detail(error.to_string()),
        })?;
        Ok(Self::at(name, endpoint))
    }

    /// A check of the server there: with certificates of our own, or of the master that Sentinels know.
    #[must_use]
    pub fn at(name: impl Into<String>, endpoint: Endpoint) -> Self {
        let mut secrets = Secrets::default();
        endpoint.passwords().for_each(|word| secrets.add(word));
        Self {
            name: name.into(),
            endpoint,
            secrets,
            relogin_every: RELOGIN_EVERY,
            kept: None,
        }
    }

    /// Sets how often a new login is made though the old one still works; 60 s if this is not called.
    #[must_use]
    pub fn relogin_every(mut self, every: Duration) -> Self {
        self.relogin_every = every;
        self
    }

    async fn ping(&mut self, deadline: Duration) -> Result<(), Error> {
        // Taken out: if this run is dropped half-way, so is the connection.
        let kept = self.kept.take();
        if let Some((mut connection, since)) = kept
            && since.elapsed() < self.relogin_every
        {
            connection.set_response_timeout(deadline);
            match ask(&mut connection).await {
                Ok(()) => {
                    self.kept = Some((connection, since));
                    return Ok(());
                }
                // The server has answered, if only to say no: a new connection would hear the same.
                Err(error) if error.code().is_some() => return Err(Error::Redis(error)),
                Err(_) => {}
            }
        }
        let mut connection = self.endpoint.connect(deadline).await?;
        ask(&mut connection).await.map_err(Error::Redis)?;
        self.kept = Some((connection, Instant::now()));
        Ok(())
    }

    fn failure(&self, error: &Error) -> Failure {
        let tls = error.tls();
        let (kind, text) = match (error, tls) {
            (_, Some(_)) => (FailureKind::Tls, format!("TLS: {error}")),
            (Error::Redis(error), None) => explain(error, self.endpoint.is_over_tls()),
            (Error::Late(_), None) => (FailureKind::TimedOut, "no answer in time".into()),
            (Error::File { .. }, None) => (FailureKind::Tls, error.to_string()),
            (_, None) => (FailureKind::Unreachable, error.to_string()),
        };
        let target = self.target();
        let failure = Failure::new(kind, format_args!("{target}: {text}"));
        let advice = tls.map(|problem| problem.advice());
        self.secrets.scrub(failure).advise(advice)
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

async fn ask(connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    let answer: String = redis::cmd("PING").query_async(connection).await?;
    if answer == "PONG" {
        return Ok(());
    }
    Err((ErrorKind::Parse, "PING was not answered with PONG").into())
}

/// What an error means, in words.
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
            "NOAUTH" => (Denied, "wants a password, and none is set"),
            "WRONGPASS" => (Denied, "does not accept this user and password"),
            "NOPERM" => (Denied, "does not let this user run PING"),
            "DENIED" => (
                Denied,
                "runs in protected mode and answers to its own machine only",
            ),
            "ERR" if detail.contains("max number of clients") => (Full, "has no room for us"),
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
        // A server without room says so and hangs up, but what it said is often lost on the way.
        _ if error.is_connection_dropped() => (
            Broken,
            "the connection broke off (a server at its maxclients does this)".into(),
        ),
        ErrorKind::Io if over_tls && !is_of_the_network(error) => (Tls, format!("TLS: {error}")),
        ErrorKind::Io => (Unreachable, error.to_string()),
        _ => (Other, error.to_string()),
    }
}

/// Whether it failed before TLS began; the driver passes both on as they come.
fn is_of_the_network(error: &RedisError) -> bool {
    let text = error.to_string();
    text.contains("(os error ") || text.contains("lookup address")
}
