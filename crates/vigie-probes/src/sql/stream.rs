//! Where a database listens, and the connection to it.

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

/// Where a database listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tcp {
        host: String,
        /// Where the host is; `None`: ask the resolver.
        address: Option<IpAddr>,
        port: u16,
    },
    Socket {
        path: PathBuf,
        /// As the settings name it, which for PostgreSQL is its directory.
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

    /// The name that a certificate must have; there is no TLS over a socket of this machine.
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
