//! One client connection and its connection to the app, apart from I/O.
//!
//! It takes the bytes of one side and returns those for the other, unchanged except for the forwarding fields. Bytes that
//! [`Observed`] does not pass are never forwarded, and nothing is read after a refused request.

mod deadlines;
mod ending;

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use vigie_traffic::{Close, Event, Fault, Limits, Observed, Side};

use crate::forwarding::Forwarder;
use crate::output::Output;
use crate::reason::{Metrics, Reason};
use crate::settings::Settings;

/// How many bytes are discarded at most.
const LINGER_BYTES: usize = 64 << 20;

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

    /// Bytes from the client.
    pub(crate) fn client_bytes(&mut self, now: Duration, input: &[u8], out: &mut Output<'_, '_>) {
        self.last = now;
        if self.app == App::Finished {
            out.push(input);
            return;
        }
        let mut rest = input;
        let refused = loop {
            let step = self.observed.read(Side::Client, now, &mut rest);
            match &step.event {
                Some(Event::Request(head)) => {
                    self.head_since = None;
                    if head.method() == "CONNECT" {
                        break Some((Reason::ConnectMethod, step.exchange.number, None));
                    }
                    if self.app == App::None {
                        self.app = App::Wanted;
                    }
                    self.forwarder.write(head, out);
                }
                // The connection ends after the last response, which may have passed already.
                Some(Event::Refused(Fault::AfterLast)) => {
                    self.ignores_client = true;
                    self.settle(now);
                    return;
                }
                Some(Event::Refused(fault)) => {
                    out.push(step.passed);
                    let number = step.exchange.number;
                    break Some((Reason::of_fault(*fault), number, Some(*fault)));
                }
                event => {
                    let is_last = event.is_none();
                    out.push(step.passed);
                    if is_last {
                        break None;
                    }
                }
            }
        };
        if let Some((reason, number, fault)) = refused {
            self.refuse(now, reason, number, fault);
            return;
        }
        self.unread = rest.to_vec();
        let is_split = !self.observed.connection().held(Side::Client).is_empty();
        if is_split {
            self.head_since.get_or_insert(now);
        }
    }

    /// Reads what was left while the client's requests waited for the app.
    fn read_on(&mut self, now: Duration) {
        if self.unread.is_empty()
            || self.observed.connection().is_waiting()
            || self.phase != Phase::Open
        {
            return;
        }
        let unread = std::mem::take(&mut self.unread);
        let mut to_app = std::mem::take(&mut self.to_app);
        let mut copied = Vec::new();
        let mut out = Output::new(&unread, &mut copied);
        self.client_bytes(now, &unread, &mut out);
        to_app.extend_from_slice(out.bytes());
        self.to_app = to_app;
    }

    /// Bytes of the client after the last ones that are read.
    pub(crate) fn discard(&mut self, now: Duration, length: usize) {
        self.last = now;
        if let Phase::Closing { discarded, .. } = &mut self.phase {
            *discarded += length;
            if *discarded > LINGER_BYTES {
                self.phase = Phase::Done;
            }
        }
    }

    /// Bytes from the app.
    pub(crate) fn app_bytes(&mut self, now: Duration, input: &[u8], out: &mut Output<'_, '_>) {
        self.last = now;
        let mut rest = input;
        let refused = loop {
            let step = self.observed.read(Side::App, now, &mut rest);
            self.answered |= !step.passed.is_empty();
            out.push(step.passed);
            match &step.event {
                None => break None,
                Some(Event::Refused(fault)) => break Some(*fault),
                Some(Event::Switched) => self.switched = true,
                Some(_) => {}
            }
        };
        if let Some(fault) = refused {
            // Written before what follows it.
            self.to_client.extend_from_slice(out.bytes());
            out.buffer().clear();
            self.invalid(now, fault);
            return;
        }
        self.read_on(now);
    }

    /// The connection to the app is open.
    pub(crate) fn connected(&mut self, now: Duration) {
        self.metrics.app_is_up(true);
        self.last = now;
        self.app = App::Open;
    }

    /// The app could not be reached.
    pub(crate) fn not_connected(&mut self, now: Duration, reason: Reason, cause: &dyn Display) {
        self.metrics.app_is_up(false);
        self.app = App::Closed;
        self.fail(now, reason, cause);
    }

    /// The app's side has ended.
    pub(crate) fn app_closed(&mut self, now: Duration, close: Close) {
        if self.switched && close == Close::Finished && self.client == Client::Open {
            self.observed.close(Side::App, now, close);
            self.app = App::Finished;
            self.last = now;
            return;
        }
        self.app = App::Closed;
        let to_head = self.observed.connection().is_head_request();
        let ended = self.observed.close(Side::App, now, close);
        self.ended(now, close, ended, to_head);
    }

    /// The app accepts no bytes. Its answer may have been sent before.
    pub(crate) fn app_is_deaf(&mut self) {
        self.to_app.clear();
        self.unread.clear();
        self.app = match self.app {
            App::Finished => App::Closed,
            _ => App::Deaf,
        };
    }

    /// The client sends nothing more.
    pub(crate) fn client_finished(&mut self, now: Duration) {
        self.last = now;
        self.client = Client::Finished;
        self.observed.close(Side::Client, now, Close::Finished);
        self.unread.clear();
        let is_served = self.switched || self.observed.connection().pending() > 0;
        let is_over = self.app == App::Finished || !is_served;
        if is_over || self.is_closing() {
            self.phase = self.closing(now);
        }
    }

    /// The client is gone.
    pub(crate) fn client_gone(&mut self, now: Duration) {
        self.to_client.clear();
        let awaits_poll =
            self.phase == Phase::Open && self.app == App::Open && self.observed.is_polled();
        if awaits_poll && self.client != Client::Gone {
            if self.client == Client::Open {
                self.observed.close(Side::Client, now, Close::Finished);
                self.last = now;
            }
            self.client = Client::Gone;
            self.unread.clear();
            return;
        }
        self.client = Client::Gone;
        self.observed.close(Side::Client, now, Close::Reset);
        self.phase = Phase::Done;
    }

    /// Whether bytes for the client are dropped.
    pub(crate) fn has_no_client(&self) -> bool {
        self.client == Client::Gone
    }

    pub(crate) fn resets_client(&self) -> bool {
        self.resets_client
    }

    /// The process ends: the connection closes when it is idle.
    pub(crate) fn drain(&mut self, now: Duration) {
        self.draining = true;
        self.settle(now);
    }

    /// Bytes were written.
    pub(crate) fn wrote(&mut self, now: Duration) {
        self.last = now;
    }
}
