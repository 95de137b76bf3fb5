//! An endpoint: one server, the master reported by Sentinels, or a cluster.

mod late;
mod server;

use std::fmt;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Client, ConnectionAddr, ConnectionInfo};
use tokio::time::timeout;

use crate::cluster::Cluster;
use crate::error::{Error, UrlError};
use crate::scout::Scout;
use crate::sentinel::Sentinels;
use crate::slot::slot;
use crate::tls::TlsFiles;
use late::Late;
use server::Server;

pub(crate) use server::open;

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
    Late(Late),
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

    /// An endpoint whose address is not known yet: `read` returns it, or the reason why it cannot be used, without a
    /// secret. It is called at each connection attempt until it returns an address, and may block. `shown` describes
    /// the endpoint until then.
    pub fn late(
        shown: impl Into<String>,
        read: impl Fn() -> Result<Self, String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            place: Place::Late(Late::new(shown.into(), read)),
            tls: TlsFiles::default(),
        }
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

    /// The endpoint at the address, which is read now if it is not known yet; [`Endpoint::late`].
    ///
    /// # Errors
    /// If the address cannot be used yet.
    pub async fn find(&self) -> Result<&Self, Error> {
        match &self.place {
            Place::Late(late) => late.find().await,
            _ => Ok(self),
        }
    }

    /// The endpoint at the address, if it is known.
    fn found(&self) -> Option<&Self> {
        match &self.place {
            Place::Late(late) => late.found(),
            _ => Some(self),
        }
    }

    /// Whether the address cannot be used yet; [`Endpoint::late`].
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.found().is_none()
    }

    /// Applies a change, now or as soon as the address is known.
    fn changed(self, change: impl Fn(Self) -> Self + Send + Sync + 'static) -> Self {
        match self.place {
            Place::Late(late) => Self {
                place: Place::Late(late.changed(change)),
                ..self
            },
            _ => change(self),
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
            let Self { place, tls } = self.find().await?;
            match place {
                Place::Server(server) => server.connect(tls, within).await,
                Place::Sentinels(sentinels) => sentinels.connect(tls, within).await,
                Place::Cluster(cluster) => {
                    let mut scout = Scout::new(cluster.clone(), tls.clone());
                    scout.masters(within).await?;
                    let connection = scout.connection().cloned();
                    connection.ok_or(Error::NoSlots)
                }
                // What was found has no address either.
                Place::Late(late) => Err(Error::Address(late.to_string())),
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
        let connecting = async {
            let Some(mut scout) = self.find().await?.scout() else {
                return self.connect(within).await;
            };
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
        let Self { place, tls } = self.found()?;
        match place {
            Place::Cluster(cluster) => Some(Scout::new(cluster.clone(), tls.clone())),
            _ => None,
        }
    }

    /// Whether it is a cluster, as far as is known.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        let found = self.found();
        found.is_some_and(|found| matches!(found.place, Place::Cluster(_)))
    }

    /// The database, if the address names one.
    #[must_use]
    pub fn database(&self) -> Option<i64> {
        match &self.found()?.place {
            Place::Server(server) => server
                .names_database
                .then(|| server.info.redis_settings().db()),
            Place::Sentinels(sentinels) => sentinels.database(),
            Place::Cluster(_) | Place::Late(_) => None,
        }
    }

    /// The same endpoint with another database. A cluster has only one.
    #[must_use]
    pub fn in_database(self, database: u16) -> Self {
        self.changed(move |endpoint| {
            let database = i64::from(database);
            let place = match endpoint.place {
                Place::Server(server) => Place::Server(server.in_database(database)),
                Place::Sentinels(sentinels) => Place::Sentinels(sentinels.in_database(database)),
                other @ (Place::Cluster(_) | Place::Late(_)) => other,
            };
            Self { place, ..endpoint }
        })
    }

    /// The same endpoint with these TLS files.
    #[must_use]
    pub fn with_tls(self, tls: TlsFiles) -> Self {
        self.changed(move |endpoint| Self {
            tls: tls.clone(),
            ..endpoint
        })
    }

    /// The same endpoint; if the address specifies no database, with this one, if any.
    #[must_use]
    pub fn or_in_database(self, database: Option<u16>) -> Self {
        self.changed(move |endpoint| match database {
            Some(database) if endpoint.database().is_none() => endpoint.in_database(database),
            _ => endpoint,
        })
    }

    /// Whether the connection is encrypted, as far as is known.
    #[must_use]
    pub fn is_over_tls(&self) -> bool {
        let Some(found) = self.found() else {
            return false;
        };
        match &found.place {
            Place::Server(server) => matches!(server.info.addr(), ConnectionAddr::TcpTls { .. }),
            Place::Sentinels(sentinels) => sentinels.is_over_tls(),
            Place::Cluster(cluster) => cluster.is_over_tls(),
            Place::Late(_) => false,
        }
    }

    /// The passwords, so that a caller can remove them from its messages.
    pub fn passwords(&self) -> impl Iterator<Item = &str> {
        let all = match self.found().map(|found| &found.place) {
            Some(Place::Server(server)) => [server.info.redis_settings().password(), None],
            Some(Place::Sentinels(sentinels)) => sentinels.passwords(),
            Some(Place::Cluster(cluster)) => [cluster.password(), None],
            Some(Place::Late(_)) | None => [None, None],
        };
        all.into_iter().flatten()
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
            Place::Late(late) => late.fmt(f),
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

#[cfg(test)]
mod tests;
