//! An endpoint: one server, the master reported by Sentinels, or a cluster.

use std::fmt;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::cluster::Cluster;
use crate::error::{Error, UrlError};
use crate::greeting;
use crate::parameters;
use crate::patience::Patience;
use crate::scout::Scout;
use crate::sentinel::Sentinels;
use crate::slot::slot;
use crate::tls::TlsFiles;

/// The address of Redis, with credentials. `Debug` and `Display` show no password.
#[derive(Clone)]
pub struct Endpoint {
    place: Place,
    tls: TlsFiles,
}

#[derive(Clone)]
enum Place {
    Server(Server),
    Sentinels(Sentinels),
    Cluster(Cluster),
}

#[derive(Clone)]
struct Server {
    info: ConnectionInfo,
    /// Whether the address specifies a database.
    names_database: bool,
    /// Whether the server may be a node of a cluster. Otherwise that is an error, since it has only part of the data.
    may_be_node: bool,
}

impl Endpoint {
    /// Parses a URL:
    ///
    /// - `redis://[user][:password@]host[:port][/database]`, and `rediss://` with TLS;
    /// - `unix:///path` or `redis+unix:///path`;
    /// - each of these with `?db=…&username=…&password=…` (or `user`, `pass`). Client settings such as
    ///   `connectTimeout` are accepted and have no effect; other parameters are errors;
    /// - `redis-sentinel://[user][:password@]host[:port],host[:port]…/master[/database]`, and
    ///   `rediss-sentinel://` with TLS to Sentinels and servers. User and password are the servers'; the
    ///   Sentinels' own, if they have one, is `?sentinel_password=…` (and `sentinel_username=…`);
    /// - `redis-cluster://[user][:password@]host[:port],host[:port]…`, and `rediss-cluster://` with TLS: some nodes of
    ///   a cluster; the others are discovered.
    ///
    /// # Errors
    /// If the URL is invalid.
    pub fn new(url: &str, tls: TlsFiles) -> Result<Self, UrlError> {
        let url = url.trim();
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        let place = match scheme {
            "redis-sentinel" | "rediss-sentinel" => {
                Place::Sentinels(Sentinels::parse(url).ok_or(UrlError::Sentinels)?)
            }
            "redis-cluster" | "rediss-cluster" => {
                Place::Cluster(Cluster::parse(url).ok_or(UrlError::Cluster)?)
            }
            "redis" | "rediss" => Place::Server(Server::parse(url, true)?),
            "unix" | "redis+unix" => Place::Server(Server::parse(url, false)?),
            _ => return Err(UrlError::Scheme),
        };
        Ok(Self { place, tls })
    }

    pub(crate) fn of_node(info: ConnectionInfo, tls: TlsFiles) -> Self {
        let server = Server {
            info,
            names_database: false,
            may_be_node: true,
        };
        Self {
            place: Place::Server(server),
            tls,
        }
    }

    /// Connects and logs in: with Sentinels, to the current master; in a cluster, to the first node that answers.
    ///
    /// The time limit also applies to each response on the connection, until it is changed.
    ///
    /// # Errors
    /// If there is no connection `within` that time, or the server is a node of a cluster.
    pub async fn connect(&self, within: Duration) -> Result<MultiplexedConnection, Error> {
        let connecting = async {
            match &self.place {
                Place::Server(server) => server.connect(&self.tls, within).await,
                Place::Sentinels(sentinels) => sentinels.connect(&self.tls, within).await,
                Place::Cluster(cluster) => {
                    let mut scout = self.scout_of(cluster);
                    scout.masters(within).await?;
                    let connection = scout.connection().cloned();
                    connection.ok_or(Error::NoSlots)
                }
            }
        };
        // The only bound for a server that accepts the connection and never answers.
        timeout(within, connecting)
            .await
            .unwrap_or(Err(Error::Late(within)))
    }

    /// Like [`Endpoint::connect`], but in a cluster connects to the master that owns a key.
    ///
    /// # Errors
    /// Like [`Endpoint::connect`], and if no master owns the key.
    pub async fn connect_to_owner(
        &self,
        key: &[u8],
        within: Duration,
    ) -> Result<MultiplexedConnection, Error> {
        let Some(mut scout) = self.scout() else {
            return self.connect(within).await;
        };
        let connecting = async {
            let masters = scout.masters(within).await?;
            let slot = slot(key);
            let owner = masters.iter().find(|master| master.slots.contains(slot));
            owner.ok_or(Error::NoSlots)?.endpoint.connect(within).await
        };
        timeout(within, connecting)
            .await
            .unwrap_or(Err(Error::Late(within)))
    }

    /// The masters of this cluster; `None` if it is not a cluster.
    #[must_use]
    pub fn scout(&self) -> Option<Scout> {
        match &self.place {
            Place::Cluster(cluster) => Some(self.scout_of(cluster)),
            _ => None,
        }
    }

    fn scout_of(&self, cluster: &Cluster) -> Scout {
        Scout::new(cluster.clone(), self.tls.clone())
    }

    /// Whether it is a cluster.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        matches!(self.place, Place::Cluster(_))
    }

    /// The database, if the address names one.
    #[must_use]
    pub fn database(&self) -> Option<i64> {
        match &self.place {
            Place::Server(server) => server
                .names_database
                .then(|| server.info.redis_settings().db()),
            Place::Sentinels(sentinels) => sentinels.database(),
            Place::Cluster(_) => None,
        }
    }

    /// The same endpoint with another database. A cluster has only one.
    #[must_use]
    pub fn in_database(self, database: u16) -> Self {
        let database = i64::from(database);
        let place = match self.place {
            Place::Server(server) => {
                let settings = server.info.redis_settings().clone().set_db(database);
                Place::Server(Server {
                    info: server.info.set_redis_settings(settings),
                    names_database: true,
                    ..server
                })
            }
            Place::Sentinels(sentinels) => Place::Sentinels(sentinels.in_database(database)),
            cluster @ Place::Cluster(_) => cluster,
        };
        Self { place, ..self }
    }

    /// The same endpoint with these TLS files.
    #[must_use]
    pub fn with_tls(self, tls: TlsFiles) -> Self {
        Self { tls, ..self }
    }

    /// The same endpoint; if the address specifies no database, with this one, if any.
    #[must_use]
    pub fn or_in_database(self, database: Option<u16>) -> Self {
        match database {
            Some(database) if self.database().is_none() => self.in_database(database),
            _ => self,
        }
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_over_tls(&self) -> bool {
        match &self.place {
            Place::Server(server) => matches!(server.info.addr(), ConnectionAddr::TcpTls { .. }),
            Place::Sentinels(sentinels) => sentinels.is_over_tls(),
            Place::Cluster(cluster) => cluster.is_over_tls(),
        }
    }

    /// The passwords, so that a caller can remove them from its messages.
    pub fn passwords(&self) -> impl Iterator<Item = &str> {
        let all = match &self.place {
            Place::Server(server) => [server.info.redis_settings().password(), None],
            Place::Sentinels(sentinels) => sentinels.passwords(),
            Place::Cluster(cluster) => [cluster.password(), None],
        };
        all.into_iter().flatten()
    }
}

impl Server {
    /// Parses the address of a server on the network, or of a Unix socket.
    fn parse(url: &str, over_network: bool) -> Result<Self, UrlError> {
        let parsed = redis::parse_redis_url(url).ok_or(UrlError::Server)?;
        // In `redis://u:12?34@h`, `u:12` is part of the password and would be shown as the host.
        let behind = parsed.path().contains('@') || parsed.query().is_some_and(|q| q.contains('@'));
        if parsed.fragment().is_some() || over_network && behind {
            return Err(UrlError::Server);
        }
        let info = parsed.clone().into_connection_info();
        let info = info.map_err(|_| UrlError::Server)?;
        let (info, names_database) = parameters::apply(&parsed, info)?;
        Ok(Self {
            info,
            names_database,
            may_be_node: false,
        })
    }

    async fn connect(
        &self,
        tls: &TlsFiles,
        within: Duration,
    ) -> Result<MultiplexedConnection, Error> {
        let mut connection = open(&self.info, tls, within).await?;
        if !self.may_be_node
            && let Some("cluster") = greeting::of(&mut connection).await?.mode.as_deref()
        {
            return Err(Error::PartOfCluster);
        }
        Ok(connection)
    }
}

impl From<Client> for Endpoint {
    fn from(client: Client) -> Self {
        Self {
            place: Place::Server(Server {
                info: client.get_connection_info().clone(),
                names_database: true,
                may_be_node: false,
            }),
            tls: TlsFiles::default(),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Server(server) if server.may_be_node => server.info.addr().fmt(f),
            Place::Server(Server { info, .. }) => {
                write!(f, "{}/{}", info.addr(), info.redis_settings().db())
            }
            Place::Sentinels(sentinels) => sentinels.fmt(f),
            Place::Cluster(cluster) => cluster.fmt(f),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_tuple("Endpoint");
        debug.field(&format_args!("{self}"));
        if self.tls != TlsFiles::default() {
            debug.field(&self.tls);
        }
        debug.finish()
    }
}

/// Connects and logs in. The caller must set a timeout.
pub(crate) async fn open(
    info: &ConnectionInfo,
    tls: &TlsFiles,
    within: Duration,
) -> Result<MultiplexedConnection, Error> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(within))
        .set_response_timeout(Some(within));
    let ConnectionAddr::TcpTls { host, port, .. } = info.addr() else {
        let client = Client::open(info.clone()).map_err(Error::Redis)?;
        let connection = client.get_multiplexed_async_connection_with_config(&config);
        return connection.await.map_err(Error::Redis);
    };
    let io = |error: std::io::Error| Error::Redis(error.into());
    let tls = tls.settings().prepare().await?;
    let stream = TcpStream::connect((host.as_str(), *port)).await;
    let stream = stream.map_err(io)?;
    stream.set_nodelay(true).map_err(io)?;
    let stream = tls.connect(host, stream).await?;
    let (login, stream) = (info.redis_settings(), Patience::new(stream));
    let opened = MultiplexedConnection::new_with_config(login, stream, config);
    let (connection, driver) = opened.await.map_err(Error::Redis)?;
    // The task ends after the last handle of the connection is dropped.
    tokio::spawn(driver);
    Ok(connection)
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
            ("rediss-cluster://u:p@h:1,i", "cluster h:1,i:6379"),
        ] {
            let endpoint = Endpoint::new(url, TlsFiles::default()).unwrap();
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(endpoint.is_over_tls(), url.starts_with("rediss"));
        }
    }

    #[test]
    fn malformed_addresses_are_not_repeated() {
        for (url, expected) in [
            ("http://h", UrlError::Scheme),
            ("", UrlError::Scheme),
            ("redis://u:12/34@h", UrlError::Server),
            ("redis://u:12?34@h", UrlError::Server),
            ("redis://u:12?3=4@h", UrlError::Server),
            ("redis://u:12#34@h", UrlError::Server),
            ("valkey://h/5", UrlError::Scheme),
            ("redis://h/secret", UrlError::Server),
            ("redis://", UrlError::Server),
            ("rediss://u:p@/0", UrlError::Server),
            ("redis-sentinel://:secret@h", UrlError::Sentinels),
            ("redis-cluster://:secret@h/1", UrlError::Cluster),
        ] {
            let error = Endpoint::new(url, TlsFiles::default()).unwrap_err();
            assert_eq!(error, expected, "{url}");
        }
    }

    #[test]
    fn parameters_are_applied() {
        for (url, shown, user, password) in [
            ("redis://h:6379?db=2", "h:6379/2", None, None),
            ("redis://h/2?db=2", "h:6379/2", None, None),
            ("redis://h/?db=2&connectTimeout=5", "h:6379/2", None, None),
            (
                "redis://h?username=u&password=p%2F1",
                "h:6379/0",
                Some("u"),
                Some("p/1"),
            ),
            (
                "redis://:p%40@h?db=3&tls=false",
                "h:6379/3",
                None,
                Some("p@"),
            ),
            (
                "rediss://u:p@[::1]:7?tls=true",
                "::1:7/0",
                Some("u"),
                Some("p"),
            ),
            (
                "unix:///s?db=4&username=u&password=p",
                "/s/4",
                Some("u"),
                Some("p"),
            ),
            ("unix:///s?db=4&user=u&pass=p", "/s/4", Some("u"), Some("p")),
        ] {
            let endpoint = Endpoint::new(url, TlsFiles::default()).unwrap();
            assert_eq!(endpoint.to_string(), shown, "{url}");
            let Place::Server(server) = &endpoint.place else {
                panic!("{url} is not a server");
            };
            let settings = server.info.redis_settings();
            assert_eq!(settings.username(), user, "{url}");
            assert_eq!(settings.password(), password, "{url}");
            assert_eq!(endpoint.database().is_some(), url.contains("db="), "{url}");
        }
    }

    #[test]
    fn other_parameters_are_errors_that_name_them() {
        for (url, expected) in [
            (
                "redis://h/1?db=2",
                "db contradicts another part of the address",
            ),
            (
                "redis://h?db=1&db=2",
                "db contradicts another part of the address",
            ),
            ("redis://h?db=secret", "db must be a number"),
            ("redis://h?db=-1", "db must be a number"),
            (
                "redis://u:p@h?username=v",
                "username contradicts another part of the address",
            ),
            (
                "redis://u:p@h?password=v",
                "password contradicts another part of the address",
            ),
            (
                "redis://h?tls=true",
                "tls is not supported: TLS is chosen by rediss://",
            ),
            (
                "rediss://h?ssl=false",
                "ssl is not supported: TLS is chosen by rediss://",
            ),
            (
                "redis://h?family=6",
                "family is not supported: use an IP address as host",
            ),
            ("redis://h?keyPrefix=secret", "keyPrefix is unknown"),
            ("redis://h?ssl_cert_reqs=none", "ssl_cert_reqs is unknown"),
            ("redis://h?a%20b=secret", "? is unknown"),
            ("unix:///s?path=/t", "path is unknown"),
        ] {
            let error = Endpoint::new(url, TlsFiles::default()).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("the parameter {expected}"),
                "{url}"
            );
        }
    }

    #[test]
    fn databases() {
        for (url, named, shown) in [
            ("redis://h", None, "h:6379/3"),
            ("redis://h/", None, "h:6379/3"),
            ("redis://h/0", Some(0), "h:6379/3"),
            ("unix:///s", None, "/s/3"),
            ("unix:///s?db=2", Some(2), "/s/3"),
            ("redis-sentinel://h/m", None, "sentinel h:26379/m/3"),
            ("redis-sentinel://h/m/0", Some(0), "sentinel h:26379/m/3"),
            ("redis-cluster://h", None, "cluster h:6379"),
        ] {
            let endpoint = Endpoint::new(url, TlsFiles::default()).unwrap();
            assert_eq!(endpoint.database(), named, "{url}");
            let other = endpoint.clone().or_in_database(Some(3));
            let kept = named.or((!endpoint.is_cluster()).then_some(3));
            assert_eq!(other.database(), kept, "{url}");
            let third = endpoint.in_database(3);
            assert_eq!(third.to_string(), shown, "{url}");
            assert_eq!(
                third.database(),
                (!third.is_cluster()).then_some(3),
                "{url}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_accepted_or_refused(
            text in "(redis|rediss|unix|redis-sentinel|redis-cluster)://.{0,40}",
            password in "[A-Z]{8}",
        ) {
            let _ = Endpoint::new(&text, TlsFiles::default());
            let rest = text.split_once("://").unwrap().1;
            for scheme in ["redis-sentinel", "redis-cluster"] {
                let url = format!("{scheme}://:{password}@{rest}");
                if let Ok(endpoint) = Endpoint::new(&url, TlsFiles::default()) {
                    assert!(!endpoint.to_string().contains(&password));
                }
            }
        }
    }
}
