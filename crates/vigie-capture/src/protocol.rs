//! The protocol of a connection, from the first bytes of its client.

/// The protocol of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// Nothing was sent yet, or the beginning was not captured.
    Unknown,
    /// HTTP/1, including what it was upgraded to.
    Http1,
    /// A WebSocket whose upgrade was not captured.
    WebSocket,
    /// TLS, which cannot be read.
    Tls,
    /// HTTP/2 without TLS.
    Http2,
    /// Something else.
    Other,
}

impl Protocol {
    /// All protocols.
    pub const ALL: [Self; 6] = [
        Self::Unknown,
        Self::Http1,
        Self::WebSocket,
        Self::Tls,
        Self::Http2,
        Self::Other,
    ];

    /// Its name in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Http1 => "http1",
            Self::WebSocket => "websocket",
            Self::Tls => "tls",
            Self::Http2 => "http2",
            Self::Other => "other",
        }
    }

    /// Judges the first bytes that a client was seen to send, which follow the beginning of the connection if `opened`.
    #[must_use]
    pub(crate) fn of(bytes: &[u8], opened: bool) -> Option<Self> {
        match bytes {
            [0x14..=0x17, 3, 0..=4, ..] => Some(Self::Tls),
            _ if bytes.starts_with(b"PRI * HTTP/2.0\r\n") => Some(Self::Http2),
            // A frame that is masked, as all of a client are, and unfragmented.
            [
                0x81 | 0x82 | 0x88 | 0x89 | 0x8a | 0xc1 | 0xc2,
                0x80..=0xff,
                ..,
            ] if !opened => Some(Self::WebSocket),
            _ => None,
        }
    }
}

/// Whether the bytes begin with a whole request line of HTTP/1.
#[must_use]
pub(crate) fn is_request_line(bytes: &[u8]) -> bool {
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        return false;
    };
    let Some(line) = bytes[..end].strip_suffix(b"\r") else {
        return false;
    };
    let mut words = line.split(|&byte| byte == b' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let is_method = |method: &[u8]| {
        (1..=32).contains(&method.len())
            && method
                .iter()
                .all(|byte| byte.is_ascii_uppercase() || *byte == b'-')
    };
    method.is_some_and(is_method)
        && target.is_some_and(|target| !target.is_empty())
        && matches!(version, Some(b"HTTP/1.1" | b"HTTP/1.0"))
        && words.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_line_is_whole_and_of_http_1() {
        assert!(is_request_line(b"GET / HTTP/1.1\r\nHost: a\r\n"));
        assert!(is_request_line(b"M-SEARCH * HTTP/1.0\r\n"));
        for other in [
            &b"GET / HTTP/1.1"[..],
            b"GET / HTTP/2.0\r\n",
            b"GET  HTTP/1.1\r\n",
            b"get / HTTP/1.1\r\n",
            b"GET / / HTTP/1.1\r\n",
            b"GET / HTTP/1.1\n",
            b"/ HTTP/1.1\r\n",
            b"\r\n",
            b"",
        ] {
            assert!(!is_request_line(other), "{}", other.escape_ascii());
        }
    }

    #[test]
    fn protocols_are_told_apart_by_their_first_bytes() {
        let first = |bytes: &[u8], opened| Protocol::of(bytes, opened);
        assert_eq!(first(&[0x16, 3, 1, 2, 0, 1], true), Some(Protocol::Tls));
        assert_eq!(first(&[0x17, 3, 3, 0, 20], false), Some(Protocol::Tls));
        assert_eq!(
            first(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", true),
            Some(Protocol::Http2)
        );
        assert_eq!(
            first(&[0x81, 0x83, 1, 2, 3, 4], false),
            Some(Protocol::WebSocket)
        );
        assert_eq!(first(&[0x81, 0x83, 1, 2, 3, 4], true), None);
        assert_eq!(first(b"GET / HTTP/1.1\r\n", false), None);
    }
}
