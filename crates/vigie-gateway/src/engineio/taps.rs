//! One Engine.IO request and its response: what they mean for a session.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::EngineIo;
use super::answer::{Answer, Polled, Scan, Text};
use super::heartbeat::Received;
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

/// What the two taps of an exchange know together; they live in different tasks.
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

/// The taps of an exchange that is Engine.IO's by its query.
pub(super) fn taps(engineio: &EngineIo, method: &str, query: Query) -> (RequestTap, ResponseTap) {
    let exchange = Arc::new(Exchange {
        engineio: engineio.clone(),
        method: match method {
            "GET" => Method::Get,
            "POST" => Method::Post,
            _ => Method::Other,
        },
        query,
        began: engineio.now(),
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
    };
    let response = ResponseTap {
        exchange,
        answer: Answer::Opaque,
        ended: false,
    };
    (request, response)
}

/// Watches a request's body. Dropped before [`end`](Self::end), the client broke it off.
pub(crate) struct RequestTap {
    exchange: Arc<Exchange>,
    payload: Option<Box<Payload>>,
    received: Received,
    ended: bool,
}

impl RequestTap {
    /// A piece of the body, as it is passed on.
    pub(crate) fn chunk(&mut self, bytes: &[u8]) {
        let received = &mut self.received;
        if let Some(payload) = &mut self.payload {
            payload.feed(bytes, |item| note(received, &item));
        }
    }

    /// The body has been passed on to its end.
    pub(crate) fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let received = &mut self.received;
        if let Some(mut payload) = self.payload.take() {
            payload.finish(|item| note(received, &item));
        }
        self.exchange.progress.lock().sent = Some(self.received);
    }
}

impl Drop for RequestTap {
    fn drop(&mut self) {
        let exchange = &self.exchange;
        // A server that has answered (413, an unknown session) no longer reads.
        let open = !self.ended && exchange.progress.lock().status.is_none();
        if open && exchange.method == Method::Post {
            polling_ended(exchange);
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

fn polling_ended(exchange: &Exchange) {
    if let Some(sid) = exchange.polling() {
        let sid = sid.clone();
        exchange.engineio.apply(Event::PollingEnded { sid });
    }
}

/// Watches a response. Dropped before [`end`](Self::end), it was broken off, by the client or by the app.
pub(crate) struct ResponseTap {
    exchange: Arc<Exchange>,
    answer: Answer,
    ended: bool,
}

impl ResponseTap {
    /// The head of the response. An answer of the gateway's own is told like one of the app's.
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

    /// A piece of the body, as it is passed on.
    pub(crate) fn chunk(&mut self, bytes: &[u8]) {
        self.answer.feed(bytes);
        self.opened();
    }

    /// The body has been passed on to its end.
    pub(crate) fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.answer.finish();
        self.opened();
        self.settle();
    }

    /// The response was a 101: what follows is no longer HTTP.
    pub(crate) fn upgraded(mut self) -> TunnelTap {
        self.ended = true;
        let exchange = &self.exchange;
        TunnelTap::new(
            exchange.engineio.clone(),
            exchange.query.clone(),
            exchange.began,
        )
    }

    /// Whether the request is a poll of a session: one that the server leaves open until it has something to say.
    pub(crate) fn is_poll(&self) -> bool {
        self.exchange.method == Method::Get && self.exchange.polling().is_some()
    }

    /// Whether the response looks like engine.io's, as far as it has come. Before the head, the query alone
    /// speaks for it; after the head the status does too (another app's 404 speaks against it); after the first
    /// bytes of the body it is the framing.
    pub(crate) fn is_engine_io(&self) -> bool {
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

    /// Counts a session as soon as its open packet has passed.
    fn opened(&mut self) {
        let exchange = &*self.exchange;
        if let Some(Scan::Polled(polled)) = self.answer.scan_mut()
            && let Some(open) = polled.found.open.take()
            && exchange.query.sid.is_none()
        {
            exchange.engineio.apply(Event::Opened {
                sid: open.sid,
                transport: Transport::Polling,
                revision: exchange.query.revision,
                ping: open.ping,
            });
        }
    }

    /// Draws the conclusions from the response, or from its lack.
    fn settle(&mut self) {
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
            (None, _, Method::Get) => polling_ended(exchange),
            (None, _, Method::Post) if exchange.polling().is_some() => match sent {
                Some(sent) => engineio.apply(received(sent)),
                None => polling_ended(exchange),
            },
            (Some(200), Some(Scan::Polled(polled)), _) => {
                // The server closed the poll as it answered, so a body that broke off later is not an end.
                let found = &polled.found;
                if found.close {
                    polling_ended(exchange);
                } else if self.ended && found.any && !found.bad {
                    engineio.apply(answered(found.ping));
                }
            }
            (Some(200), Some(Scan::Text(text)), Method::Post) if exchange.polling().is_some() => {
                let sent = sent.unwrap_or_default();
                if text.is(b"ok") && !sent.close {
                    engineio.apply(answered(false));
                }
                engineio.apply(received(sent));
            }
            (Some(400), Some(Scan::Text(text)), _) => {
                if text.is_unknown_session() {
                    engineio.apply(Event::Unknown { sid });
                } else if self.ended && text.is(b"") {
                    // Two polls or two POSTs at once, or a binary body in revision 4.
                    polling_ended(exchange);
                }
            }
            _ => {}
        }
    }
}

impl Drop for ResponseTap {
    fn drop(&mut self) {
        if !self.ended {
            self.settle();
        }
    }
}
