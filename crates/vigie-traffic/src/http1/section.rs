//! The sections of lines: the head of a request, the head of a response, and trailers.

use super::exchange::Asked;
use super::framing::Framing;
use super::line::{RequestLine, StatusLine, field};
use super::lines::Section;
use crate::{Body, Fault};

/// Counts the fields of a section.
#[derive(Debug, Default)]
pub(crate) struct Count(usize);

impl Count {
    fn add(&mut self, limit: usize) -> Result<(), Fault> {
        self.0 += 1;
        if self.0 > limit {
            return Err(Fault::TooManyFields);
        }
        Ok(())
    }
}

/// The head of a request, as far as it was read.
#[derive(Debug)]
pub(crate) struct RequestSection {
    /// The request line and its offset in the section, which may begin with empty lines.
    pub(crate) start: Option<(RequestLine, usize)>,
    pub(crate) framing: Framing,
    /// The body, when the head is complete.
    pub(crate) body: Option<Body>,
    count: Count,
    max_fields: usize,
}

impl RequestSection {
    pub(crate) fn new(max_fields: usize) -> Self {
        Self {
            start: None,
            framing: Framing::default(),
            body: None,
            count: Count::default(),
            max_fields,
        }
    }
}

impl Section for RequestSection {
    fn at_start(&self) -> bool {
        self.start.is_none()
    }

    fn line(&mut self, line: &[u8], at: usize) -> Result<bool, Fault> {
        let Some((start, _)) = &self.start else {
            // RFC 9112, section 2.2: a server ignores empty lines before a request line.
            if !line.is_empty() {
                self.start = Some((RequestLine::parse(line)?, at));
            }
            return Ok(false);
        };
        if line.is_empty() {
            self.body = Some(self.framing.request_body(start.version)?);
            return Ok(true);
        }
        self.count.add(self.max_fields)?;
        let (name, value) = field(line)?;
        self.framing.request_field(name, value)?;
        Ok(false)
    }
}

/// The head of a response, as far as it was read.
#[derive(Debug)]
pub(crate) struct ResponseSection {
    pub(crate) start: Option<StatusLine>,
    pub(crate) framing: Framing,
    /// The body, when the head is complete.
    pub(crate) body: Option<Body>,
    /// The request.
    pub(crate) asked: Asked,
    count: Count,
    max_fields: usize,
}

impl ResponseSection {
    pub(crate) fn new(max_fields: usize) -> Self {
        Self {
            start: None,
            framing: Framing::default(),
            body: None,
            asked: Asked::default(),
            count: Count::default(),
            max_fields,
        }
    }

    /// Whether the connection changes to another protocol.
    pub(crate) fn switches(&self, status: u16) -> bool {
        status == 101 || (self.asked.connect && (200..300).contains(&status))
    }

    /// RFC 9112, section 6.3.
    fn body(&self, start: StatusLine) -> Result<Body, Fault> {
        match start.status {
            101 if !self.asked.upgrade => Err(Fault::UnrequestedSwitch),
            status if self.switches(status) => Ok(Body::None),
            100..200 | 204 | 304 => Ok(Body::None),
            _ if self.asked.head => Ok(Body::None),
            _ => self.framing.response_body(start.version),
        }
    }
}

impl Section for ResponseSection {
    fn at_start(&self) -> bool {
        self.start.is_none()
    }

    fn line(&mut self, line: &[u8], _at: usize) -> Result<bool, Fault> {
        let Some(start) = self.start else {
            self.start = Some(StatusLine::parse(line)?);
            return Ok(false);
        };
        if line.is_empty() {
            self.body = Some(self.body(start)?);
            return Ok(true);
        }
        self.count.add(self.max_fields)?;
        let (name, value) = field(line)?;
        self.framing.response_field(name, value)?;
        Ok(false)
    }
}

/// The fields after the last chunk.
#[derive(Debug)]
pub(crate) struct TrailerSection {
    count: Count,
    max_fields: usize,
}

impl TrailerSection {
    pub(crate) fn new(max_fields: usize) -> Self {
        Self {
            count: Count::default(),
            max_fields,
        }
    }
}

/// Fields that some implementations apply although they are in the trailers (RFC 9110, section 6.5.1).
const FORBIDDEN: [&[u8]; 12] = [
    b"authorization",
    b"connection",
    b"content-encoding",
    b"content-length",
    b"expect",
    b"host",
    b"keep-alive",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
];

impl Section for TrailerSection {
    fn at_start(&self) -> bool {
        false
    }

    fn line(&mut self, line: &[u8], _at: usize) -> Result<bool, Fault> {
        if line.is_empty() {
            return Ok(true);
        }
        self.count.add(self.max_fields)?;
        let (name, _) = field(line)?;
        let mut forbidden = FORBIDDEN.iter();
        if forbidden.any(|forbidden| name.eq_ignore_ascii_case(forbidden)) {
            return Err(Fault::Trailer);
        }
        Ok(false)
    }
}
