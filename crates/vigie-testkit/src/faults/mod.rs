//! Servers that misbehave: [`FaultServer`] answers as badly as it is told, [`TcpProxy`] stands between a
//! client and a real server and can be cut, frozen or slowed, [`RedisProxy`] replaces the replies to one command.
//!
//! All can change while running, and keep their port when they do.

mod proxy;
mod replies;
mod server;

pub use proxy::{Link, TcpProxy};
pub use replies::{RedisProxy, Replacement};
pub use server::{Fault, FaultServer, http_answer};

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::{Error, ports};

/// Ports that are tried after the first.
const TRIES: usize = 5;

/// What a listener does at present.
trait State: Clone + Send + Sync + 'static {
    /// No listener: connections are refused.
    fn refuses(&self) -> bool;
    /// Open connections are dropped when this takes effect.
    fn drops_open_connections(&self) -> bool;
}

/// A listener whose state can be changed.
struct Switch<S> {
    addr: SocketAddr,
    orders: mpsc::Sender<(S, oneshot::Sender<()>)>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl<S: State> Switch<S> {
    /// Listens on a free port and passes each connection to `handle`, with the receiver of states.
    async fn start<F>(
        initial: S,
        handle: impl Fn(TcpStream, watch::Receiver<S>) -> F + Send + 'static,
    ) -> Result<Self, Error>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut addr = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()));
        let (orders, mut received) = mpsc::channel::<(S, oneshot::Sender<()>)>(1);
        let connections = Arc::new(AtomicUsize::new(0));
        let accepted = Arc::clone(&connections);
        let mut listener = None;
        if !initial.refuses() {
            let mut bound = TcpListener::bind(addr).await;
            for _ in 0..TRIES {
                if bound.is_err() {
                    // Another program took it meanwhile.
                    addr.set_port(ports::free());
                    bound = TcpListener::bind(addr).await;
                }
            }
            listener = Some(bound.map_err(Error::io("listen"))?);
        }
        let (state, watched) = watch::channel(initial);
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            loop {
                tokio::select! {
                                   order = received.recv() => {
                                       let Some((new, done)) = order else { return };
                                       if new.refuses() {
                                           if let Some(Ok(listener)) = listener.take().map(TcpListener::into_std) {
                ports::close(listener);
                }
                                       } else if listener.is_none() {
                                           listener = TcpListener::bind(addr).await.ok();
                                       }
                                       if new.drops_open_connections() {
                                           open.shutdown().await;
                                       }
                                       state.send_replace(new);
                                       let _ = done.send(());
                                   }
                                   Some(stream) = accept(listener.as_ref()) => {
                                       accepted.fetch_add(1, Ordering::SeqCst);
                                       open.spawn(handle(stream, watched.clone()));
                                   }
                                   Some(_) = open.join_next() => {}
                               }
            }
        });
        Ok(Self {
            addr,
            orders,
            connections,
            task,
        })
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    async fn set(&self, state: S) {
        let (done, wait) = oneshot::channel();
        if self.orders.send((state, done)).await.is_ok() {
            let _ = wait.await;
        }
    }
}

impl<S> Drop for Switch<S> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The next connection; pending while there is no listener.
async fn accept(listener: Option<&TcpListener>) -> Option<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.ok().map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
