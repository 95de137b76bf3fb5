//! One Engine.IO request and its response: what they mean for a session.

use std::sync::Arc;
use std::time::Duration;

use memchr::memmem;
use parking_lot::Mutex;

use super::EngineIo;
use super::answer::{Answer, Polled, Scan, Text};
use super::heartbeat::Received;
use super::open::Open;
use super::payload::{Item, Kind, Payload};
use super::query::{Asked, Query};
use super::sessions::{Event, Sid, Transport};
use super::tunnel::TunnelTap;
use super::wrapping::Wrapping;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Get,
    Post,
    Other,
}

/// A request on a path that is not known for Engine.IO: only the app's open packet proves that it is one.
pub(super) struct Trial {
    path: Box<str>,
    head: Box<[u8]>,
}

impl Trial {
    pub(super) fn new(path: &str, head: &[u8]) -> Self {
        Self {
            path: path.into(),
            head: head.into(),
        }
    }

    /// Whether the app made this open packet: an endpoint that echoes a part of the request returns what the client wrote.
    pub(super) fn accepts(&self, open: &Open) -> bool {
        memmem::find(&self.head, open.sid.as_str().as_bytes()).is_none()
    }

    pub(super) fn learn(&self, engineio: &EngineIo) {
        engineio.0.paths.learn(&self.path);
    }
}

/// The state that the taps of a request and of its response share; they may belong to different tasks.
struct Exchange {
    engineio: EngineIo,
    method: Method,
    query: Query,
    began: Duration,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    /// The request was sent to its end, and that was in it.
    sent: Option<Received>,
    /// The status of the response, as soon as there is one.
    status: Option<u16>,
}

impl Exchange {
    /// The session of a request that is part of its polling.
    fn polling(&self) -> Option<&Sid> {
        let polls = self.query.asked == Asked::Polling && self.method != Method::Other;
        self.query.sid.as_ref().filter(|_| polls)
    }

    fn wrapping(&self, wrapping: Wrapping) -> Wrapping {
        if self.query.jsonp {
            wrapping
        } else {
            Wrapping::None
        }
    }
}

/// The taps of a request that can belong to Engine.IO.
pub(super) fn taps(
    engineio: &EngineIo,
    at: Duration,
    method: &str,
    query: Query,
    trial: Option<Box<Trial>>,
) -> (RequestTap, ResponseTap) {
    let exchange = Arc::new(Exchange {
        engineio: engineio.clone(),
        method: match method {
            "GET" => Method::Get,
            "POST" => Method::Post,
            _ => Method::Other,
        },
        query,
        began: at,
        progress: Mutex::default(),
    });
    let posts = exchange.method == Method::Post && exchange.polling().is_some();
    let payload = posts.then(|| {
        Box::new(Payload::new(
            exchange.query.revision,
            exchange.wrapping(Wrapping::Form),
        ))
    });
    let request = RequestTap {
        exchange: Arc::clone(&exchange),
        payload,
        received: Received::default(),
        ended: false,
        lost: false,
    };
    let response = ResponseTap {
        exchange,
        answer: Answer::Opaque,
        trial,
        ended: false,
        lost: false,
    };
    (request, response)
}

/// Reads the body of a request.
pub(crate) struct RequestTap {
    exchange: Arc<Exchange>,
    payload: Option<Box<Payload>>,
    received: Received,
    ended: bool,
    /// Bytes are missing, so its packets are unknown.
    lost: bool,
}

impl RequestTap {
    /// Bytes of the body.
    pub(crate) fn chunk(&mut self, bytes: &[u8]) {
        let received = &mut self.received;
        if let Some(payload) = &mut self.payload {
            payload.feed(bytes, |item| note(received, &item));
        }
    }

    /// Missing bytes of the body.
    pub(crate) fn gap(&mut self, missing: u64) {
        let received = &mut self.received;
        if let Some(payload) = &mut self.payload
            && !payload.skip(missing, |item| note(received, &item))
        {
            self.lost = true;
            self.payload = None;
        }
    }

    /// The body is complete.
    pub(crate) fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let received = &mut self.received;
        if let Some(mut payload) = self.payload.take() {
            payload.finish(|item| note(received, &item));
        }
        let received = if self.lost {
            Received::default()
        } else {
            self.received
        };
        self.exchange.progress.lock().sent = Some(received);
    }

    /// The connection ended at `at`. Before the end of the body, that ends the session.
    pub(crate) fn left_at(&mut self, at: Duration) {
        let exchange = &self.exchange;
        // A server that has answered (413, an unknown session) no longer reads.
        let open = !self.ended && exchange.progress.lock().status.is_none();
        self.ended = true;
        if open && exchange.method == Method::Post {
            polling_ended(exchange, at);
        }
    }
}

fn note(received: &mut Received, item: &Item) {
    match item {
        Item::Packet(Kind::Close) | Item::Bad => received.close = true,
        Item::Packet(Kind::Ping) => received.ping = true,
        Item::Packet(Kind::Pong) => received.pong = true,
        Item::Packet(_) => received.other = true,
        Item::Open(_) => {}
    }
}

fn polling_ended(exchange: &Exchange, at: Duration) {
    if let Some(sid) = exchange.polling() {
        let sid = sid.clone();
        exchange.engineio.apply(at, Event::PollingEnded { sid });
    }
}

/// Reads a response. Its owner reports its end; dropping it changes nothing.
pub(crate) struct ResponseTap {
    exchange: Arc<Exchange>,
    answer: Answer,
    /// `None` if the path is known for Engine.IO.
    trial: Option<Box<Trial>>,
    ended: bool,
    /// Bytes are missing, so nothing is concluded from the rest.
    lost: bool,
}

impl ResponseTap {
    /// The head of the response, which may be the gateway's own.
    pub(crate) fn head(&mut self, status: u16, content_encoding: Option<&str>) {
        let exchange = &*self.exchange;
        exchange.progress.lock().status = Some(status);
        let scan = match (status, exchange.method, exchange.query.asked) {
            (200, Method::Get, Asked::Polling) => {
                let wrapping = exchange.wrapping(Wrapping::Script);
                let payload = Payload::new(exchange.query.revision, wrapping);
                Scan::Polled(Box::new(Polled::new(payload)))
            }
            (200, Method::Post, _) | (400, ..) => Scan::Text(Text::default()),
            _ => return,
        };
        self.answer = Answer::new(scan, content_encoding);
    }

    /// Bytes of the body, read at `at`.
    pub(crate) fn chunk(&mut self, at: Duration, bytes: &[u8]) {
        if !self.lost {
            self.answer.feed(bytes);
            self.opened(at);
        }
    }

    /// Missing bytes of the body.
    pub(crate) fn gap(&mut self, at: Duration, missing: u64) {
        if !self.lost {
            self.lost = !self.answer.skip(missing);
            self.opened(at);
        }
    }

    /// The body is complete.
    pub(crate) fn end(&mut self, at: Duration) {
        if std::mem::replace(&mut self.ended, true) || self.lost {
            return;
        }
        self.answer.finish();
        self.opened(at);
        self.settle(at, true);
    }

    /// The connection ended at `at`, because the client or the app closed it.
    pub(crate) fn left_at(&mut self, at: Duration) {
        if !std::mem::replace(&mut self.ended, true) && !self.lost {
            self.settle(at, false);
        }
    }

    /// The response was a 101: another protocol follows.
    #[must_use]
    pub(crate) fn upgraded(mut self, at: Duration) -> TunnelTap {
        let exchange = &self.exchange;
        TunnelTap::new(
            exchange.engineio.clone(),
            exchange.query.clone(),
            exchange.began,
            at,
            self.trial.take(),
        )
    }

    /// Whether the request is a poll of a session: one that the server leaves open until it has something to say.
    #[must_use]
    pub(crate) fn is_poll(&self) -> bool {
        self.exchange.method == Method::Get && self.exchange.polling().is_some()
    }

    /// Whether the exchange belongs to Engine.IO, as far as it has been read. The path and the app's response decide,
    /// because a client can write any query.
    #[must_use]
    pub(crate) fn is_engine_io(&self) -> bool {
        if self.trial.is_some() {
            return false;
        }
        let status = self.exchange.progress.lock().status;
        // 204 answers a CORS preflight, 403 is `allowRequest`'s, 413 a body too large, 500 a PUT.
        if status.is_some_and(|status| !matches!(status, 101 | 200 | 204 | 400 | 403 | 413 | 500)) {
            return false;
        }
        match self.answer.scan() {
            None => true,
            Some(Scan::Polled(polled)) => !polled.found.bad,
            Some(Scan::Text(text)) => {
                let text = text.beginning();
                let known: [&[u8]; 3] = [b"ok", b"{\"code\":", b"Session ID unknown"];
                known
                    .iter()
                    .any(|known| known.starts_with(text) || text.starts_with(known))
            }
        }
    }

    /// Counts a session as soon as its open packet was read.
    fn opened(&mut self, at: Duration) {
        let exchange = &*self.exchange;
        if let Some(Scan::Polled(polled)) = self.answer.scan_mut()
            && let Some(open) = polled.found.open.take()
            && exchange.query.sid.is_none()
            && self.trial.as_ref().is_none_or(|trial| trial.accepts(&open))
        {
            if let Some(trial) = self.trial.take() {
                trial.learn(&exchange.engineio);
            }
            let opened = Event::Opened {
                sid: open.sid,
                transport: Transport::Polling,
                revision: exchange.query.revision,
                ping: open.ping,
            };
            exchange.engineio.apply(at, opened);
        }
    }

    /// Draws the conclusions from the response, or from its lack.
    fn settle(&mut self, at: Duration, is_complete: bool) {
        let exchange = &*self.exchange;
        let engineio = &exchange.engineio;
        let (sent, status) = {
            let progress = exchange.progress.lock();
            (progress.sent, progress.status)
        };
        let Some(sid) = exchange.query.sid.clone() else {
            return;
        };
        let answered = |pinged| Event::Answered {
            sid: sid.clone(),
            revision: exchange.query.revision,
            began: exchange.began,
            pinged,
        };
        let received = |received| Event::Received {
            sid: sid.clone(),
            received,
        };
        match (status, self.answer.scan(), exchange.method) {
            // The client left before the answer: a poll was open, or a body that had come all the way.
            (None, _, Method::Get) => polling_ended(exchange, at),
            (None, _, Method::Post) if exchange.polling().is_some() => match sent {
                Some(sent) => engineio.apply(at, received(sent)),
                None => polling_ended(exchange, at),
            },
            (Some(200), Some(Scan::Polled(polled)), _) => {
                // The server closed the poll as it answered, so a body that broke off later is not an end.
                let found = &polled.found;
                if found.close {
                    polling_ended(exchange, at);
                } else if is_complete && found.any && !found.bad {
                    engineio.apply(at, answered(found.ping));
                }
            }
            (Some(200), Some(Scan::Text(text)), Method::Post) if exchange.polling().is_some() => {
                let sent = sent.unwrap_or_default();
                if text.is(b"ok") && !sent.close {
                    engineio.apply(at, answered(false));
                }
                engineio.apply(at, received(sent));
            }
            (Some(400), Some(Scan::Text(text)), _) => {
                if text.is_unknown_session() {
                    engineio.apply(at, Event::Unknown { sid });
                } else if is_complete && text.is(b"") {
                    // Two polls or two POSTs at once, or a binary body in revision 4.
                    polling_ended(exchange, at);
                }
            }
            _ => {}
        }
    }
}
