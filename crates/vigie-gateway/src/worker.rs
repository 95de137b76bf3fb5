//! A thread of the gateway: accepts, serves and drains independently, with its own connections to the app.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;
use vigie_traffic::Unrequested;

use crate::forwarding::Forwarder;
use crate::held::Held;
use crate::listen;
use crate::pump::Pump;
use crate::reason::Metrics;
use crate::serve::{Connection, serve};
use crate::settings::Forwarding;
use crate::shared::Shared;

/// The interval for removing expired sessions. It bounds the delay of the gauge.
const EXPIRE_EVERY: Duration = Duration::from_millis(25);
/// The interval for removing series of retired routes.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// The maximum number of patterns in one log line.
const MOST_NAMED: usize = 20;
/// A pause after a failed accept (out of file descriptors), to avoid a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The time between two log lines about failed accepts.
const LOG_EVERY: Duration = Duration::from_secs(10);

pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) kill: CancellationToken,
    /// In the thread that also does the periodic work: expired sessions and retired routes.
    pub(crate) can_expire: Option<Arc<Notify>>,
}

impl Worker {
    pub(crate) async fn run(self, listener: std::net::TcpListener) {
        let listener = match TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => {
                warn!(%error, "a gateway thread cannot listen");
                return;
            }
        };
        if let Some(can_expire) = &self.can_expire {
            let metrics = Arc::clone(&self.shared.metrics);
            tokio::spawn(expire(metrics, Arc::clone(can_expire)));
            let metrics = Arc::clone(&self.shared.metrics);
            tokio::spawn(async move {
                let mut unrequested = Unrequested::default();
                loop {
                    tokio::time::sleep(TIDY_EVERY).await;
                    metrics.traffic.remove_retired();
                    let patterns = metrics.traffic.unrequested(&mut unrequested, metrics.now());
                    warn_unrequested(&patterns);
                }
            });
        }
        let connections = TaskTracker::new();
        let is_draining = tokio::select! {
            () = self.accept(&listener, &connections) => false,
            () = self.shared.drain.begun() => true,
            () = self.kill.cancelled() => false,
        };
        if is_draining {
            self.accept_waiting(listener, &connections);
        }
        connections.close();
        tokio::select! {
            () = connections.wait() => {}
            () = self.kill.cancelled() => {}
        }
    }

    async fn accept(&self, listener: &TcpListener, connections: &TaskTracker) {
        let mut logged: Option<Instant> = None;
        while let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await {
            match listener.accept().await {
                Ok(accepted) => self.serve(accepted, permit, connections),
                Err(error) => {
                    self.shared.metrics.accept_failures.inc();
                    if logged.is_none_or(|logged| logged.elapsed() >= LOG_EVERY) {
                        logged = Some(Instant::now());
                        warn!(%error, "accepting a client connection failed; it waits until that is possible");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Accepts the connections that wait, because closing the listener would reset them.
    fn accept_waiting(&self, listener: TcpListener, connections: &TaskTracker) {
        let Ok(listener) = listener.into_std() else {
            return;
        };
        for _ in 0..listen::BACKLOG {
            let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
                return;
            };
            // It fails if none waits.
            let Ok((stream, peer)) = listener.accept() else {
                return;
            };
            let nonblocking = stream.set_nonblocking(true);
            if let Ok(stream) = nonblocking.and_then(|()| TcpStream::from_std(stream)) {
                self.serve((stream, peer), permit, connections);
            }
        }
    }

    fn serve(
        &self,
        (stream, peer): (TcpStream, SocketAddr),
        permit: OwnedSemaphorePermit,
        connections: &TaskTracker,
    ) {
        let Shared {
            settings, metrics, ..
        } = &*self.shared;
        let held = Held::new(permit, &metrics.connections);
        let local = match settings.forwarding {
            // The connection may have ended already.
            Forwarding::Proxy(_) => stream.local_addr().unwrap_or(peer),
            _ => peer,
        };
        let forwarder = Forwarder::new(settings, peer, local);
        let pump = Pump::new(settings, metrics, forwarder, metrics.now());
        let connection = Box::new(Connection::new(pump, stream));
        connections.spawn(serve(connection, Arc::clone(&self.shared), held));
    }
}

/// Closes sessions that their server has given up; sleeps while none can expire.
async fn expire(metrics: Arc<Metrics>, can_expire: Arc<Notify>) {
    let traffic = &metrics.traffic;
    loop {
        while traffic.next_expiry().is_none() {
            can_expire.notified().await;
        }
        while traffic.expire(metrics.now()).is_some() {
            tokio::time::sleep(EXPIRE_EVERY).await;
        }
    }
}

/// Logs configured patterns that no request has matched.
fn warn_unrequested(patterns: &[String]) {
    if !patterns.is_empty() {
        let first = &patterns[..patterns.len().min(MOST_NAMED)];
        warn!(
            count = patterns.len(),
            ?first,
            "no request has matched these patterns of gateway.routes; /routes lists the routes that are requested"
        );
    }
}
