//! One server, or the master that Sentinels know.

use std::fmt;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use tokio::time::timeout;

use crate::error::{Error, UrlError};
use crate::sentinel::Sentinels;
use crate::tls::TlsFiles;

/// Where Redis is. `Debug` and `Display` show no password.
#[derive(Clone)]
pub struct Endpoint {
    place: Place,
    tls: TlsFiles,
}

#[derive(Clone)]
enum Place {
    Server(ConnectionInfo),
    Sentinels(Sentinels),
}

impl Endpoint {
    /// The place that a URL names:
    ///
    /// - `redis://[user][:password@]host[:port][/database]`, and `rediss://` with TLS;
    /// - `unix:///path` or `redis+unix:///path`, with `?db=…&user=…&pass=…`;
    /// - `redis-sentinel://[user][:password@]host[:port],host[:port]…/master[/database]`, and
    ///   `rediss-sentinel://` with TLS to Sentinels and servers. User and password are the servers'; the
    ///   Sentinels' own, if they have one, is `?sentinel_password=…` (and `sentinel_username=…`).
    ///
    /// # Errors
    /// When it names none.
    pub fn new(url: &str, tls: TlsFiles) -> Result<Self, UrlError> {
        let url = url.trim();
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        let place = match scheme {
            "redis-sentinel" | "rediss-sentinel" => {
                Place::Sentinels(Sentinels::parse(url).ok_or(UrlError::Sentinels)?)
            }
            _ => {
                let parsed = redis::parse_redis_url(url);
                let parsed = match (parsed, url.split_once(':')) {
                    (Some(parsed), _) => parsed,
                    (None, Some(("redis" | "rediss" | "unix" | "redis+unix", _))) => {
                        return Err(UrlError::Server);
                    }
                    _ => return Err(UrlError::Scheme),
                };
                Place::Server(
                    parsed
                        .into_connection_info()
                        .map_err(|_| UrlError::Server)?,
                )
            }
        };
        Ok(Self { place, tls })
    }

    /// Connects and logs in; with Sentinels, to the server that is master now.
    ///
    /// The connection's answers have the same time as this whole, until that is changed.
    ///
    /// # Errors
    /// When there is no connection `within` that time.
    pub async fn connect(&self, within: Duration) -> Result<MultiplexedConnection, Error> {
        let connecting = async {
            match &self.place {
                Place::Server(info) => open(&self.tls.client(info.clone())?, within).await,
                Place::Sentinels(sentinels) => sentinels.connect(&self.tls, within).await,
            }
        };
        // A server that takes the connection and never greets is bounded only by this.
        timeout(within, connecting)
            .await
            .unwrap_or(Err(Error::Late(within)))
    }

    /// Whether what is said is encrypted.
    #[must_use]
    pub fn is_over_tls(&self) -> bool {
        match &self.place {
            Place::Server(info) => matches!(info.addr(), ConnectionAddr::TcpTls { .. }),
            Place::Sentinels(sentinels) => sentinels.is_over_tls(),
        }
    }

    /// The passwords, for whoever must keep them out of a text.
    pub fn passwords(&self) -> impl Iterator<Item = &str> {
        let all = match &self.place {
            Place::Server(info) => [info.redis_settings().password(), None],
            Place::Sentinels(sentinels) => sentinels.passwords(),
        };
        all.into_iter().flatten()
    }
}

impl From<Client> for Endpoint {
    fn from(client: Client) -> Self {
        Self {
            place: Place::Server(client.get_connection_info().clone()),
            tls: TlsFiles::default(),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Server(info) => write!(f, "{}/{}", info.addr(), info.redis_settings().db()),
            Place::Sentinels(sentinels) => sentinels.fmt(f),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

pub(crate) async fn open(
    client: &Client,
    within: Duration,
) -> Result<MultiplexedConnection, Error> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(within))
        .set_response_timeout(Some(within));
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    connection.await.map_err(Error::Redis)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses() {
        for (url, shown) in [
            ("redis://127.0.0.1", "127.0.0.1:6379/0"),
            ("redis://u:p@h:1/5", "h:1/5"),
            ("rediss://[::1]:7", "::1:7/0"),
            ("unix:///run/redis.sock", "/run/redis.sock/0"),
            ("redis+unix:///run/r.sock?db=2&pass=secret", "/run/r.sock/2"),
        ] {
            let endpoint = Endpoint::new(url, TlsFiles::default()).unwrap();
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(endpoint.is_over_tls(), url.starts_with("rediss"));
        }
    }

    #[test]
    fn what_is_no_address_is_not_repeated() {
        for (url, expected) in [
            ("http://h", UrlError::Scheme),
            ("", UrlError::Scheme),
            ("redis://u:12/34@h", UrlError::Server),
            ("redis://h/secret", UrlError::Server),
            ("redis://", UrlError::Server),
            ("rediss://u:p@/0", UrlError::Server),
            ("redis-sentinel://:secret@h", UrlError::Sentinels),
        ] {
            let error = Endpoint::new(url, TlsFiles::default()).unwrap_err();
            assert_eq!(error, expected, "{url}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken_or_refused(
            text in "(redis|rediss|unix|redis-sentinel)://.{0,40}",
            password in "[A-Z]{8}",
        ) {
            let _ = Endpoint::new(&text, TlsFiles::default());
            let rest = text.split_once("://").unwrap().1;
            let url = format!("redis-sentinel://:{password}@{rest}");
            if let Ok(endpoint) = Endpoint::new(&url, TlsFiles::default()) {
                assert!(!endpoint.to_string().contains(&password));
            }
        }
    }
}
