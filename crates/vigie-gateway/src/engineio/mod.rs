//! Counts Engine.IO sessions (Socket.IO's transport) from what passes through a reverse proxy.
//!
//! The count equals the server's `io.engine.clientsCount`. The proxy asks [`EngineIo::exchange`] of each request,
//! feeds the taps it gets with the bytes it carries, and, while there is a session that silence can end, calls
//! [`EngineIo::expire`] every few milliseconds. The taps read (bodies in [`payload`], frames in [`frames`]), and tell
//! the [`sessions`] table what happened; nothing in them waits, does I/O or looks at a clock of its own.

mod answer;
mod frames;
mod heartbeat;
mod message;
mod open;
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
use tokio::sync::Notify;
use vigie_metrics::{Counter, Gauge, Registry, Series};

pub(crate) use sessions::Limits;
pub(crate) use taps::{RequestTap, ResponseTap};
pub(crate) use tunnel::TunnelTap;

use query::Query;
use sessions::{Counts, Event, Sessions, TunnelId};

/// Tells the time since some fixed moment.
pub(crate) type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The sessions that are open through the gateway. Clones share them.
#[derive(Clone)]
pub(crate) struct EngineIo(Arc<Inner>);

struct Inner {
    clock: Clock,
    state: Mutex<State>,
    tunnels: AtomicU64,
    /// Told when the first session appears that silence can end.
    mortal: Notify,
    metrics: Metrics,
}

struct State {
    sessions: Sessions,
    /// What the metrics show.
    published: Counts,
}

struct Metrics {
    sessions: Arc<Series<Gauge, 0>>,
    polling: Arc<Series<Gauge, 1>>,
    websocket: Arc<Series<Gauge, 1>>,
    adopted: Arc<Series<Counter, 0>>,
    refused: Arc<Series<Counter, 0>>,
}

impl EngineIo {
    /// An empty table that shows its counts in `registry`.
    pub(crate) fn new(registry: &Registry, limits: Limits, clock: Clock) -> Self {
        let by_transport = registry.family(&metrics::SOCKETIO_CONNECTIONS);
        let metrics = Metrics {
            sessions: registry
                .family(&metrics::SOCKET_ACTIVE_CONNECTIONS)
                .series([]),
            polling: by_transport.series(["polling"]),
            websocket: by_transport.series(["websocket"]),
            adopted: registry.family(&metrics::SOCKETIO_ADOPTED).series([]),
            refused: registry.family(&metrics::SOCKETIO_REFUSED).series([]),
        };
        metrics.show(Counts::default(), Counts::default());
        Self(Arc::new(Inner {
            clock,
            state: Mutex::new(State {
                sessions: Sessions::new(limits),
                published: Counts::default(),
            }),
            tunnels: AtomicU64::new(0),
            mortal: Notify::new(),
            metrics,
        }))
    }

    /// Taps for a request, if it is Engine.IO's by its query.
    pub(crate) fn exchange(
        &self,
        method: &str,
        query: Option<&str>,
    ) -> Option<(RequestTap, ResponseTap)> {
        let query = Query::parse(query?)?;
        Some(taps::taps(self, method, query))
    }

    /// Closes the sessions that died of silence. Cheap when there are none: meant to be called by a timer.
    pub(crate) fn expire(&self) {
        self.change(Sessions::expire);
    }

    /// Waits until there is a session that silence can end. For one caller at a time.
    pub(crate) async fn until_one_can_expire(&self) {
        while self.0.state.lock().sessions.next_deadline().is_none() {
            self.0.mortal.notified().await;
        }
    }

    /// How many sessions are open.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.0.state.lock().sessions.counts().sessions()
    }

    fn apply(&self, event: Event) {
        self.change(|sessions, now| sessions.apply(now, event));
    }

    fn now(&self) -> Duration {
        (self.0.clock)()
    }

    fn next_tunnel(&self) -> TunnelId {
        TunnelId(self.0.tunnels.fetch_add(1, Relaxed))
    }

    fn change(&self, change: impl FnOnce(&mut Sessions, Duration)) {
        let mut state = self.0.state.lock();
        // Under the lock, so that time never runs backwards for the table.
        let now = self.now();
        let mortal = state.sessions.next_deadline().is_some();
        change(&mut state.sessions, now);
        if !mortal && state.sessions.next_deadline().is_some() {
            self.0.mortal.notify_one();
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
    }
}

#[cfg(test)]
mod tests;
