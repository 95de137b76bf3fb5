//! One server: its address, and the connection to it.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use tokio::net::TcpStream;

use crate::error::{Error, UrlError};
use crate::greeting;
use crate::parameters;
use crate::patience::Patience;
use crate::tls::TlsFiles;

#[derive(Clone)]
pub(super) struct Server {
    pub(super) info: ConnectionInfo,
    /// Whether the address specifies a database.
    pub(super) names_database: bool,
    /// Whether the server may be a node of a cluster. Otherwise that is an error, since it has only part of the data.
    pub(super) may_be_node: bool,
}

impl Server {
    /// Parses the address of a server on the network, or of a Unix socket.
    pub(super) fn parse(url: &str, over_network: bool) -> Result<Self, UrlError> {
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

    pub(super) fn in_database(self, database: i64) -> Self {
        let settings = self.info.redis_settings().clone().set_db(database);
        Self {
            info: self.info.set_redis_settings(settings),
            names_database: true,
            ..self
        }
    }

    pub(super) async fn connect(
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
