//! The lines of a head, without their CRLF.

use std::ops::Range;

use super::chars::{has_control, is_visible, token};
use crate::Fault;

/// The version of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

impl Version {
    fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        match bytes {
            b"HTTP/1.1" => Ok(Self::Http11),
            b"HTTP/1.0" => Ok(Self::Http10),
            _ => Err(Fault::Version),
        }
    }
}

/// `GET /path HTTP/1.1`. The ranges are offsets in the line.
#[derive(Clone, Debug)]
pub(crate) struct RequestLine {
    pub(crate) method: Range<usize>,
    pub(crate) target: Range<usize>,
    pub(crate) version: Version,
}

const VERSION: usize = "HTTP/1.1".len();

impl RequestLine {
    pub(crate) fn parse(line: &[u8]) -> Result<Self, Fault> {
        let method = token(line);
        if method == 0 || line.get(method) != Some(&b' ') {
            return Err(Fault::StartLine);
        }
        let target = method + 1;
        let space = line.len().checked_sub(VERSION + 1);
        // HTTP/0.9 has no version.
        let space = space.filter(|&space| space >= target && line[space] == b' ');
        let space = space.ok_or(Fault::Version)?;
        let version = Version::parse(&line[space + 1..])?;
        // The preface of HTTP/2, in disguise.
        if &line[..method] == b"PRI" {
            return Err(Fault::Version);
        }
        let of_target = &line[target..space];
        let form = match of_target {
            [b'/', ..] | b"*" => true,
            [] => false,
            _ => &line[..method] == b"CONNECT" || is_absolute(of_target),
        };
        if !form || !is_visible(of_target) {
            return Err(Fault::Target);
        }
        Ok(Self {
            method: 0..method,
            target: target..space,
            version,
        })
    }
}

/// Whether a target is of the absolute form, by its beginning.
fn is_absolute(target: &[u8]) -> bool {
    let scheme = target.iter().position(|byte| !byte.is_ascii_alphabetic());
    scheme.is_some_and(|scheme| scheme > 0 && target[scheme..].starts_with(b"://"))
}

/// `HTTP/1.1 200 OK`, where the reason is optional.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatusLine {
    pub(crate) version: Version,
    pub(crate) status: u16,
}

impl StatusLine {
    pub(crate) fn parse(line: &[u8]) -> Result<Self, Fault> {
        let (version, rest) = line.split_at_checked(VERSION).ok_or(Fault::StartLine)?;
        if !version.starts_with(b"HTTP/") {
            return Err(Fault::StartLine);
        }
        let version = Version::parse(version)?;
        let [
            b' ',
            a @ b'1'..=b'9',
            b @ b'0'..=b'9',
            c @ b'0'..=b'9',
            reason @ ..,
        ] = rest
        else {
            return Err(Fault::StartLine);
        };
        if !matches!(reason, [] | [b' ', ..]) {
            return Err(Fault::StartLine);
        }
        if has_control(reason) {
            return Err(Fault::Control);
        }
        let digits = [a, b, c].map(|digit| u16::from(digit - b'0'));
        let status = digits.iter().fold(0, |value, digit| value * 10 + digit);
        Ok(Self { version, status })
    }
}

/// The name and the value of `name: value`; the value with its surrounding whitespace.
pub(crate) fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let name = token(line);
    if name == 0 || line.get(name) != Some(&b':') {
        return Err(Fault::FieldName);
    }
    let value = &line[name + 1..];
    if has_control(value) {
        return Err(Fault::Control);
    }
    Ok((&line[..name], value))
}
