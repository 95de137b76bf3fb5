//! The fields that decide where a message ends and whether the connection persists (RFC 9112, sections 6.3 and 9.3).

use super::chars::{is_host, trim};
use crate::{Fault, Version};

/// The body of a message, as its head declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// There is none.
    None,
    /// This number of bytes.
    Length(u64),
    /// Chunks, and possibly trailers.
    Chunked,
    /// All bytes until the connection is closed.
    UntilClose,
}

/// The framing that the fields of one head declare.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Framing {
    length: Option<u64>,
    encoding: Option<Encoding>,
    has_host: bool,
    has_upgrade: bool,
    close: bool,
    keep_alive: bool,
    upgrade: bool,
    /// `Expect: 100-continue`.
    pub(crate) expects_continue: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Chunked,
    Other,
}

impl Framing {
    pub(crate) fn request_field(&mut self, name: &[u8], value: &[u8]) -> Result<(), Fault> {
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.host(value),
            6 if name.eq_ignore_ascii_case(b"expect") => {
                self.expects_continue |= trim(value).eq_ignore_ascii_case(b"100-continue");
                Ok(())
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                let chunked = without_spaces(value).eq_ignore_ascii_case(b"chunked");
                if self.encoding.is_some() || !chunked {
                    return Err(Fault::Encoding);
                }
                self.encoding = Some(Encoding::Chunked);
                Ok(())
            }
            _ => self.field(name, value),
        }
    }

    pub(crate) fn response_field(&mut self, name: &[u8], value: &[u8]) -> Result<(), Fault> {
        if name.len() == 17 && name.eq_ignore_ascii_case(b"transfer-encoding") {
            for coding in elements(value) {
                if self.encoding == Some(Encoding::Chunked) {
                    return Err(Fault::Encoding);
                }
                let chunked = coding.eq_ignore_ascii_case(b"chunked");
                self.encoding = Some(if chunked {
                    Encoding::Chunked
                } else {
                    Encoding::Other
                });
            }
            return Ok(());
        }
        self.field(name, value)
    }

    fn field(&mut self, name: &[u8], value: &[u8]) -> Result<(), Fault> {
        match name.len() {
            7 if name.eq_ignore_ascii_case(b"upgrade") => self.has_upgrade = true,
            10 if name.eq_ignore_ascii_case(b"connection") => self.connection(value),
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                let length = number(without_spaces(value)).ok_or(Fault::Length)?;
                if self.length.replace(length).is_some() {
                    return Err(Fault::SeveralLengths);
                }
            }
            // Not in any RFC; llhttp reads it as `Connection`.
            16 if name.eq_ignore_ascii_case(b"proxy-connection") => self.connection(value),
            _ => {}
        }
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) {
        for option in elements(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            self.upgrade |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }

    fn host(&mut self, value: &[u8]) -> Result<(), Fault> {
        if std::mem::replace(&mut self.has_host, true) {
            return Err(Fault::SeveralHosts);
        }
        match is_host(trim(value)) {
            true => Ok(()),
            false => Err(Fault::Host),
        }
    }

    pub(crate) fn request_body(&self, version: Version) -> Result<Body, Fault> {
        match (self.length, self.encoding) {
            (Some(_), Some(_)) => Err(Fault::LengthAndEncoding),
            (None, Some(_)) if version == Version::Http10 => Err(Fault::EncodingInHttp10),
            (None, Some(_)) => Ok(Body::Chunked),
            (None | Some(0), None) => Ok(Body::None),
            (Some(length), None) => Ok(Body::Length(length)),
        }
    }

    /// The body of a response whose status and request allow one.
    pub(crate) fn response_body(&self, version: Version) -> Result<Body, Fault> {
        match (self.length, self.encoding) {
            (_, Some(_)) if version == Version::Http10 => Err(Fault::EncodingInHttp10),
            // RFC 9112, section 6.3, item 3; apps that copy the fields of other responses send both.
            (_, Some(Encoding::Chunked)) => Ok(Body::Chunked),
            (Some(_), Some(Encoding::Other)) => Err(Fault::LengthAndEncoding),
            (None, Some(Encoding::Other) | None) => Ok(Body::UntilClose),
            (Some(0), None) => Ok(Body::None),
            (Some(length), None) => Ok(Body::Length(length)),
        }
    }

    /// Whether the connection persists after the message.
    pub(crate) fn persists(&self, version: Version) -> bool {
        !self.close && (version == Version::Http11 || self.keep_alive)
    }

    /// Whether a request asks for another protocol, in any version: some servers switch in HTTP/1.0 too.
    pub(crate) fn asks_upgrade(&self) -> bool {
        self.has_upgrade && self.upgrade
    }
}

/// The elements of a comma-separated list.
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim)
}

/// Without spaces at both ends. Tabs are kept, because implementations disagree about them in framing fields.
fn without_spaces(mut value: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = value {
        value = rest;
    }
    value
}

/// A decimal number of at least one digit.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, &byte| {
        let digit = char::from(byte).to_digit(10)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
