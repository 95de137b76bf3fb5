//! A connection whose exchanges are counted as it is read.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use crate::transaction::Transaction;
use crate::tunnel::Tunnel;
use crate::{Close, Connection, Event, Exchange, Outcome, Side, Step, Traffic};

/// The longest path whose buffer is kept for the next request, in bytes.
const KEPT_BUFFER: usize = 512;

/// A connection that was used within this time is not closed for being idle. The shortest timeout of common servers is 2 s.
const IDLE: Duration = Duration::from_secs(1);
/// How long after the beginning of a request the end of an idle connection can arrive that the app closed before it received
/// the request. Longer, and the app may have acted on it.
const ON_ITS_WAY: Duration = Duration::from_millis(10);

/// A [`Connection`] whose exchanges are counted, and whose Engine.IO sessions are followed.
///
/// It is read, skipped and closed as the connection is; see there.
pub struct Observed {
    connection: Connection,
    exchanges: Exchanges,
}

/// How many exchanges ended, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Completely answered.
    pub completed: usize,
    /// The client closed the connection.
    pub client_left: usize,
    /// The app closed the connection without a response.
    pub unanswered: usize,
    /// The app closed the connection because it was idle, and received no request.
    pub unreceived: usize,
    /// The app closed the connection within a response.
    pub cut: usize,
    /// Unknown.
    pub unknown: usize,
}

impl Observed {
    pub(crate) fn new(traffic: &Traffic, connection: Connection) -> Self {
        Self {
            connection,
            exchanges: Exchanges {
                traffic: traffic.clone(),
                open: VecDeque::new(),
                tunnel: None,
                idle_since: None,
                buffer: String::new(),
            },
        }
    }

    /// The framing.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Reads `input`, which arrived at the time `at`, until the next event: see [`Connection::read`].
    pub fn read<'a, 'i: 'a>(
        &'a mut self,
        from: Side,
        at: Duration,
        input: &mut &'i [u8],
    ) -> Step<'a> {
        let step = self.connection.read(from, at, input);
        self.exchanges.follow(from, at, &step);
        step
    }

    /// Continues after `missing` bytes until the next event: see [`Connection::skip`].
    pub fn skip(&mut self, from: Side, at: Duration, missing: &mut u64) -> Step<'static> {
        let step = self.connection.skip(from, missing);
        self.exchanges.follow(from, at, &step);
        step
    }

    /// See [`Connection::set_within_response`].
    pub fn set_within_response(&mut self) {
        self.connection.set_within_response();
    }

    /// Ends a direction: see [`Connection::close`].
    pub fn close(&mut self, from: Side, at: Duration, close: Close) -> Ended {
        let ended = self.connection.close(from, close);
        let ended = self.exchanges.end(at, ended);
        if from == Side::App || close == Close::Reset {
            self.exchanges.end_tunnel(at);
        }
        ended
    }

    /// Gives up both directions until [`resume`](Self::resume): see [`Connection::abandon`].
    pub fn abandon(&mut self, at: Duration) -> Ended {
        let ended = self.exchanges.end(at, self.connection.abandon());
        if let Some(mut tunnel) = self.exchanges.tunnel.take() {
            tunnel.abandon(at);
        }
        ended
    }

    /// Begins anew: see [`Connection::resume`].
    pub fn resume(&mut self, at: Duration) -> Ended {
        self.exchanges.end(at, self.connection.resume())
    }

    /// A proxy ends the connection, and with it all open exchanges with this code. `received` tells whether the app has their
    /// requests.
    pub fn fail(&mut self, at: Duration, code: u16, received: bool) {
        // Both directions end; the exchanges do with the code.
        self.connection
            .close(Side::App, Close::Reset)
            .for_each(drop);
        for (_, mut transaction) in self.exchanges.open.drain(..) {
            transaction.conclude_failed(at, code, received);
        }
        self.exchanges.end_tunnel(at);
    }

    /// Whether the response of the oldest open exchange is a stream that can be silent for as long as it likes.
    #[must_use]
    pub fn is_endless(&self) -> bool {
        let oldest = self.exchanges.open.front();
        oldest.is_some_and(|(_, transaction)| transaction.is_endless())
    }

    /// Whether the oldest open exchange is a poll of an Engine.IO session.
    #[must_use]
    pub fn is_polled(&self) -> bool {
        let oldest = self.exchanges.open.front();
        oldest.is_some_and(|(_, transaction)| transaction.is_poll())
    }
}

/// The exchanges of a connection that have not ended.
struct Exchanges {
    traffic: Traffic,
    /// With their numbers, the oldest first. At most as many as the connection allows.
    open: VecDeque<(u64, Transaction)>,
    tunnel: Option<Box<Tunnel>>,
    /// When the last exchange was completed.
    idle_since: Option<Duration>,
    /// Reused for the path of the next request, so that a request allocates nothing.
    buffer: String,
}

impl Exchanges {
    fn follow(&mut self, from: Side, at: Duration, step: &Step<'_>) {
        let Some(event) = &step.event else { return };
        if from == Side::App {
            self.traffic.metrics.stalls.spoke(at);
        }
        match (from, event) {
            (Side::Client, Event::Request(head)) => {
                let buffer = mem::take(&mut self.buffer);
                let transaction = Transaction::begin(
                    &self.traffic,
                    at,
                    head.method(),
                    head.target(),
                    head.raw(),
                    buffer,
                    self.open.is_empty(),
                );
                if self.open.capacity() == 0 {
                    // Most connections never have a second open exchange.
                    self.open.reserve_exact(1);
                }
                self.open.push_back((step.exchange.number, transaction));
            }
            (Side::App, Event::Response(head)) if !head.is_interim() => {
                let open = self.open(step.exchange);
                let sent = open.and_then(|open| open.head(at, step.exchange.began, head));
                if let Some(sent) = sent {
                    self.traffic.metrics.answered(at, sent);
                }
            }
            (Side::App, Event::Completed) => {
                self.end_one(at, step.exchange, Outcome::Completed);
            }
            (_, Event::Switched) => {
                if let Some(transaction) = self.take(step.exchange) {
                    self.tunnel = Some(Box::new(transaction.switch(at)));
                }
            }
            (_, Event::Tunnel(bytes)) => self.tunnel(from, at, Ok(bytes)),
            (_, Event::Gap(missing)) => {
                self.tunnel(from, at, Err(*missing));
                let open = self.open(step.exchange);
                match (from, open) {
                    (_, None) => {}
                    (Side::Client, Some(open)) => open.request_gap(*missing),
                    (Side::App, Some(open)) => open.response_gap(at, *missing),
                }
            }
            (Side::Client, Event::Body(bytes)) => {
                if let Some(open) = self.open(step.exchange) {
                    open.request_body(bytes);
                }
            }
            (Side::App, Event::Body(bytes)) => {
                if let Some(open) = self.open(step.exchange) {
                    open.response_body(at, bytes);
                }
            }
            (Side::Client, Event::End) => {
                let open = self.open(step.exchange);
                if open.is_some_and(|open| open.request_end(at)) {
                    self.traffic.metrics.stalls.arrived(at);
                }
            }
            (Side::Client, Event::Lost) => {
                if let Some(open) = self.open(step.exchange) {
                    open.request_gap(u64::MAX);
                }
            }
            _ => {}
        }
    }

    fn tunnel(&mut self, from: Side, at: Duration, bytes: Result<&[u8], u64>) {
        let Some(tunnel) = &mut self.tunnel else {
            return;
        };
        match (from, bytes) {
            (Side::Client, Ok(bytes)) => tunnel.client_bytes(at, bytes),
            (Side::Client, Err(missing)) => tunnel.client_gap(at, missing),
            (Side::App, Ok(bytes)) => tunnel.server_bytes(at, bytes),
            (Side::App, Err(missing)) => tunnel.server_gap(at, missing),
        }
    }

    fn end_tunnel(&mut self, at: Duration) {
        if let Some(mut tunnel) = self.tunnel.take() {
            tunnel.end(at);
        }
    }

    fn open(&mut self, exchange: Exchange) -> Option<&mut Transaction> {
        let mut open = self.open.iter_mut();
        let found = open.find(|(number, _)| *number == exchange.number);
        found.map(|(_, transaction)| transaction)
    }

    fn take(&mut self, exchange: Exchange) -> Option<Transaction> {
        let mut open = self.open.iter();
        let at = open.position(|(number, _)| *number == exchange.number)?;
        self.open.remove(at).map(|(_, transaction)| transaction)
    }

    fn end_one(&mut self, at: Duration, exchange: Exchange, outcome: Outcome) -> bool {
        let Some(mut transaction) = self.take(exchange) else {
            return false;
        };
        let answered = transaction.is_answered();
        transaction.conclude(at, outcome);
        if outcome == Outcome::Completed {
            self.idle_since = Some(at);
        }
        self.buffer = transaction.into_buffer();
        self.buffer.shrink_to(KEPT_BUFFER);
        answered
    }

    /// Ends an exchange that the app did not receive, if it is one: the app closed its connection, which was idle, at the
    /// moment when the request was sent.
    fn end_unreceived(&mut self, at: Duration, exchange: Exchange) -> bool {
        let idle_since = self.idle_since;
        let Some(open) = self.open(exchange) else {
            return false;
        };
        let began = open.began();
        let was_idle = idle_since.is_some_and(|since| began.saturating_sub(since) >= IDLE);
        let is_unreceived = was_idle
            && open.is_alone()
            && !open.is_answered()
            && at.saturating_sub(began) <= ON_ITS_WAY;
        if is_unreceived {
            open.conclude_unreceived(at);
            self.take(exchange);
        }
        is_unreceived
    }

    fn end(&mut self, at: Duration, exchanges: impl Iterator<Item = (Exchange, Outcome)>) -> Ended {
        let mut ended = Ended::default();
        for (exchange, outcome) in exchanges {
            if outcome == Outcome::AppLeft && self.end_unreceived(at, exchange) {
                ended.unreceived += 1;
                continue;
            }
            let answered = self.end_one(at, exchange, outcome);
            let count = match outcome {
                Outcome::Completed => &mut ended.completed,
                Outcome::ClientLeft => &mut ended.client_left,
                Outcome::AppLeft if answered => &mut ended.cut,
                Outcome::AppLeft => &mut ended.unanswered,
                Outcome::Unknown => &mut ended.unknown,
            };
            *count += 1;
        }
        ended
    }
}
