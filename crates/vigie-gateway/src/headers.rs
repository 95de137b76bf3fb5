//! Headers that belong to one connection and are not passed on (RFC 9110, section 7.6.1).

use http::HeaderMap;
use http::header::{
    CONNECTION, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRANSFER_ENCODING, UPGRADE,
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Headers a `Connection` header cannot have removed: without them a request is another request.
const NEVER_NOMINATED: [&str; 4] = ["host", "content-length", "authorization", "cookie"];

/// The protocol a message asks to upgrade to, if it does.
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

/// What is meant for one connection only.
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

/// Removes what is meant for this connection only, the headers that `Connection` nominates among it.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    // One look over the few names there are costs less than eight searches, most of them in vain.
    let mut found = [false; HOP_BY_HOP.len()];
    for name in headers.keys() {
        if let Some(at) = HOP_BY_HOP.iter().position(|known| known == name) {
            found[at] = true;
        }
    }
    if found[0] {
        remove_nominated(headers);
    }
    for (name, found) in HOP_BY_HOP.iter().zip(found) {
        if found {
            headers.remove(name);
        }
    }
}

fn remove_nominated(headers: &mut HeaderMap) {
    // What nearly every message says nominates nothing.
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
        .filter(|name| !NEVER_NOMINATED.contains(&name.as_str()))
        .collect();
    for name in nominated {
        headers.remove(name);
    }
}

/// How long the app keeps an idle connection, as its `Keep-Alive: timeout=5` says.
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
