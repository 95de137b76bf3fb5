//! A connection after its switch to another protocol.

use std::sync::Arc;
use std::time::Duration;

use vigie_metrics::{Gauge, Series};

use crate::engineio::TunnelTap;
use crate::record::{Answered, Record};

/// An open connection with another protocol, as long as it lives.
pub(crate) struct OpenTunnel(Arc<Series<Gauge, 1>>);

impl OpenTunnel {
    pub(crate) fn new(series: Arc<Series<Gauge, 1>>) -> Self {
        series.add(1.0);
        Self(series)
    }
}

impl Drop for OpenTunnel {
    fn drop(&mut self) {
        self.0.add(-1.0);
    }
}

/// A connection after its switch to another protocol.
pub(crate) struct Tunnel {
    /// `None` if it cannot belong to Engine.IO.
    tap: Option<TunnelTap>,
    /// The request, until the app's first message tells whether it belongs to Engine.IO.
    undecided: Option<(Record, Duration, Answered)>,
    /// Present once it does not belong to Engine.IO.
    open: Option<OpenTunnel>,
}

impl Tunnel {
    /// A tunnel that may belong to Engine.IO. Its request is counted otherwise.
    pub(crate) fn perhaps_engineio(
        tap: TunnelTap,
        record: Record,
        at: Duration,
        answered: Answered,
    ) -> Self {
        Self {
            undecided: (!tap.is_engine_io()).then_some((record, at, answered)),
            tap: Some(tap),
            open: None,
        }
    }

    /// A tunnel that cannot belong to Engine.IO.
    pub(crate) fn other(open: OpenTunnel) -> Self {
        Self {
            tap: None,
            undecided: None,
            open: Some(open),
        }
    }

    /// Bytes from the client.
    pub(crate) fn client_bytes(&mut self, at: Duration, bytes: &[u8]) {
        if let Some(tap) = &mut self.tap {
            tap.from_client(at, bytes);
        }
    }

    /// Missing bytes from the client.
    pub(crate) fn client_gap(&mut self, at: Duration, missing: u64) {
        if let Some(tap) = &mut self.tap {
            tap.client_gap(at, missing);
        }
    }

    /// Bytes from the app.
    pub(crate) fn server_bytes(&mut self, at: Duration, bytes: &[u8]) {
        self.follow(|tap| tap.from_server(at, bytes));
    }

    /// Missing bytes from the app.
    pub(crate) fn server_gap(&mut self, at: Duration, missing: u64) {
        self.follow(|tap| tap.server_gap(at, missing));
    }

    /// The app's side of the connection has ended, or both have.
    pub(crate) fn end(&mut self, at: Duration) {
        self.follow(|tap| tap.end(at));
    }

    /// Bytes are missing, so the state of its session is unknown.
    pub(crate) fn abandon(&mut self, at: Duration) {
        self.follow(|tap| tap.abandon(at));
    }

    fn follow(&mut self, step: impl FnOnce(&mut TunnelTap)) {
        let Some(tap) = &mut self.tap else { return };
        step(tap);
        if tap.is_undecided() {
            return;
        }
        let is_engine_io = tap.is_engine_io();
        if let Some((record, at, answered)) = self.undecided.take()
            && !is_engine_io
        {
            self.open = Some(record.open_tunnel(at, &answered));
        }
    }
}
