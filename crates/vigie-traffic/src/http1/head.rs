//! Complete heads, as they were received.

use std::fmt;

use super::chars::trim;
use super::line::{RequestLine, StatusLine};
use super::section::{RequestSection, ResponseSection};
use crate::{Body, Version};

/// The head of a request.
#[derive(Clone)]
pub struct RequestHead<'a> {
    raw: &'a [u8],
    /// From the request line, without empty lines before it.
    head: &'a [u8],
    line: RequestLine,
    body: Body,
    persists: bool,
    asks_upgrade: bool,
    expects_continue: bool,
}

impl<'a> RequestHead<'a> {
    /// `None` if the section is not complete.
    pub(crate) fn new(raw: &'a [u8], section: RequestSection) -> Option<Self> {
        let (line, at) = section.start?;
        let framing = section.framing;
        let head = &raw[at..];
        Some(Self {
            raw,
            head,
            body: section.body?,
            persists: framing.persists(line.version),
            asks_upgrade: framing.asks_upgrade(),
            expects_continue: framing.expects_continue,
            line,
        })
    }

    /// All its bytes, with empty lines before it.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The method, whose case matters.
    #[must_use]
    pub fn method(&self) -> &'a str {
        ascii(&self.head[self.line.method.clone()])
    }

    /// The request target: visible ASCII characters.
    #[must_use]
    pub fn target(&self) -> &'a str {
        ascii(&self.head[self.line.target.clone()])
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.line.version
    }

    /// The fields in their order.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        Fields::after_start_line(self.head)
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> Body {
        self.body
    }

    /// Whether a further request may follow.
    #[must_use]
    pub fn persists(&self) -> bool {
        self.persists
    }

    /// Whether it asks for another protocol, by `Upgrade` or CONNECT. Then nothing after it is read before its response.
    #[must_use]
    pub fn asks_switch(&self) -> bool {
        self.asks_upgrade || self.method() == "CONNECT"
    }

    pub(crate) fn asks_upgrade(&self) -> bool {
        self.asks_upgrade
    }

    /// Whether the client may wait for an interim response 100 before it sends the body.
    #[must_use]
    pub fn expects_continue(&self) -> bool {
        self.expects_continue
    }
}

/// The head of a response.
#[derive(Clone)]
pub struct ResponseHead<'a> {
    raw: &'a [u8],
    line: StatusLine,
    body: Body,
    persists: bool,
    switches: bool,
}

impl<'a> ResponseHead<'a> {
    /// `None` if the section is not complete.
    pub(crate) fn new(raw: &'a [u8], section: &ResponseSection) -> Option<Self> {
        let line = section.start?;
        Some(Self {
            raw,
            line,
            body: section.body?,
            persists: section.framing.persists(line.version),
            switches: section.switches(line.status),
        })
    }

    /// All its bytes.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The status code, 100 to 999.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.line.status
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.line.version
    }

    /// The fields in their order.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        Fields::after_start_line(self.raw)
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> Body {
        self.body
    }

    /// Whether a further response may follow.
    #[must_use]
    pub fn persists(&self) -> bool {
        self.persists
    }

    /// Whether another response to the same request follows, as after 100 or 103.
    #[must_use]
    pub fn is_interim(&self) -> bool {
        self.line.status < 200 && !self.switches
    }

    /// Whether another protocol follows.
    #[must_use]
    pub fn switches(&self) -> bool {
        self.switches
    }
}

/// The names and values of fields, without whitespace around the values.
#[derive(Clone)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The fields of lines that were parsed before.
    pub(crate) fn new(lines: &'a [u8]) -> Self {
        Self(lines)
    }

    fn after_start_line(head: &'a [u8]) -> Self {
        let mut fields = Self(head);
        fields.take_line();
        fields
    }

    fn take_line(&mut self) -> &'a [u8] {
        let end = memchr::memchr(b'\n', self.0).map_or(self.0.len(), |at| at + 1);
        let (line, rest) = self.0.split_at(end);
        self.0 = rest;
        line.trim_ascii_end()
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.take_line();
        let colon = memchr::memchr(b':', line)?;
        Some((ascii(&line[..colon]), trim(&line[colon + 1..])))
    }
}

/// Bytes that were parsed as ASCII characters.
fn ascii(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_default()
}

impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Fields and targets may contain credentials.
        let mut debug = f.debug_struct("RequestHead");
        debug.field("method", &self.method());
        debug.field("body", &self.body).finish_non_exhaustive()
    }
}

impl fmt::Debug for ResponseHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ResponseHead");
        debug.field("status", &self.status());
        debug.field("body", &self.body).finish_non_exhaustive()
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.clone().map(|(name, _)| name))
            .finish()
    }
}
