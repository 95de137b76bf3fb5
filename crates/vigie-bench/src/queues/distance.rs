//! A long line to a server: every byte arrives later by the same time, however many are under way.
//!
//! Round trips are counted by it: each waits for the line twice, and nothing else does.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::channel;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// Pieces under way in one direction.
const UNDER_WAY: usize = 4096;
const PIECE: usize = 64 * 1024;

/// The line; cut when it is dropped.
pub(super) struct Distance {
    pub(super) port: u16,
    accepting: JoinHandle<()>,
}

impl Distance {
    /// A line to a port of ours.
    pub(super) async fn to(port: u16, one_way: Duration) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let target = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self {
            port: listener.local_addr()?.port(),
            accepting: tokio::spawn(async move {
                let mut lines = tokio::task::JoinSet::new();
                while let Ok((near, _)) = listener.accept().await {
                    lines.spawn(carry(near, target, one_way));
                }
            }),
        })
    }
}

impl Drop for Distance {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(near: TcpStream, target: SocketAddr, one_way: Duration) {
    let Ok(far) = TcpStream::connect(target).await else {
        return;
    };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    tokio::join!(
        delayed(near_read, far_write, one_way),
        delayed(far_read, near_write, one_way),
    );
}

async fn delayed(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    one_way: Duration,
) {
    let (depart, mut arrive) = channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let departing = async move {
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            match from.read_buf(&mut piece).await {
                Ok(1..) => {}
                _ => return,
            }
            if depart
                .send((Instant::now() + one_way, piece))
                .await
                .is_err()
            {
                return;
            }
        }
    };
    let arriving = async move {
        while let Some((due, piece)) = arrive.recv().await {
            sleep_until(due).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(departing, arriving);
}
