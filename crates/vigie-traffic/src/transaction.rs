//! One request and its response: what is counted, and what it means for Engine.IO.

use std::time::Duration;

use crate::engineio::{RequestTap, ResponseTap, TunnelTap};
use crate::record::{Answered, CLIENT_CLOSED_REQUEST, Record};
use crate::routes::Answer;
use crate::{Outcome, ResponseHead, Traffic};

/// The code of a response that the app did not complete.
const BAD_GATEWAY: u16 = 502;

/// A request and its response.
///
/// A dropped one is not counted.
pub(crate) struct Transaction {
    record: Record,
    request: Option<RequestTap>,
    response: Option<ResponseTap>,
    status: Option<u16>,
    is_stream: bool,
}

impl Transaction {
    /// `head` are the bytes of the request's head, and `buffer` is reused.
    pub(crate) fn begin(
        traffic: &Traffic,
        at: Duration,
        method: &str,
        target: &str,
        head: &[u8],
        buffer: String,
    ) -> Self {
        let taps = traffic.engineio.exchange(at, method, target, head);
        let (request, response) = taps.unzip();
        let in_flight = response.is_none();
        let metrics = &traffic.metrics;
        Self {
            record: Record::begin(metrics, at, method, target, buffer, in_flight),
            request,
            response,
            status: None,
            is_stream: false,
        }
    }

    /// Bytes of the request's body.
    pub(crate) fn request_body(&mut self, bytes: &[u8]) {
        if let Some(request) = &mut self.request {
            request.chunk(bytes);
        }
    }

    /// Missing bytes of the request's body.
    pub(crate) fn request_gap(&mut self, missing: u64) {
        if let Some(request) = &mut self.request {
            request.gap(missing);
        }
    }

    /// The request is complete.
    pub(crate) fn request_end(&mut self) {
        if let Some(request) = &mut self.request {
            request.end();
        }
    }

    /// The head of the final response, which came at `at`.
    pub(crate) fn head(&mut self, at: Duration, head: &ResponseHead<'_>) {
        let status = head.status();
        self.status = Some(status);
        let value = |name| {
            let mut fields = head.fields();
            let found = fields.find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.and_then(|(_, value)| str::from_utf8(value).ok())
        };
        if let Some(response) = &mut self.response {
            response.head(status, value("content-encoding"));
        } else if self.record.is_stream_type(status, value("content-type")) {
            self.record.stream(at, status);
            self.is_stream = true;
        }
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.status.is_some()
    }

    /// Whether it is a poll of an Engine.IO session, which the app answers when it has something to send.
    #[must_use]
    pub(crate) fn is_poll(&self) -> bool {
        self.response.as_ref().is_some_and(ResponseTap::is_poll)
    }

    /// Bytes of the response's body.
    pub(crate) fn response_body(&mut self, at: Duration, bytes: &[u8]) {
        if let Some(response) = &mut self.response {
            response.chunk(at, bytes);
        }
    }

    /// Missing bytes of the response's body.
    pub(crate) fn response_gap(&mut self, at: Duration, missing: u64) {
        if let Some(response) = &mut self.response {
            response.gap(at, missing);
        }
    }

    /// The exchange ended at `at`.
    pub(crate) fn conclude(&mut self, at: Duration, outcome: Outcome) {
        match outcome {
            Outcome::Completed => {
                if let Some(response) = &mut self.response {
                    response.end(at);
                }
                let code = self.status.unwrap_or_default();
                if !self.is_stream {
                    self.count(at, code, Answer::Status(code));
                }
            }
            // A client that ends a stream has what it wanted.
            Outcome::ClientLeft if self.is_stream => {}
            Outcome::ClientLeft => {
                self.left_at(at);
                let code = CLIENT_CLOSED_REQUEST;
                self.count(at, code, Answer::Own(code));
            }
            Outcome::AppLeft => {
                self.left_at(at);
                self.count(at, BAD_GATEWAY, Answer::Missing(BAD_GATEWAY));
            }
            Outcome::Unknown => self.record.abandon(),
        }
    }

    /// The proxy in front of the app ended it with this code. `received` tells whether the app has the request.
    pub(crate) fn conclude_failed(&mut self, at: Duration, code: u16, received: bool) {
        self.left_at(at);
        let answer = match received {
            true => Answer::Missing(code),
            false => Answer::Own(code),
        };
        self.count(at, code, answer);
    }

    /// The app has switched to another protocol. Returns what reads it, if it can belong to Engine.IO.
    #[must_use]
    pub(crate) fn switch(mut self, at: Duration) -> Option<Tunnel> {
        let code = self.status.unwrap_or_default();
        let answered = Answered {
            code,
            answer: Answer::Switched,
        };
        let Some(response) = self.response.take() else {
            self.record.count(at, &answered);
            return None;
        };
        let tap = response.upgraded(at);
        let undecided = (!tap.is_engine_io()).then_some((self.record, at, answered));
        Some(Tunnel { tap, undecided })
    }

    pub(crate) fn into_buffer(self) -> String {
        self.record.into_buffer()
    }

    fn left_at(&mut self, at: Duration) {
        if let Some(request) = &mut self.request {
            request.left_at(at);
        }
        if let Some(response) = &mut self.response {
            response.left_at(at);
        }
    }

    /// Counts the exchange, unless it belongs to Engine.IO. The app's status decides what the answer says about the route.
    fn count(&mut self, at: Duration, code: u16, without_head: Answer) {
        let is_engine_io = |response: &ResponseTap| response.is_engine_io();
        if self.response.as_ref().is_some_and(is_engine_io) {
            return;
        }
        let answer = match (without_head, self.status) {
            (Answer::Missing(_), Some(status)) => Answer::Status(status),
            (Answer::Own(own), Some(status)) if own == CLIENT_CLOSED_REQUEST => {
                Answer::Status(status)
            }
            (answer, _) => answer,
        };
        self.record.count(at, &Answered { code, answer });
    }
}

/// A connection after its switch to another protocol, which can belong to Engine.IO.
pub(crate) struct Tunnel {
    tap: TunnelTap,
    /// The request, until the app's first message tells whether it belongs to Engine.IO.
    undecided: Option<(Record, Duration, Answered)>,
}

impl Tunnel {
    /// Bytes from the client.
    pub(crate) fn client_bytes(&mut self, at: Duration, bytes: &[u8]) {
        self.tap.from_client(at, bytes);
    }

    /// Missing bytes from the client.
    pub(crate) fn client_gap(&mut self, at: Duration, missing: u64) {
        self.tap.client_gap(at, missing);
    }

    /// Bytes from the app.
    pub(crate) fn server_bytes(&mut self, at: Duration, bytes: &[u8]) {
        self.tap.from_server(at, bytes);
        self.decide();
    }

    /// Missing bytes from the app.
    pub(crate) fn server_gap(&mut self, at: Duration, missing: u64) {
        self.tap.server_gap(at, missing);
        self.decide();
    }

    /// The app's side of the connection has ended, or both have.
    pub(crate) fn end(&mut self, at: Duration) {
        self.tap.end(at);
        self.decide();
    }

    /// Bytes are missing, so the state of its session is unknown.
    pub(crate) fn abandon(&mut self, at: Duration) {
        self.tap.abandon(at);
        self.decide();
    }

    fn decide(&mut self) {
        if !self.tap.is_undecided()
            && let Some((record, at, answered)) = self.undecided.take()
            && !self.tap.is_engine_io()
        {
            record.count(at, &answered);
        }
    }
}
