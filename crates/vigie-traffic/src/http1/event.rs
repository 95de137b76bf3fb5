use crate::{Exchange, Fault, Fields, RequestHead, ResponseHead};

/// A step of a connection in one direction.
#[derive(Debug)]
pub struct Step<'a> {
    /// The bytes that may be forwarded. Those of all steps follow each other without a gap; they lag behind what was read
    /// while a head is incomplete.
    pub passed: &'a [u8],
    /// The exchange that the event belongs to.
    pub exchange: Exchange,
    /// `None` if the step needs more input, or if this direction reads no further: then input is left.
    pub event: Option<Event<'a>>,
}

impl<'a> Step<'a> {
    pub(crate) fn new(exchange: Exchange, passed: &'a [u8], event: Option<Event<'a>>) -> Self {
        Self {
            passed,
            exchange,
            event,
        }
    }

    pub(crate) fn none(exchange: Exchange) -> Self {
        Self::new(exchange, &[], None)
    }
}

/// An event of the framing.
#[derive(Debug)]
pub enum Event<'a> {
    /// The head of a request.
    Request(RequestHead<'a>),
    /// The head of a response, which may be [interim](ResponseHead::is_interim).
    Response(ResponseHead<'a>),
    /// Bytes of a body, without the framing of chunks.
    Body(&'a [u8]),
    /// This number of bytes of a body or of another protocol is missing.
    Gap(u64),
    /// The last chunk of a body; its trailers follow.
    LastChunk,
    /// The fields after a chunked body; often none.
    Trailers(Fields<'a>),
    /// The end of a request.
    End,
    /// The end of a response, and of its exchange.
    Completed,
    /// The connection continues with another protocol, after a response 101 or a successful CONNECT. Ends the exchange.
    Switched,
    /// Bytes of another protocol.
    Tunnel(&'a [u8]),
    /// Nothing further is read in this direction.
    Refused(Fault),
    /// Missing bytes make the following ones meaningless: they are read and ignored until [`Connection::resume`].
    ///
    /// After missing bytes of the app, an exchange that does not end by `resume` or `close` needs
    /// [`Connection::abandon`].
    ///
    /// [`Connection::resume`]: crate::Connection::resume
    /// [`Connection::abandon`]: crate::Connection::abandon
    Lost,
}
