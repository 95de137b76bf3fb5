//! The state of one connection: waiting for a request, reading its head, answering it, or sending the response.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The time that a client has for each step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    /// For a whole head: from the accept for the first request, from its first byte for later ones.
    pub(super) head: Duration,
    /// Between two requests.
    pub(super) idle: Duration,
    /// Between two parts of a response that the client reads.
    pub(super) write: Duration,
}

/// The state of a connection, shared by its stream, its service and the table of connections.
pub(super) struct Activity {
    state: Mutex<State>,
    deadlines: Deadlines,
    flushed: Notify,
    closing: CancellationToken,
}

struct State {
    phase: Phase,
    /// When the connection became idle, or its last request began.
    since: Instant,
    /// Held from the request head until the client has read the whole response.
    place: Option<OwnedSemaphorePermit>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// No byte of another request has arrived.
    Idle { until: Instant },
    /// The connection is new, or a part of a head has arrived.
    Head { until: Instant },
    /// A request is being answered.
    Answering,
    /// The response is complete, but not all of it is written.
    Sending,
}

impl Activity {
    pub(super) fn new(deadlines: Deadlines) -> Self {
        let since = Instant::now();
        let until = since + deadlines.head;
        Self {
            state: Mutex::new(State {
                phase: Phase::Head { until },
                since,
                place: None,
            }),
            deadlines,
            flushed: Notify::new(),
            closing: CancellationToken::new(),
        }
    }

    pub(super) fn deadlines(&self) -> Deadlines {
        self.deadlines
    }

    /// The deadline of the current read; `None` while a request is answered.
    pub(super) fn read_deadline(&self) -> Option<Instant> {
        match self.state.lock().phase {
            Phase::Idle { until } | Phase::Head { until } => Some(until),
            Phase::Answering | Phase::Sending => None,
        }
    }

    /// Whether the client has begun a request and must complete its head.
    pub(super) fn owes_head(&self) -> bool {
        matches!(self.state.lock().phase, Phase::Head { .. })
    }

    /// Records that bytes have arrived.
    pub(super) fn received(&self) {
        let mut state = self.state.lock();
        if let Phase::Idle { .. } = state.phase {
            let until = Instant::now() + self.deadlines.head;
            state.phase = Phase::Head { until };
        }
    }

    /// Records a complete head. Waits until the previous response is written: otherwise a client that sends requests
    /// and reads no responses would make them pile up.
    pub(super) async fn begin(&self) {
        loop {
            let flushed = self.flushed.notified();
            {
                let mut state = self.state.lock();
                if matches!(state.phase, Phase::Idle { .. } | Phase::Head { .. }) {
                    state.phase = Phase::Answering;
                    state.since = Instant::now();
                    return;
                }
            }
            flushed.await;
        }
    }

    /// Assigns a place to the current request.
    pub(super) fn hold(&self, place: OwnedSemaphorePermit) {
        self.state.lock().place = Some(place);
    }

    /// Records that the response is complete.
    pub(super) fn answered(&self) {
        self.state.lock().phase = Phase::Sending;
    }

    /// Records that all pending data is written.
    pub(super) fn flushed(&self) {
        let mut state = self.state.lock();
        if state.phase == Phase::Sending {
            state.since = Instant::now();
            let until = state.since + self.deadlines.idle;
            state.phase = Phase::Idle { until };
            state.place = None;
            self.flushed.notify_one();
        }
    }

    /// When the connection last stopped using a place; `None` while it uses one and must not be closed for another
    /// connection.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.state.lock();
        state.place.is_none().then_some(state.since)
    }

    /// Requests the connection's task to close it.
    pub(super) fn close(&self) {
        self.closing.cancel();
    }

    /// Waits until the connection has to be closed.
    pub(super) async fn closing(&self) {
        self.closing.cancelled().await;
    }
}
