//! One request and its response: what is counted, and what it means for Engine.IO.

use std::time::Duration;

use crate::engineio::{RequestTap, ResponseTap};
use crate::record::{Answered, CLIENT_CLOSED_REQUEST, Record};
use crate::routes::Answer;
use crate::streams::Stream;
use crate::tunnel::Tunnel;
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
    is_stream_route: bool,
    stream: Option<Stream>,
    /// Whether no other exchange was open when it began.
    is_alone: bool,
    /// When the request was complete, until it is answered. Only of requests that the app answers when it can.
    sent: Option<Duration>,
}

impl Transaction {
    /// `head` are the bytes of the request's head, and `buffer` is reused. `is_alone`: no other exchange is open on the
    /// connection.
    pub(crate) fn begin(
        traffic: &Traffic,
        at: Duration,
        method: &str,
        target: &str,
        head: &[u8],
        buffer: String,
        is_alone: bool,
    ) -> Self {
        let taps = traffic.engineio.exchange(at, method, target, head);
        let (request, response) = taps.unzip();
        let in_flight = response.is_none();
        let metrics = &traffic.metrics;
        let record = Record::begin(metrics, at, method, target, buffer, in_flight);
        Self {
            is_stream_route: in_flight && record.is_of_stream_route(),
            record,
            request,
            response,
            status: None,
            stream: None,
            is_alone,
            sent: None,
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

    /// The request is complete. Returns whether the app answers it when it can, and nothing before it.
    #[must_use]
    pub(crate) fn request_end(&mut self, at: Duration) -> bool {
        if let Some(request) = &mut self.request {
            request.end();
        }
        let is_prompt = self.response.is_none() && !self.is_stream_route && self.is_alone;
        self.sent = (is_prompt && self.status.is_none()).then_some(at);
        self.sent.is_some()
    }

    /// The head of the final response, which came at `at`, to a request whose first byte came at `began`. Returns when that
    /// request was complete, if the app answers it when it can.
    pub(crate) fn head(
        &mut self,
        at: Duration,
        began: Duration,
        head: &ResponseHead<'_>,
    ) -> Option<Duration> {
        let status = head.status();
        self.status = Some(status);
        self.record.first_byte(at.saturating_sub(began));
        let value = |name| {
            let mut fields = head.fields();
            let found = fields.find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.and_then(|(_, value)| str::from_utf8(value).ok())
        };
        if let Some(response) = &mut self.response {
            response.head(status, value("content-encoding"));
        } else {
            let (is_route, content_type) = (self.is_stream_route, value("content-type"));
            let rules = &self.record.metrics().streams;
            self.stream = rules.of(is_route, status, content_type, head.body());
            if self.stream.is_some() {
                self.record.stream(at, status);
            }
        }
        self.sent.take()
    }

    /// Whether its response is a stream that can be silent for as long as it likes.
    #[must_use]
    pub(crate) fn is_endless(&self) -> bool {
        self.stream == Some(Stream::Endless)
    }

    /// When the request began.
    pub(crate) fn began(&self) -> Duration {
        self.record.began()
    }

    /// Whether no other exchange was open when it began.
    #[must_use]
    pub(crate) fn is_alone(&self) -> bool {
        self.is_alone
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
                if self.stream.is_none() {
                    self.count(at, code, Answer::Status(code));
                }
            }
            // A client that ends a stream has what it wanted.
            Outcome::ClientLeft if self.stream.is_some() => {}
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

    /// The app closed the connection, which was idle, before it received the request.
    pub(crate) fn conclude_unreceived(&mut self, at: Duration) {
        self.left_at(at);
        if self.response.is_none() {
            self.record.unreceived();
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

    /// The app has switched to another protocol. Returns what reads it.
    #[must_use]
    pub(crate) fn switch(mut self, at: Duration) -> Tunnel {
        let code = self.status.unwrap_or_default();
        let answered = Answered {
            code,
            answer: Answer::Switched,
        };
        match self.response.take() {
            Some(response) => {
                Tunnel::perhaps_engineio(response.upgraded(at), self.record, at, answered)
            }
            None => Tunnel::other(self.record.open_tunnel(at, &answered)),
        }
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
