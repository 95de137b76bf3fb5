//! The gateway's start and end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use vigie_metrics::Registry;
use vigie_traffic::{KnownRoutes, PatternError, Traffic};

use crate::apps::Apps;
use crate::drain::Drain;
use crate::listen;
use crate::reason::Metrics;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::worker::Worker;

/// Open files of the rest of the program, and room for connections that end.
const OTHER_FILES: usize = 128;

/// The measuring reverse proxy, ready to start.
pub struct Gateway {
    shared: Arc<Shared>,
    /// Told when the first session appears that can expire.
    can_expire: Arc<Notify>,
}

/// A running gateway. Dropping it stops it immediately.
pub struct Running {
    address: SocketAddr,
    drain: Drain,
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
        let shared = Shared {
            apps: Arc::new(Apps::new(&settings.apps, registry)),
            settings: Arc::new(settings),
            metrics: Arc::new(Metrics::new(registry, traffic)),
            drain: Drain::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            can_expire,
        })
    }

    /// Its routes; they change while the gateway runs.
    #[must_use]
    pub fn routes(&self) -> KnownRoutes {
        self.shared.metrics.traffic.routes()
    }

    /// Serves on `listener`, on separate threads, so that nothing else in the process can delay a request. For several threads
    /// it should be one of [`bind_for`](crate::bind_for).
    ///
    /// # Errors
    /// If the listener or a thread cannot be set up.
    pub fn start(self, listener: std::net::TcpListener) -> io::Result<Running> {
        let address = listener.local_addr()?;
        let kill = CancellationToken::new();
        let permits = Arc::new(Semaphore::new(max_connections(&self.shared.settings)));
        let mut threads = Vec::new();
        let listeners = listen::for_threads(listener, self.shared.settings.threads.max(1))?;
        for (number, listener) in listeners.into_iter().enumerate() {
            let worker = Worker {
                shared: Arc::clone(&self.shared),
                permits: Arc::clone(&permits),
                kill: kill.clone(),
                can_expire: (number == 0).then(|| Arc::clone(&self.can_expire)),
            };
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let thread = std::thread::Builder::new().name(format!("gateway-{number}"));
            threads.push(thread.spawn(move || runtime.block_on(worker.run(listener)))?);
        }
        Ok(Running {
            address,
            drain: self.shared.drain.clone(),
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
        self.drain.begin();
    }

    /// Stops accepting, waits up to `grace` for open connections, and returns when all of them have ended.
    pub fn drain(mut self, grace: Duration) {
        self.drain.begin();
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

/// The most client connections, for which the process may open enough files: each needs two.
fn max_connections(settings: &Settings) -> usize {
    let files = getrlimit(Resource::Nofile).current;
    let files = files.map_or(usize::MAX, |files| {
        usize::try_from(files).unwrap_or(usize::MAX)
    });
    let possible = files.saturating_sub(OTHER_FILES).max(2) / 2;
    if possible < settings.max_connections {
        warn!(
            files,
            max_connections = possible,
            "the limit of open files (ulimit -n) allows fewer client connections than gateway.max_connections"
        );
    }
    settings.max_connections.min(possible)
}
