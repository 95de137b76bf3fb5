//! The gateway's threads: each accepts, serves and drains independently, with its own connections to the app.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;
use vigie_metrics::{Gauge, Registry, Series};
use vigie_traffic::{KnownRoutes, PatternError, Traffic, Unrequested};

use crate::forwarding::Forwarder;
use crate::pump::Pump;
use crate::reason::Metrics;
use crate::serve::{Connection, serve};
use crate::settings::Settings;

/// The interval for removing expired sessions. It bounds the delay of the gauge.
const EXPIRE_EVERY: Duration = Duration::from_millis(25);
/// The interval for removing series of retired routes.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// The maximum number of patterns in one log line.
const MOST_NAMED: usize = 20;
/// A pause after a failed accept (out of file descriptors), to avoid a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The measuring reverse proxy, ready to start.
pub struct Gateway {
    settings: Arc<Settings>,
    metrics: Arc<Metrics>,
    /// Told when the first session appears that can expire.
    can_expire: Arc<Notify>,
}

/// A running gateway. Dropping it stops it immediately.
pub struct Running {
    address: SocketAddr,
    drain: CancellationToken,
    kill: CancellationToken,
    threads: Vec<JoinHandle<()>>,
}

impl Gateway {
    /// Creates a gateway that records into `registry`.
    ///
    /// # Errors
    /// If a configured route pattern is invalid.
    pub fn new(settings: Settings, registry: &Registry) -> Result<Self, PatternError> {
        let can_expire = Arc::new(Notify::new());
        let wake = Arc::clone(&can_expire);
        let traffic = Traffic::new(&settings.traffic, registry, move || wake.notify_one())?;
        Ok(Self {
            settings: Arc::new(settings),
            metrics: Arc::new(Metrics::new(registry, traffic)),
            can_expire,
        })
    }

    /// Its routes; they change while the gateway runs.
    #[must_use]
    pub fn routes(&self) -> KnownRoutes {
        self.metrics.traffic.routes()
    }

    /// Serves on `listener`, on separate threads, so that nothing else in the process can delay a request.
    ///
    /// # Errors
    /// If the listener or a thread cannot be set up.
    pub fn start(self, listener: std::net::TcpListener) -> io::Result<Running> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let drain = CancellationToken::new();
        let kill = CancellationToken::new();
        let permits = Arc::new(Semaphore::new(self.settings.max_connections));
        let mut threads = Vec::new();
        for number in 0..self.settings.threads.max(1) {
            let worker = Worker {
                settings: Arc::clone(&self.settings),
                metrics: Arc::clone(&self.metrics),
                permits: Arc::clone(&permits),
                drain: drain.clone(),
                kill: kill.clone(),
                can_expire: (number == 0).then(|| Arc::clone(&self.can_expire)),
            };
            let listener = listener.try_clone()?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let thread = std::thread::Builder::new().name(format!("gateway-{number}"));
            threads.push(thread.spawn(move || runtime.block_on(worker.run(listener)))?);
        }
        Ok(Running {
            address,
            drain,
            kill,
            threads,
        })
    }
}

impl Running {
    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, and closes connections once they are idle. [`drain`](Self::drain) waits for them.
    pub fn begin_draining(&self) {
        self.drain.cancel();
    }

    /// Stops accepting, waits up to `grace` for open connections, and returns when all of them have ended.
    pub fn drain(mut self, grace: Duration) {
        self.drain.cancel();
        let deadline = Instant::now() + grace;
        while Instant::now() < deadline && !self.threads.iter().all(JoinHandle::is_finished) {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.stop();
    }

    fn stop(&mut self) {
        self.kill.cancel();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                warn!("a gateway thread panicked");
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Worker {
    settings: Arc<Settings>,
    metrics: Arc<Metrics>,
    permits: Arc<Semaphore>,
    drain: CancellationToken,
    kill: CancellationToken,
    /// In the thread that also does the periodic work: expired sessions and retired routes.
    can_expire: Option<Arc<Notify>>,
}

impl Worker {
    async fn run(self, listener: std::net::TcpListener) {
        let listener = match TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => {
                warn!(%error, "a gateway thread cannot listen");
                return;
            }
        };
        if let Some(can_expire) = &self.can_expire {
            let metrics = Arc::clone(&self.metrics);
            tokio::spawn(expire(metrics, Arc::clone(can_expire)));
            let metrics = Arc::clone(&self.metrics);
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
        tokio::select! {
            () = self.accept(listener, &connections) => {}
            () = self.drain.cancelled() => {}
            () = self.kill.cancelled() => {}
        }
        connections.close();
        tokio::select! {
            () = connections.wait() => {}
            () = self.kill.cancelled() => {}
        }
    }

    async fn accept(&self, listener: TcpListener, connections: &TaskTracker) {
        while let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "accepting a client connection failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            // A failure only costs time: small writes would wait for acknowledgements.
            let _ = stream.set_nodelay(true);
            let held = Held::new(permit, &self.metrics.connections);
            let settings = Arc::clone(&self.settings);
            let metrics = Arc::clone(&self.metrics);
            let drain = self.drain.clone();
            let forwarder = Forwarder::new(&settings, peer);
            let pump = Pump::new(&settings, &metrics, forwarder, metrics.now());
            let connection = Box::new(Connection::new(pump, stream, &metrics));
            connections.spawn(async move {
                serve(connection, &settings, &metrics, &drain).await;
                drop(held);
            });
        }
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

/// The resources of an open client connection.
struct Held {
    connections: Arc<Series<Gauge, 0>>,
    _permit: OwnedSemaphorePermit,
}

impl Held {
    fn new(permit: OwnedSemaphorePermit, connections: &Arc<Series<Gauge, 0>>) -> Self {
        connections.add(1.0);
        Self {
            connections: Arc::clone(connections),
            _permit: permit,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.connections.add(-1.0);
    }
}
