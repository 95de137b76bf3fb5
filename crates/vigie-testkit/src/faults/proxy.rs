//! A line between a client and a real server, which can fail.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::sleep;

use super::{State, Switch};
use crate::Error;

/// The state of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Bytes pass.
    Up,
    /// Connections are reset, new ones refused.
    Cut,
    /// Connections stand, new ones too; bytes wait until the line is up again.
    Frozen,
    /// Every piece arrives this much later.
    Delayed(Duration),
}

/// Forwards to a target.
pub struct TcpProxy(Switch<Link>);

impl TcpProxy {
    /// Starts on a free port, with the line up.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start(target: SocketAddr) -> Result<Self, Error> {
        let handle = move |stream, link| forward(stream, target, link);
        Switch::start(Link::Up, handle).await.map(Self)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr
    }

    /// How many connections it has accepted so far.
    pub fn connections(&self) -> usize {
        self.0.connections()
    }

    /// Changes the line; when this returns it is so.
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
    // Whatever ends this before its time ends it with a reset, as a cut line would.
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
        // An end that is frozen waits too.
        let _ = link.wait_for(|link| *link != Link::Frozen).await;
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..count]).await?;
    }
}
