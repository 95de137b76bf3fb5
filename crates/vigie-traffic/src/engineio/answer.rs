//! What the server answers to a request, read as it passes.

use std::io::{self, Write};

use flate2::write::{GzDecoder, ZlibDecoder};

use super::open::Open;
use super::payload::{Item, Kind, Payload};

/// The body of a response, decoded and scanned.
pub(super) enum Answer {
    /// It is as it was written.
    Plain(Scan),
    /// `Content-Encoding: gzip`.
    Gzip(Box<GzDecoder<Scan>>),
    /// `Content-Encoding: deflate`, which is zlib's format.
    Deflate(Box<ZlibDecoder<Scan>>),
    /// Nothing is wanted of it, or its encoding is not one that engine.io uses.
    Opaque,
}

impl Answer {
    pub(super) fn new(scan: Scan, content_encoding: Option<&str>) -> Self {
        let is = |name| content_encoding.is_some_and(|is: &str| is.eq_ignore_ascii_case(name));
        match content_encoding {
            None => Self::Plain(scan),
            Some(_) if is("identity") => Self::Plain(scan),
            Some(_) if is("gzip") || is("x-gzip") => Self::Gzip(Box::new(GzDecoder::new(scan))),
            Some(_) if is("deflate") => Self::Deflate(Box::new(ZlibDecoder::new(scan))),
            Some(_) => Self::Opaque,
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let fed = match self {
            Self::Plain(scan) => scan.write_all(bytes),
            Self::Gzip(decoder) => decoder.write_all(bytes),
            Self::Deflate(decoder) => decoder.write_all(bytes),
            Self::Opaque => Ok(()),
        };
        if fed.is_err() {
            self.give_up();
        }
    }

    /// Skips missing bytes. `false` if nothing that follows can be read.
    #[must_use]
    pub(super) fn skip(&mut self, missing: u64) -> bool {
        match self {
            Self::Opaque => true,
            Self::Plain(Scan::Polled(polled)) => polled
                .payload
                .as_mut()
                .is_none_or(|payload| payload.skip(missing, |item| polled.found.note(item))),
            Self::Plain(Scan::Text(_)) | Self::Gzip(_) | Self::Deflate(_) => missing == 0,
        }
    }

    /// The body is complete.
    pub(super) fn finish(&mut self) {
        let finished = match self {
            Self::Gzip(decoder) => decoder.try_finish(),
            Self::Deflate(decoder) => decoder.try_finish(),
            Self::Plain(_) | Self::Opaque => Ok(()),
        };
        if finished.is_err() {
            self.give_up();
        }
        if let Some(scan) = self.scan_mut() {
            scan.finish();
        }
    }

    /// What was found so far.
    pub(super) fn scan(&self) -> Option<&Scan> {
        match self {
            Self::Plain(scan) => Some(scan),
            Self::Gzip(decoder) => Some(decoder.get_ref()),
            Self::Deflate(decoder) => Some(decoder.get_ref()),
            Self::Opaque => None,
        }
    }

    pub(super) fn scan_mut(&mut self) -> Option<&mut Scan> {
        match self {
            Self::Plain(scan) => Some(scan),
            Self::Gzip(decoder) => Some(decoder.get_mut()),
            Self::Deflate(decoder) => Some(decoder.get_mut()),
            Self::Opaque => None,
        }
    }

    /// Lets go of the decoder; what was found stays.
    fn give_up(&mut self) {
        if let Some(scan) = self.scan_mut() {
            let mut rest = Scan::Text(Text::default());
            std::mem::swap(scan, &mut rest);
            rest.spoil();
            *self = Self::Plain(rest);
        }
    }
}

/// What is looked for in a body.
pub(super) enum Scan {
    /// Packets. Boxed, for every request of the app has room for a tap.
    Polled(Box<Polled>),
    /// A short text: `ok`, or a refusal.
    Text(Text),
}

impl Scan {
    fn finish(&mut self) {
        if let Self::Polled(polled) = self
            && let Some(mut payload) = polled.payload.take()
        {
            payload.finish(|item| polled.found.note(item));
        }
    }

    fn spoil(&mut self) {
        match self {
            Self::Polled(polled) => {
                polled.payload = None;
                polled.found.bad = true;
            }
            Self::Text(text) => text.len = usize::MAX,
        }
    }
}

/// The packets a poll delivers.
pub(super) struct Polled {
    payload: Option<Payload>,
    pub(super) found: Found,
    /// What may still be decoded of it.
    budget: usize,
}

/// What the packets said.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) open: Option<Open>,
    pub(super) any: bool,
    pub(super) close: bool,
    pub(super) ping: bool,
    pub(super) bad: bool,
}

impl Found {
    fn note(&mut self, item: Item) {
        match item {
            Item::Open(open) => self.open = Some(open),
            Item::Packet(kind) => {
                self.any = true;
                self.close |= kind == Kind::Close;
                self.ping |= kind == Kind::Ping;
            }
            Item::Bad => self.bad = true,
        }
    }
}

impl Polled {
    /// Far above what a server sends at once; it keeps a compressed body from costing without end.
    const MAX_DECODED: usize = 64 << 20;

    pub(super) fn new(payload: Payload) -> Self {
        Self {
            payload: Some(payload),
            found: Found::default(),
            budget: Self::MAX_DECODED,
        }
    }
}

/// The beginning of a short text.
#[derive(Default)]
pub(super) struct Text {
    bytes: [u8; 24],
    len: usize,
}

impl Text {
    /// The text, if it is no longer than what is kept; otherwise its beginning.
    pub(super) fn beginning(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }

    /// The text is exactly this.
    pub(super) fn is(&self, text: &[u8]) -> bool {
        self.bytes.get(..self.len) == Some(text)
    }

    /// `{"code":1,…}` of a poll, or the plain text of an upgrade.
    pub(super) fn is_unknown_session(&self) -> bool {
        let text = self.beginning();
        text.starts_with(b"{\"code\":1,") || text == b"Session ID unknown"
    }
}

impl Write for Scan {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Polled(polled) => {
                polled.budget = polled
                    .budget
                    .checked_sub(bytes.len())
                    .ok_or(io::ErrorKind::FileTooLarge)?;
                if let Some(payload) = &mut polled.payload {
                    payload.feed(bytes, |item| polled.found.note(item));
                }
            }
            Self::Text(text) => {
                let room = text.bytes.get_mut(text.len..).unwrap_or_default();
                for (to, from) in room.iter_mut().zip(bytes) {
                    *to = *from;
                }
                text.len = text.len.saturating_add(bytes.len());
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
