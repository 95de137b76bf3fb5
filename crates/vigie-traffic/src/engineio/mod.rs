//! Engine.IO sessions (the transport of Socket.IO), counted from the traffic between clients and the app.
//!
//! The count equals the server's `io.engine.clientsCount`. [`EngineIo::exchange`] returns taps for the requests that can
//! belong to Engine.IO. The taps are fed with the bytes of bodies ([`payload`]) and frames ([`frames`]), and report events to
//! the table of [`sessions`]. [`EngineIo::expire`] closes the sessions that their server has given up. There is no clock
//! here: times are arguments.

mod answer;
mod frames;
mod heartbeat;
mod message;
mod open;
mod paths;
mod payload;
mod query;
mod sessions;
mod taps;
mod tombstones;
mod tunnel;
mod wrapping;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::metrics;
use parking_lot::Mutex;
use vigie_metrics::{Counter, Gauge, Registry, Series};

pub(crate) use sessions::Limits;
pub(crate) use taps::{RequestTap, ResponseTap};
pub(crate) use tunnel::TunnelTap;

use paths::Paths;
use query::Query;
use sessions::{Counts, Event, Sessions, TunnelId};

/// Called when the first session appears that can expire.
pub(crate) type Wake = Box<dyn Fn() + Send + Sync>;

/// The open sessions. Clones share them.
#[derive(Clone)]
pub(crate) struct EngineIo(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    paths: Paths,
    tunnels: AtomicU64,
    wake: Wake,
    metrics: Metrics,
}

struct State {
    sessions: Sessions,
    /// The latest time seen: events of several threads may arrive out of order.
    latest: Duration,
    /// The counts that the metrics show.
    published: Counts,
}

struct Metrics {
    sessions: Arc<Series<Gauge, 0>>,
    polling: Arc<Series<Gauge, 1>>,
    websocket: Arc<Series<Gauge, 1>>,
    adopted: Arc<Series<Counter, 0>>,
    refused: Arc<Series<Counter, 0>>,
    forgotten: Arc<Series<Counter, 0>>,
}

impl EngineIo {
    /// An empty table that shows its counts in `registry`.
    pub(crate) fn new(registry: &Registry, limits: Limits, wake: Wake) -> Self {
        let by_transport = registry.family(&metrics::SOCKETIO_CONNECTIONS);
        let metrics = Metrics {
            sessions: registry
                .family(&metrics::SOCKET_ACTIVE_CONNECTIONS)
                .series([]),
            polling: by_transport.series(["polling"]),
            websocket: by_transport.series(["websocket"]),
            adopted: registry.family(&metrics::SOCKETIO_ADOPTED).series([]),
            refused: registry.family(&metrics::SOCKETIO_REFUSED).series([]),
            forgotten: registry.family(&metrics::SOCKETIO_FORGOTTEN).series([]),
        };
        metrics.show(Counts::default(), Counts::default());
        Self(Arc::new(Inner {
            state: Mutex::new(State {
                sessions: Sessions::new(limits),
                latest: Duration::ZERO,
                published: Counts::default(),
            }),
            paths: Paths::default(),
            tunnels: AtomicU64::new(0),
            wake,
            metrics,
        }))
    }

    /// Taps for a request that began at `at`, if it can belong to Engine.IO by its query and its path. `head` are the bytes
    /// of its head.
    pub(crate) fn exchange(
        &self,
        at: Duration,
        method: &str,
        target: &str,
        head: &[u8],
    ) -> Option<(RequestTap, ResponseTap)> {
        let (path, query) = target.split_once('?')?;
        let query = Query::parse(query)?;
        let known = self.0.paths.contains(path);
        if !known && query.sid.is_some() {
            return None;
        }
        let trial = (!known).then(|| Box::new(taps::Trial::new(path, head)));
        Some(taps::taps(self, at, method, query, trial))
    }

    /// Closes the sessions that their server has given up by now, and returns when the next one expires unless its client
    /// sends something.
    pub(crate) fn expire(&self, now: Duration) -> Option<Duration> {
        self.change(now, Sessions::expire);
        self.next_deadline()
    }

    /// When the next session expires.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.0.state.lock().sessions.next_deadline()
    }

    /// How many sessions are open.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.0.state.lock().sessions.counts().sessions()
    }

    fn apply(&self, at: Duration, event: Event) {
        self.change(at, |sessions, now| sessions.apply(now, event));
    }

    fn next_tunnel(&self) -> TunnelId {
        TunnelId(self.0.tunnels.fetch_add(1, Relaxed))
    }

    fn change(&self, at: Duration, change: impl FnOnce(&mut Sessions, Duration)) {
        let mut state = self.0.state.lock();
        state.latest = state.latest.max(at);
        let now = state.latest;
        let could_expire = state.sessions.next_deadline().is_some();
        change(&mut state.sessions, now);
        if !could_expire && state.sessions.next_deadline().is_some() {
            (self.0.wake)();
        }
        let counts = state.sessions.counts();
        let before = std::mem::replace(&mut state.published, counts);
        if counts != before {
            self.0.metrics.show(before, counts);
        }
    }
}

impl Metrics {
    fn show(&self, before: Counts, counts: Counts) {
        self.sessions.set(counts.sessions() as f64);
        self.polling.set(counts.polling as f64);
        self.websocket.set(counts.websocket as f64);
        self.adopted.add(counts.adopted - before.adopted);
        self.refused.add(counts.refused - before.refused);
        self.forgotten.add(counts.forgotten - before.forgotten);
    }
}

#[cfg(test)]
mod tests;
