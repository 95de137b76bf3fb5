//! The gateway's threads: each accepts, serves and drains independently, with its own connections to the app.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;
use vigie_metrics::{Gauge, Registry, Series};

use crate::client::{ClientStream, Deadlines, Phase};
use crate::engineio::{self, EngineIo};
use crate::forwarded::Client;
use crate::known::KnownRoutes;
use crate::proxy::{Connection, Shared};
use crate::record::Metrics;
use crate::routes::{self, PatternError, Routes, Unrequested};
use crate::settings::Settings;
use crate::upstream::Upstream;

/// The interval for removing expired sessions. It bounds the delay of the gauge.
const EXPIRE_EVERY: Duration = Duration::from_millis(25);
/// The interval for removing series of retired routes.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// The maximum number of patterns in one log line.
const MOST_NAMED: usize = 20;
/// A pause after a failed accept (out of file descriptors), to avoid a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The smallest buffer that hyper accepts for heads.
const MIN_BUFFER: usize = 8192;
/// The number of headers up to which hyper keeps them on the stack.
const STACK_HEADERS: usize = 100;

/// The measuring reverse proxy, ready to start.
pub struct Gateway {
    settings: Arc<Settings>,
    metrics: Arc<Metrics>,
    engineio: EngineIo,
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
        let limits = routes::Limits {
            max_routes: settings.learned_routes,
            ..routes::Limits::default()
        };
        let routes = Routes::new(&settings.routes, limits)?;
        let metrics = Metrics::new(registry, routes, settings.count_client_errors);
        let limits = engineio::Limits {
            max_sessions: settings.max_sessions,
            ..engineio::Limits::default()
        };
        let start = Instant::now();
        let engineio = EngineIo::new(registry, limits, Arc::new(move || start.elapsed()));
        Ok(Self {
            settings: Arc::new(settings),
            metrics: Arc::new(metrics),
            engineio,
        })
    }

    /// Its routes; they change while the gateway runs.
    #[must_use]
    pub fn routes(&self) -> KnownRoutes {
        KnownRoutes::new(&self.metrics)
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
            let upstream = Upstream::new(
                self.settings.app.clone(),
                self.settings.connect_timeout,
                Arc::clone(&self.metrics),
            );
            let worker = Worker {
                shared: Arc::new(Shared {
                    settings: Arc::clone(&self.settings),
                    metrics: Arc::clone(&self.metrics),
                    engineio: self.engineio.clone(),
                    upstream: Arc::new(upstream),
                }),
                permits: Arc::clone(&permits),
                drain: drain.clone(),
                kill: kill.clone(),
                expires: number == 0,
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
    shared: Arc<Shared>,
    permits: Arc<Semaphore>,
    drain: CancellationToken,
    kill: CancellationToken,
    /// Whether this thread also does the periodic work: expired sessions and retired routes.
    expires: bool,
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
        if self.expires {
            let engineio = self.shared.engineio.clone();
            tokio::spawn(async move {
                loop {
                    engineio.until_one_can_expire().await;
                    tokio::time::sleep(EXPIRE_EVERY).await;
                    engineio.expire();
                }
            });
            let metrics = Arc::clone(&self.shared.metrics);
            tokio::spawn(async move {
                let mut unrequested = Unrequested::default();
                loop {
                    tokio::time::sleep(TIDY_EVERY).await;
                    metrics.remove_retired();
                    let patterns = metrics.unrequested(&mut unrequested, metrics.since_start());
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
        let settings = &self.shared.settings;
        let mut http = http1::Builder::new();
        // `ClientStream` enforces this deadline, without a timer operation for each request.
        http.header_read_timeout(None);
        http.max_buf_size(settings.max_header_bytes.max(MIN_BUFFER));
        http.max_header_size(settings.max_header_bytes);
        if settings.max_headers != STACK_HEADERS {
            http.max_headers(settings.max_headers);
        }
        let deadlines = Deadlines {
            head: settings.header_timeout,
            idle: settings.keep_alive,
            write: settings.body_timeout,
        };
        while let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "accepting a client connection failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let phase = Phase::new();
            let connection = Connection {
                shared: Arc::clone(&self.shared),
                client: Client::new(peer, &settings.trusted_proxies),
                phase: phase.clone(),
                _held: Held::new(permit, &self.shared.metrics.connections),
            };
            let serving = serve(
                http.clone(),
                stream,
                deadlines,
                connection,
                self.drain.clone(),
            );
            connections.spawn(serving);
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

async fn serve(
    http: http1::Builder,
    stream: TcpStream,
    deadlines: Deadlines,
    connection: Connection<Held>,
    drain: CancellationToken,
) {
    // A failure only costs time: small writes would wait for acknowledgements.
    let _ = stream.set_nodelay(true);
    let stream = ClientStream::new(stream, connection.phase.clone(), deadlines);
    let connection = Arc::new(connection);
    let service = service_fn(|request| Arc::clone(&connection).serve(request));
    let serving = http
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(serving);
    tokio::select! {
        biased;
        // The record of the last request reflects how the connection ended.
        _ = &mut serving => return,
        () = drain.cancelled() => serving.as_mut().graceful_shutdown(),
    }
    let _ = serving.await;
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
