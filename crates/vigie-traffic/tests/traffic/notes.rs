//! Events as text.

use std::fmt::Write as _;

use vigie_traffic::{Body, Event, Fields, Side, Step, Version};

/// A line of the log, or data that may continue.
pub(crate) enum Noted {
    Data(String, Vec<u8>),
    Line(String),
}

/// Describes the event of a step, if it has one.
pub(crate) fn event(side: Side, step: &Step<'_>) -> Option<Noted> {
    let number = step.exchange.number;
    let of = match side {
        Side::Client => "client",
        Side::App => "app",
    };
    Some(match step.event.as_ref()? {
        Event::Request(head) => Noted::Line(format!(
            "request {number} {} {} {} {}{}{}{}{}",
            head.method(),
            head.target(),
            version(head.version()),
            body(head.body()),
            if head.persists() { "" } else { " last" },
            if head.asks_switch() { " switch" } else { "" },
            if head.expects_continue() {
                " continue"
            } else {
                ""
            },
            fields(head.fields()),
        )),
        Event::Response(head) => Noted::Line(format!(
            "response {number} {} {} {}{}{}{}",
            head.status(),
            version(head.version()),
            body(head.body()),
            if head.persists() { "" } else { " last" },
            if head.is_interim() { " interim" } else { "" },
            fields(head.fields()),
        )),
        Event::Body(data) => Noted::Data(format!("body {number} {of}"), data.to_vec()),
        Event::Tunnel(data) => Noted::Data(format!("tunnel {number} {of}"), data.to_vec()),
        Event::Gap(missing) => Noted::Line(format!("gap {number} {of} {missing}")),
        // Implied by the trailers.
        Event::LastChunk => return None,
        Event::Trailers(trailers) => Noted::Line(format!(
            "trailers {number} {of}{}",
            fields(trailers.clone())
        )),
        Event::End => Noted::Line(format!("end {number}")),
        Event::Completed => Noted::Line(format!("completed {number}")),
        Event::Switched => Noted::Line(format!("switched {number}")),
        Event::Refused(fault) => Noted::Line(format!("refused {of} {fault:?}")),
        Event::Lost => Noted::Line(format!("lost {of}")),
    })
}

fn version(version: Version) -> &'static str {
    match version {
        Version::Http10 => "1.0",
        Version::Http11 => "1.1",
    }
}

fn body(body: Body) -> String {
    match body {
        Body::None => "none".to_owned(),
        Body::Length(length) => format!("length:{length}"),
        Body::Chunked => "chunked".to_owned(),
        Body::UntilClose => "until-close".to_owned(),
    }
}

fn fields(fields: Fields<'_>) -> String {
    fields.fold(String::new(), |mut text, (name, value)| {
        let _ = write!(text, " [{name}={}]", escape(value));
        text
    })
}

/// Printable ASCII as it is; CR, LF and other bytes escaped.
pub(crate) fn escape(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// The reverse of [`escape`].
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'x') => {
                let digits = [rest.next(), rest.next()].map(|digit| {
                    let digit = digit.and_then(|digit| char::from(digit).to_digit(16));
                    digit.expect("two hexadecimal digits after \\x")
                });
                u8::try_from(digits[0] * 16 + digits[1]).expect("a byte")
            }
            Some(other) => other,
            None => panic!("a backslash ends the text"),
        });
    }
    bytes
}
