//! Recognises an Engine.IO request by its query string, on any path.

use std::borrow::Cow;

use super::sessions::Sid;
use crate::hex::hex;

/// The revision of the protocol a request speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Revision {
    /// Engine.IO 3: the client pings.
    V3,
    /// Engine.IO 4: the server pings.
    V4,
}

/// The transport a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Polling,
    Websocket,
}

/// What the query of an Engine.IO request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) revision: Revision,
    pub(super) asked: Asked,
    /// `None` opens a session.
    pub(super) sid: Option<Sid>,
    /// Bodies are wrapped for `<script>`, for browsers of old.
    pub(super) jsonp: bool,
}

impl Query {
    /// Reads a query string; `None` when it is not Engine.IO's. Allocates only when it is, and names a session.
    pub(super) fn parse(query: &str) -> Option<Self> {
        let (mut revision, mut asked, mut sid, mut jsonp) = (None, None, None, false);
        // The server keeps the last of two parameters with the same name, and so do these assignments.
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name {
                "EIO" => revision = Some(value),
                "transport" => asked = Some(value),
                "sid" => sid = Some(value),
                "j" => jsonp = true,
                _ => {}
            }
        }
        Some(Self {
            revision: match revision? {
                "3" => Revision::V3,
                "4" => Revision::V4,
                _ => return None,
            },
            asked: match asked? {
                "polling" => Asked::Polling,
                "websocket" => Asked::Websocket,
                _ => return None,
            },
            sid: match sid {
                None | Some("") => None,
                Some(sid) => Some(Sid::new(&decode(sid))?),
            },
            jsonp,
        })
    }
}

/// Percent-decoding; what is not well-formed stays as it is, like in the server's `URLSearchParams`.
fn decode(value: &str) -> Cow<'_, str> {
    if !value.contains(['%', '+']) {
        return Cow::Borrowed(value);
    }
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        rest = tail;
        match (escaped, first) {
            (Some((high, low)), _) => {
                decoded.push(high << 4 | low);
                rest = &tail[2..];
            }
            (None, b'+') => decoded.push(b' '),
            (None, byte) => decoded.push(byte),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tells_engine_io_from_other_queries() {
        let not = [
            "",
            "EIO=4",
            "transport=polling",
            "EIO=5&transport=polling",
            "EIO=4&transport=webtransport",
            "xEIO=4&transport=polling",
            "EIO=&transport=polling",
            "a=EIO=4&transport=polling",
        ];
        for query in not {
            assert_eq!(Query::parse(query), None, "{query}");
        }
        let query = |revision, asked, sid: Option<&str>, jsonp| Query {
            revision,
            asked,
            sid: sid.map(|sid| Sid::new(sid).unwrap()),
            jsonp,
        };
        let cases = [
            (
                "EIO=4&transport=polling",
                query(Revision::V4, Asked::Polling, None, false),
            ),
            (
                "t=x&transport=polling&EIO=3",
                query(Revision::V3, Asked::Polling, None, false),
            ),
            (
                "EIO=4&transport=polling&sid=",
                query(Revision::V4, Asked::Polling, None, false),
            ),
            (
                "EIO=4&transport=websocket&sid=a-B_9",
                query(Revision::V4, Asked::Websocket, Some("a-B_9"), false),
            ),
            (
                "EIO=3&transport=polling&sid=a%2Fb+c%zz%4&j=0",
                query(Revision::V3, Asked::Polling, Some("a/b c%zz%4"), true),
            ),
            (
                "EIO=3&EIO=4&transport=polling",
                query(Revision::V4, Asked::Polling, None, false),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(Query::parse(text), Some(expected), "{text}");
        }
        let long = format!("EIO=4&transport=polling&sid={}", "x".repeat(1_000));
        assert_eq!(Query::parse(&long), None, "a session id has a bound");
    }

    proptest! {
        #[test]
        fn never_panics(query in ".*", sid in "[%a-f0-9+é]*") {
            let _ = Query::parse(&query);
            let _ = Query::parse(&format!("EIO=4&transport=polling&sid={sid}"));
        }
    }
}
