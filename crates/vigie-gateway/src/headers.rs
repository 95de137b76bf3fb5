//! Hop-by-hop headers, which are not forwarded (RFC 9110, section 7.6.1).

use http::HeaderMap;
use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
    TE, TRANSFER_ENCODING, UPGRADE,
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// End-to-end headers that a `Connection` header cannot remove. Senders list their own hop-by-hop extensions there,
/// but a proxy in front of Vigie may forward a client's `Connection`, which must not remove headers set by that proxy.
const END_TO_END: [&str; 17] = [
    "authorization",
    "cache-control",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "location",
    "origin",
    "referer",
    "set-cookie",
    "traceparent",
    "tracestate",
    "true-client-ip",
    "user-agent",
    "vary",
    "via",
];

/// Prefixes of end-to-end headers: the description of the body, and forwarding headers of proxies.
const END_TO_END_PREFIXES: [&str; 13] = [
    "accept",
    "access-control-",
    "cf-",
    "content-",
    "fastly-",
    "if-",
    "sec-",
    "x-client-",
    "x-forwarded",
    "x-original-",
    "x-real-",
    "x-request-",
    "x-ssl-",
];

fn is_end_to_end(name: &HeaderName) -> bool {
    let name = name.as_str();
    let mut prefixes = END_TO_END_PREFIXES.iter();
    END_TO_END.contains(&name) || prefixes.any(|prefix| name.starts_with(prefix))
}

/// The protocol that a message requests to upgrade to, if any.
pub(crate) fn upgrade_of(headers: &HeaderMap) -> Option<HeaderValue> {
    let upgrade = headers.get(UPGRADE)?;
    let asks = headers.get_all(CONNECTION).iter().any(|value| {
        let options = value.as_bytes().split(|&b| b == b',');
        options
            .into_iter()
            .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
    });
    asks.then(|| upgrade.clone())
}

/// Headers that apply to one connection only.
static HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Removes the headers that apply to this connection only, including those that `Connection` nominates.
///
/// `Transfer-Encoding` overrides `Content-Length` (RFC 9112, section 6.3), so the length goes with it.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    // One pass over the few headers costs less than eight lookups, most of which find nothing.
    let mut found = [false; HOP_BY_HOP.len()];
    for name in headers.keys() {
        if let Some(at) = HOP_BY_HOP.iter().position(|known| known == name) {
            found[at] = true;
        }
    }
    if found[0] {
        remove_nominated(headers);
    }
    if headers.contains_key(TRANSFER_ENCODING) {
        headers.remove(CONTENT_LENGTH);
    }
    for (name, found) in HOP_BY_HOP.iter().zip(found) {
        if found {
            headers.remove(name);
        }
    }
}

fn remove_nominated(headers: &mut HeaderMap) {
    // The usual values nominate no header.
    let plain = |value: &HeaderValue| {
        let value = value.as_bytes();
        [&b"keep-alive"[..], b"close", b"upgrade"]
            .iter()
            .any(|known| value.eq_ignore_ascii_case(known))
    };
    if headers.get_all(CONNECTION).iter().all(plain) {
        return;
    }
    let nominated: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|&b| b == b','))
        .filter_map(|option| HeaderName::from_bytes(option.trim_ascii()).ok())
        .filter(|name| *name != TRANSFER_ENCODING && !is_end_to_end(name))
        .collect();
    for name in nominated {
        headers.remove(name);
    }
}

/// The time for which the app keeps an idle connection, from its `Keep-Alive: timeout=5`.
pub(crate) fn keep_alive_timeout(headers: &HeaderMap) -> Option<std::time::Duration> {
    let value = headers.get(KEEP_ALIVE)?.to_str().ok()?;
    let seconds = value
        .split(',')
        .find_map(|part| part.trim().strip_prefix("timeout="))?;
    seconds.parse().ok().map(std::time::Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_this_connections_headers_are_removed() {
        let mut map = headers(&[
            ("host", "game.example"),
            ("connection", "keep-alive, X-Trace , host"),
            ("connection", "close"),
            ("keep-alive", "timeout=5"),
            ("x-trace", "1"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("proxy-authorization", "Basic eDp5"),
            ("upgrade", "h2c"),
            ("accept", "*/*"),
        ]);
        remove_hop_by_hop(&mut map);
        let mut left: Vec<_> = map.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "host"]);
    }

    #[test]
    fn connection_cannot_remove_end_to_end_headers() {
        for name in [
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-host",
            "x-real-ip",
            "forwarded",
            "via",
            "host",
            "authorization",
            "cookie",
            "content-length",
            "content-type",
            "x-request-id",
            "true-client-ip",
        ] {
            let mut map = headers(&[(name, "1")]);
            let options = format!("close, {}", name.to_uppercase());
            map.append(CONNECTION, HeaderValue::try_from(options).unwrap());
            remove_hop_by_hop(&mut map);
            assert!(map.contains_key(name), "{name}");
            assert!(!map.contains_key(CONNECTION));
        }
    }

    #[test]
    fn a_transfer_encoding_takes_the_length_with_it() {
        for connection in ["keep-alive", "close, transfer-encoding", "Content-Length"] {
            let mut map = headers(&[
                ("content-length", "10"),
                ("connection", connection),
                ("transfer-encoding", "chunked"),
            ]);
            remove_hop_by_hop(&mut map);
            assert!(map.is_empty(), "{connection}: {map:?}");
        }
    }

    #[test]
    fn an_upgrade_needs_both_headers() {
        let asks = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
        ];
        assert_eq!(upgrade_of(&headers(&asks)).unwrap(), "websocket");
        assert!(upgrade_of(&headers(&asks[1..])).is_none());
        assert!(upgrade_of(&headers(&asks[..1])).is_none());
    }

    #[test]
    fn the_apps_keep_alive_is_read() {
        let seconds = |value| {
            let timeout = keep_alive_timeout(&headers(&[("keep-alive", value)]));
            timeout.map(|timeout| timeout.as_secs())
        };
        assert_eq!(seconds("timeout=5"), Some(5));
        assert_eq!(seconds("max=100, timeout=72"), Some(72));
        assert_eq!(seconds("timeout=soon"), None);
    }
}
