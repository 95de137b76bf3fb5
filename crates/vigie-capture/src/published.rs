//! Writes the metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use vigie_metrics::{Counter, Family, Gauge, Registry, own};

use crate::counts::{Counts, Sides};
use crate::loss::Totals;
use crate::{Protocol, metrics};

/// The label of this source.
const SOURCE: [&str; 1] = ["capture"];

/// The levels that only hold while every connection is known.
fn is_level(name: &str) -> bool {
    is_session_level(name)
        || matches!(
            name,
            "vigie_gateway_requests_in_flight" | "http_streams_open"
        )
}

/// The levels that do not hold while there are WebSockets older than the capture.
fn is_session_level(name: &str) -> bool {
    matches!(
        name,
        "socket_active_connections"
            | "socketio_connections"
            | "socketio_sockets"
            | "http_websockets_open"
    )
}

/// The metrics, and what they contain already.
pub(crate) struct Published {
    up: Family<Gauge, 1>,
    bytes: Family<Counter, 1>,
    refused: Family<Counter, 0>,
    reset: Family<Counter, 1>,
    retransmitted: Family<Counter, 1>,
    connections: Family<Gauge, 1>,
    untracked: Family<Counter, 0>,
    packets: Family<Counter, 0>,
    dropped: Family<Counter, 0>,
    unseen: Family<Counter, 1>,
    loss: Family<Gauge, 0>,
    counts: Counts,
    totals: Totals,
    is_up: Arc<AtomicBool>,
    knows_sessions: Arc<AtomicBool>,
}

impl Published {
    /// All metrics, with 0 where nothing is counted yet; the source is down.
    pub(crate) fn new(registry: &Registry) -> Self {
        let (is_up, knows_sessions) = <(Arc<AtomicBool>, Arc<AtomicBool>)>::default();
        let up = Arc::clone(&is_up);
        registry.known_while(is_level, move || up.load(Ordering::Relaxed));
        let known = Arc::clone(&knows_sessions);
        registry.known_while(is_session_level, move || known.load(Ordering::Relaxed));
        let mut published = Self {
            up: registry.family(&own::SOURCE_UP),
            bytes: registry.family(&metrics::BYTES),
            refused: registry.family(&metrics::REFUSED),
            reset: registry.family(&metrics::RESET),
            retransmitted: registry.family(&metrics::RETRANSMITTED),
            connections: registry.family(&metrics::CONNECTIONS),
            untracked: registry.family(&metrics::UNTRACKED),
            packets: registry.family(&metrics::PACKETS),
            dropped: registry.family(&metrics::DROPPED),
            unseen: registry.family(&metrics::UNSEEN),
            loss: registry.family(&metrics::LOSS),
            counts: Counts::default(),
            totals: Totals::default(),
            is_up,
            knows_sessions,
        };
        published.count(&Counts::default(), Totals::default());
        published.set_up(false, false);
        published
    }

    /// Whether the source can be relied on, and whether the sessions are all known.
    pub(crate) fn set_up(&mut self, is_up: bool, knows_sessions: bool) {
        self.is_up.store(is_up, Ordering::Relaxed);
        self.knows_sessions.store(knows_sessions, Ordering::Relaxed);
        self.up.set(SOURCE, if is_up { 1.0 } else { 0.0 });
    }

    /// The share of missed requests; `None` if it is not known.
    pub(crate) fn set_loss(&mut self, share: Option<f64>) {
        match share {
            Some(share) => self.loss.set([], share),
            None => self.loss.forget([]),
        }
    }

    /// The number of connections of each protocol; `None` if it is not known.
    pub(crate) fn set_connections(&mut self, census: Option<[usize; Protocol::ALL.len()]>) {
        for (at, protocol) in Protocol::ALL.into_iter().enumerate() {
            let label = [protocol.label()];
            match census {
                Some(numbers) => self.connections.set(label, numbers[at] as f64),
                None => self.connections.forget(label),
            }
        }
    }

    /// New totals.
    pub(crate) fn count(&mut self, counts: &Counts, totals: Totals) {
        let before = std::mem::replace(&mut self.counts, counts.clone());
        let sides = |family: &Family<Counter, 1>, now: Sides, before: Sides| {
            family.add(["client"], now.client - before.client);
            family.add(["app"], now.app - before.app);
        };
        sides(&self.bytes, counts.bytes, before.bytes);
        sides(&self.reset, counts.reset, before.reset);
        sides(&self.retransmitted, counts.repeated, before.repeated);
        sides(&self.unseen, counts.unseen, before.unseen);
        self.refused.add([], counts.refused - before.refused);
        self.untracked.add([], counts.untracked - before.untracked);
        let before = std::mem::replace(&mut self.totals, totals);
        self.packets.add([], totals.captured - before.captured);
        self.dropped.add([], totals.dropped - before.dropped);
    }
}
