//! The HTTP of a connection, read from the parts of its two directions.

use std::time::Duration;

use vigie_traffic::{Body, Close, Ended, Event, Limits, Observed, Side};

use crate::counts::Counts;
use crate::protocol::{Protocol, is_request_line};
use crate::stream::{Context, Part};

/// The bytes of a client that are kept while the app decides about another protocol.
const MAX_WAITING: usize = 64 * 1024;

/// The bounds of a connection. A client may send any number of requests before the first response: what it sent cannot be
/// held back here.
pub(crate) fn limits() -> Limits {
    Limits {
        pipeline: 1024,
        ..Limits::default()
    }
}

/// The HTTP of a connection.
pub(crate) struct Reader {
    http: Observed,
    protocol: Protocol,
    /// Whether the beginning of the connection was captured.
    opened: bool,
    /// Whether the bytes are ignored until the connection is [joined](Self::may_join).
    lost: bool,
    /// Whether the last bytes on the connection are the app's, and may be the end of a response: then the next ones of the
    /// client may begin a request, and are not a part of one.
    app_spoke: bool,
    /// The bytes of the client that are read after the response.
    waiting: Vec<u8>,
    /// When the last bytes of the app were sent.
    app_sent: Duration,
    /// Whether the client's bytes so far are whole requests.
    client_is_between: bool,
    /// Whether bytes are missing within the chunks of a response.
    lost_in_chunks: bool,
    in_chunks: bool,
    /// Whether that response has not ended so far: the filter leaves nothing out of a segment that ends with the last chunk.
    is_unended: bool,
    /// Whether a request of Engine.IO was read since this was last asked.
    saw_engineio: bool,
}

/// The state of the app's direction while a part of the client is read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AppState {
    /// The number of its next byte.
    pub(crate) next: u32,
    pub(crate) has_hole: bool,
}

impl Reader {
    /// The reader of a connection that is captured from its beginning if `opened`.
    pub(crate) fn new(http: Observed, opened: bool) -> Self {
        Self {
            http,
            protocol: Protocol::Unknown,
            opened,
            lost: !opened,
            app_spoke: false,
            waiting: Vec::new(),
            app_sent: Duration::ZERO,
            client_is_between: true,
            lost_in_chunks: false,
            in_chunks: false,
            is_unended: false,
            saw_engineio: false,
        }
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Whether an Engine.IO request was read since the last call.
    pub(crate) fn take_saw_engineio(&mut self) -> bool {
        std::mem::take(&mut self.saw_engineio)
    }

    /// Reads a part of the client. Returns whether the connection was joined before it.
    pub(crate) fn client(
        &mut self,
        part: Part<'_>,
        context: Context,
        app: AppState,
        counts: &mut Counts,
    ) -> bool {
        let Part::Bytes(bytes) = part else {
            self.app_spoke = false;
            self.other_part(Side::Client, part, context.at, counts);
            return false;
        };
        let joins = self.lost && self.may_join(bytes, context, app);
        self.app_spoke = false;
        if joins {
            self.join(counts);
        } else if self.protocol == Protocol::Unknown {
            self.protocol = Protocol::of(bytes, self.opened).unwrap_or(Protocol::Unknown);
        }
        self.read_client(bytes, context.at, counts);
        joins
    }

    /// Reads a part of the app.
    pub(crate) fn app(&mut self, part: Part<'_>, at: Duration, counts: &mut Counts) {
        self.app_sent = at;
        match part {
            Part::Bytes(bytes) => {
                // After an interim response, the client continues its request.
                self.app_spoke = !bytes.starts_with(b"HTTP/1.1 1");
                self.read(Side::App, bytes, at, counts);
                if self.lost_in_chunks {
                    self.follow_chunks(bytes, at, counts);
                }
                let waits = self.http.connection().is_waiting();
                if !waits && !self.waiting.is_empty() {
                    let waiting = std::mem::take(&mut self.waiting);
                    self.read_client(&waiting, at, counts);
                }
            }
            _ => {
                if let Part::Missing(_) = part {
                    // It may be an interim response, or the last chunk.
                    self.app_spoke = false;
                    self.is_unended = false;
                }
                self.other_part(Side::App, part, at, counts);
            }
        }
    }

    /// The connection was reset.
    pub(crate) fn reset(&mut self, by: Side, at: Duration, counts: &mut Counts) {
        self.close(by, at, Close::Reset, counts);
    }

    fn close(&mut self, by: Side, at: Duration, close: Close, counts: &mut Counts) {
        if self.lost_in_chunks && self.is_unended && self.http.connection().pending() == 1 {
            self.http.set_within_response();
        }
        let ended = self.http.close(by, at, close);
        note(ended, counts);
    }

    /// Nothing more will be known of the connection.
    pub(crate) fn abandon(&mut self, at: Duration, counts: &mut Counts) {
        self.lost = true;
        self.lost_in_chunks = false;
        self.waiting = Vec::new();
        let ended = self.http.abandon(at);
        note(ended, counts);
    }

    /// Whether both directions are known to be between two messages before these bytes of the client: they begin a request, and
    /// the client sends them after it received everything that the app sent.
    fn may_join(&self, bytes: &[u8], context: Context, app: AppState) -> bool {
        self.app_spoke
            && !app.has_hole
            && context.acknowledged == app.next
            && is_request_line(bytes)
    }

    /// Bytes of a chunked response, after bytes that were not captured.
    fn follow_chunks(&mut self, bytes: &[u8], at: Duration, counts: &mut Counts) {
        // A segment that contains the end of the last chunk and not its beginning does not tell.
        self.is_unended &= bytes.len() >= LAST_CHUNK.len() || !LAST_CHUNK.ends_with(bytes);
        let http = self.http.connection();
        let is_single = http.pending() == 1 && http.held(Side::Client).is_empty();
        if is_single && self.client_is_between && ends_chunks(bytes) {
            self.lost = false;
            self.lost_in_chunks = false;
            let ended = self.http.resume(at);
            note(ended, counts);
        }
    }

    fn join(&mut self, counts: &mut Counts) {
        self.lost = false;
        self.lost_in_chunks = false;
        self.client_is_between = true;
        self.waiting = Vec::new();
        counts.joined += 1;
        // A response whose end was not captured ended with its last bytes.
        let ended = self.http.resume(self.app_sent);
        note(ended, counts);
    }

    fn read_client(&mut self, bytes: &[u8], at: Duration, counts: &mut Counts) {
        if !self.waiting.is_empty() {
            return self.wait(bytes, at, counts);
        }
        let left = self.read(Side::Client, bytes, at, counts);
        if left > 0 && self.http.connection().is_waiting() {
            self.wait(&bytes[bytes.len() - left..], at, counts);
        }
    }

    fn wait(&mut self, bytes: &[u8], at: Duration, counts: &mut Counts) {
        if self.waiting.len() + bytes.len() > MAX_WAITING {
            return self.abandon(at, counts);
        }
        self.waiting.extend_from_slice(bytes);
    }

    fn other_part(&mut self, from: Side, part: Part<'_>, at: Duration, counts: &mut Counts) {
        let out_of_order = from == Side::Client && !self.waiting.is_empty();
        if out_of_order {
            // The bytes that wait precede this part.
            self.abandon(at, counts);
        }
        match part {
            Part::End => self.close(from, at, Close::Finished, counts),
            _ => self.skip(from, part, at, counts),
        }
    }

    /// Returns the number of bytes that were not read.
    fn read(&mut self, from: Side, bytes: &[u8], at: Duration, counts: &mut Counts) -> usize {
        let mut input = bytes;
        let mut refused = false;
        loop {
            let step = self.http.read(from, at, &mut input);
            match step.event {
                None => break,
                Some(Event::Request(head)) => {
                    self.protocol = Protocol::Http1;
                    self.client_is_between = false;
                    self.saw_engineio |= head.target().contains("EIO=");
                }
                Some(Event::Response(head)) if !head.is_interim() => {
                    self.in_chunks = head.body() == Body::Chunked;
                    counts.responses += 1;
                }
                Some(Event::End) => self.client_is_between = true,
                Some(Event::Completed | Event::Switched) => counts.known += 1,
                Some(Event::Refused(_)) => refused = true,
                Some(_) => {}
            }
        }
        match from {
            _ if !refused => {}
            Side::App => self.abandon(at, counts),
            // The requests before it will be answered.
            Side::Client => {
                self.lose(from, false);
                if self.protocol == Protocol::Unknown {
                    self.protocol = Protocol::Other;
                }
            }
        }
        input.len()
    }

    fn skip(&mut self, from: Side, part: Part<'_>, at: Duration, counts: &mut Counts) {
        let (mut missing, is_cut) = match part {
            Part::Cut(cut) => (u64::from(cut), true),
            Part::Missing(missing) => (u64::from(missing), false),
            Part::Bytes(_) | Part::End => return,
        };
        loop {
            let step = self.http.skip(from, at, &mut missing);
            match step.event {
                None => return,
                Some(Event::End) => self.client_is_between = true,
                Some(Event::Completed | Event::Switched) => counts.known += 1,
                Some(Event::Lost) => self.lose(from, is_cut),
                Some(_) => {}
            }
        }
    }

    /// The bytes of this side are ignored from now on.
    fn lose(&mut self, from: Side, is_cut: bool) {
        let was_lost = std::mem::replace(&mut self.lost, true);
        self.lost_in_chunks = from == Side::App && self.in_chunks && !was_lost;
        self.is_unended = is_cut;
    }
}

/// The last chunk of a body, after the end of the previous one.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

/// Whether the bytes, which follow bytes that are not known, end with the last chunk of a body.
fn ends_chunks(bytes: &[u8]) -> bool {
    bytes.ends_with(LAST_CHUNK) || (bytes.len() >= 5 && LAST_CHUNK.ends_with(bytes))
}

fn note(ended: Ended, counts: &mut Counts) {
    let known =
        ended.completed + ended.client_left + ended.unanswered + ended.unreceived + ended.cut;
    counts.known += known as u64;
    counts.abandoned += ended.unknown as u64;
}
