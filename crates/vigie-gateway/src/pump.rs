//! One client connection and its connection to the app, apart from I/O.
//!
//! It takes the bytes of one side and returns those for the other, unchanged except for the forwarding fields. Bytes that
//! [`Observed`] does not pass are never forwarded, and nothing is read after a refused request.

mod bytes;
mod deadlines;
mod ending;
mod sides;

use std::sync::Arc;
use std::time::Duration;

use vigie_traffic::{Limits, Observed};

use crate::forwarding::Forwarder;
use crate::reason::{Metrics, Reason};
use crate::settings::Settings;

/// The state of the client's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    Open,
    /// It sends nothing more, and may read.
    Finished,
    /// It is gone. The answer to its poll is awaited.
    Gone,
}

/// The state of the app's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum App {
    /// No complete request was read yet.
    None,
    Wanted,
    Open,
    /// It accepts no bytes, and its answer may still arrive.
    Deaf,
    /// It sends nothing more, and may read: after an upgrade.
    Finished,
    Closed,
}

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// The gateway answers the request with this number, after the responses that are owed.
    Refusing(Reason, u64),
    /// The last bytes are sent; what the client sends is discarded.
    Closing {
        since: Duration,
        discarded: usize,
    },
    Done,
}

pub(crate) struct Pump {
    settings: Arc<Settings>,
    metrics: Arc<Metrics>,
    forwarder: Forwarder,
    /// The bytes of a header of the PROXY protocol, which is awaited.
    proxy_header: Option<Vec<u8>>,
    observed: Observed,
    /// Bytes of the client that are read once the app has answered.
    unread: Vec<u8>,
    /// Bytes that the other side has not accepted. While there are some, their source is not read.
    pub(crate) to_app: Vec<u8>,
    pub(crate) to_client: Vec<u8>,
    client: Client,
    app: App,
    phase: Phase,
    switched: bool,
    /// Whether the client has received bytes from the app.
    answered: bool,
    draining: bool,
    /// Whether the client's last request was read.
    ignores_client: bool,
    /// Whether the client's connection ends with a reset.
    resets_client: bool,
    /// The time of the last byte.
    last: Duration,
    /// The time of the first byte of an incomplete head.
    head_since: Option<Duration>,
}

impl Pump {
    pub(crate) fn new(
        settings: &Arc<Settings>,
        metrics: &Arc<Metrics>,
        forwarder: Forwarder,
        now: Duration,
    ) -> Self {
        let limits = Limits {
            request_head: settings.max_header_bytes,
            request_fields: settings.max_headers,
            ..Limits::default()
        };
        Self {
            settings: Arc::clone(settings),
            metrics: Arc::clone(metrics),
            proxy_header: forwarder.expects_header().then(Vec::new),
            forwarder,
            observed: metrics.traffic.connection(limits),
            unread: Vec::new(),
            to_app: Vec::new(),
            to_client: Vec::new(),
            client: Client::Open,
            app: App::None,
            phase: Phase::Open,
            switched: false,
            answered: false,
            draining: false,
            ignores_client: false,
            resets_client: false,
            last: now,
            head_since: None,
        }
    }

    /// Whether bytes of the client are read now. In the last phase they are [discarded](Self::discard).
    pub(crate) fn reads_client(&self) -> bool {
        if self.client != Client::Open {
            return false;
        }
        match self.phase {
            Phase::Open if self.ignores_client => false,
            Phase::Open => {
                self.to_app.is_empty()
                    && self.unread.is_empty()
                    && matches!(self.app, App::None | App::Open | App::Finished)
            }
            Phase::Closing { .. } => true,
            Phase::Refusing(..) | Phase::Done => false,
        }
    }

    pub(crate) fn is_closing(&self) -> bool {
        matches!(self.phase, Phase::Closing { .. })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// Whether a connection to the app is needed, which there has not been yet.
    pub(crate) fn wants_app(&self) -> bool {
        self.app == App::Wanted && self.has_app()
    }

    /// Whether the connection to the app is kept.
    pub(crate) fn has_app(&self) -> bool {
        self.app != App::Closed && matches!(self.phase, Phase::Open | Phase::Refusing(..))
    }

    pub(crate) fn reads_app(&self) -> bool {
        self.has_app() && matches!(self.app, App::Open | App::Deaf) && self.to_client.is_empty()
    }

    /// Whether bytes can be written to the app.
    pub(crate) fn writes_app(&self) -> bool {
        self.has_app() && matches!(self.app, App::Open | App::Finished)
    }

    /// Whether all bytes for the app were written and no others follow.
    pub(crate) fn finishes_app(&self) -> bool {
        self.writes_app() && self.to_app.is_empty() && self.client != Client::Open
    }

    /// Whether all bytes for the client were written and no others follow.
    pub(crate) fn finishes_client(&self) -> bool {
        self.to_client.is_empty() && (self.is_closing() || self.app == App::Finished)
    }

    /// Whether bytes for the client are dropped.
    pub(crate) fn has_no_client(&self) -> bool {
        self.client == Client::Gone
    }

    pub(crate) fn resets_client(&self) -> bool {
        self.resets_client
    }
}
