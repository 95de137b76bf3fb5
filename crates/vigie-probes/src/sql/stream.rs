//! The address of a database, and the connection to it.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// A connection of any kind.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

pub(super) type Stream = Box<dyn Io>;

/// The address of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tcp {
        host: String,
        /// The IP address of the host; `None`: use the resolver.
        address: Option<IpAddr>,
        port: u16,
    },
    Socket {
        path: PathBuf,
        /// As configured; for PostgreSQL, the directory of the socket.
        shown: String,
    },
}

impl Place {
    pub(super) async fn connect(&self) -> io::Result<Stream> {
        let stream = match self {
            Self::Socket { path, .. } => return Ok(Box::new(UnixStream::connect(path).await?)),
            Self::Tcp {
                address: Some(address),
                port,
                ..
            } => TcpStream::connect((*address, *port)).await?,
            Self::Tcp { host, port, .. } => TcpStream::connect((host.as_str(), *port)).await?,
        };
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }

    /// The host name for certificate verification; TLS is not used over a Unix socket.
    pub(super) fn host(&self) -> Option<&str> {
        match self {
            Self::Tcp { host, .. } => Some(host),
            Self::Socket { .. } => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port, .. } => write!(f, "{host}:{port}"),
            Self::Socket { shown, .. } => f.write_str(shown),
        }
    }
}
