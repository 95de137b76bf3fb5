//! A faulty connection between a client and a real server.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::sleep;

use super::{State, Switch};
use crate::Error;

/// The state of the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Bytes are forwarded.
    Up,
    /// Connections are reset, and new ones refused.
    Cut,
    /// Connections stay open, and new ones are accepted; bytes wait until the proxy is up again.
    Frozen,
    /// Each chunk is delayed.
    Delayed(Duration),
}

/// Forwards connections to a target.
pub struct TcpProxy(Switch<Link>);

impl TcpProxy {
    /// Starts on a free port in the state `Up`.
    ///
    /// # Errors
    /// If the port is not available.
    pub async fn start(target: SocketAddr) -> Result<Self, Error> {
        let handle = move |stream, link| forward(stream, target, link);
        Switch::start(Link::Up, handle).await.map(Self)
    }

    /// Its address.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr
    }

    /// The number of accepted connections.
    pub fn connections(&self) -> usize {
        self.0.connections()
    }

    /// Changes the state; it is in effect when this returns.
    pub async fn set(&self, link: Link) {
        self.0.set(link).await;
    }
}

impl State for Link {
    fn refuses(&self) -> bool {
        *self == Self::Cut
    }

    fn drops_open_connections(&self) -> bool {
        *self == Self::Cut
    }
}

async fn forward(mut client: TcpStream, target: SocketAddr, link: watch::Receiver<Link>) {
    // Any early end resets the connection, as a broken network would.
    let _ = client.set_zero_linger();
    let _ = client.set_nodelay(true);
    let Ok(mut server) = TcpStream::connect(target).await else {
        return;
    };
    let _ = server.set_nodelay(true);
    let (client_reads, client_writes) = client.split();
    let (server_reads, server_writes) = server.split();
    let there = pump(client_reads, server_writes, link.clone());
    let back = pump(server_reads, client_writes, link);
    let _ = tokio::join!(there, back);
}

async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut link: watch::Receiver<Link>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 16_384];
    loop {
        let count = from.read(&mut buffer).await?;
        let state = *link.borrow();
        if let Link::Delayed(delay) = state {
            sleep(delay).await;
        }
        // The end of a stream is delayed, too, while frozen.
        let _ = link.wait_for(|link| *link != Link::Frozen).await;
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..count]).await?;
    }
}
