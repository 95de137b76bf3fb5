//! Forwarding headers, which identify the client to the app: `X-Forwarded-*` and `Forwarded` (RFC 7239).

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::header::{Entry, FORWARDED, HOST, HeaderName, HeaderValue, VIA};
use ipnet::IpNet;
use parking_lot::Mutex;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

const HTTP: HeaderValue = HeaderValue::from_static("http");
const VIA_VIGIE: HeaderValue = HeaderValue::from_static("1.1 vigie");

/// The header values of one client connection. They are made once and shared by its requests.
pub(crate) struct Client {
    /// Whether forwarding headers from the peer are trusted.
    trusted: bool,
    address: HeaderValue,
    /// `for=…` in the syntax of RFC 7239: an IPv6 address is in brackets and quotes.
    node: String,
    /// The last `Host` and the `Forwarded` value made for it, which the next request can nearly always reuse.
    last: Mutex<Option<(HeaderValue, HeaderValue)>>,
}

impl Client {
    pub(crate) fn new(peer: SocketAddr, trusted_proxies: &[IpNet]) -> Self {
        let ip = peer.ip().to_canonical();
        let text = ip.to_string();
        let node = match ip {
            IpAddr::V4(_) => format!("for={text}"),
            IpAddr::V6(_) => format!("for=\"[{text}]\""),
        };
        Self {
            trusted: trusted_proxies.iter().any(|network| network.contains(&ip)),
            // An address consists of digits, dots, colons and hex digits, so it is always a valid header value.
            address: HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("unknown")),
            node,
            last: Mutex::new(None),
        }
    }

    /// Appends this hop to the headers of a trusted peer, or replaces those of another one.
    pub(crate) fn set_headers(&self, headers: &mut HeaderMap) {
        let host = headers.get(HOST).cloned();
        let forwarded = self.forwarded(host.as_ref());
        // At most five are added: one reservation is cheaper than growing twice.
        headers.reserve(5);
        if self.trusted {
            append(headers, X_FORWARDED_FOR, &self.address);
            append(headers, FORWARDED, &forwarded);
            headers.entry(X_FORWARDED_PROTO).or_insert(HTTP);
            if let Some(host) = host {
                headers.entry(X_FORWARDED_HOST).or_insert(host);
            }
        } else {
            headers.insert(X_FORWARDED_FOR, self.address.clone());
            headers.insert(FORWARDED, forwarded);
            headers.insert(X_FORWARDED_PROTO, HTTP);
            match host {
                Some(host) => headers.insert(X_FORWARDED_HOST, host),
                None => headers.remove(X_FORWARDED_HOST),
            };
        }
        append(headers, VIA, &VIA_VIGIE);
    }

    fn forwarded(&self, host: Option<&HeaderValue>) -> HeaderValue {
        let Some(host) = host else {
            return HeaderValue::try_from(format!("{};proto=http", self.node))
                .unwrap_or(HeaderValue::from_static("for=unknown"));
        };
        let mut last = self.last.lock();
        if let Some((known, forwarded)) = &*last
            && known == host
        {
            return forwarded.clone();
        }
        // The host is quoted, because the colon of its port is not a token character; characters that could end the
        // quotes are removed.
        let text = host.to_str().unwrap_or_default();
        let text: String = text.chars().filter(|c| !matches!(c, '"' | '\\')).collect();
        let value = format!("{};host=\"{text}\";proto=http", self.node);
        let value = HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("for=unknown"));
        *last = Some((host.clone(), value.clone()));
        value
    }
}

/// Appends to a list header, on the line of the existing values.
fn append(headers: &mut HeaderMap, name: HeaderName, value: &HeaderValue) {
    let mut entry = match headers.entry(name) {
        Entry::Vacant(entry) => {
            entry.insert(value.clone());
            return;
        }
        Entry::Occupied(entry) => entry,
    };
    let all = entry.iter().chain([value]).map(HeaderValue::as_bytes);
    let joined = all.collect::<Vec<_>>().join(&b", "[..]);
    if let Ok(joined) = HeaderValue::from_bytes(&joined) {
        entry.insert(joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::private_networks;

    fn forwarded(peer: &str, before: &[(&'static str, &'static str)]) -> Vec<(String, String)> {
        let client = Client::new(peer.parse().unwrap(), &private_networks());
        let mut headers = HeaderMap::new();
        for (name, value) in before {
            headers.append(*name, HeaderValue::from_static(value));
        }
        client.set_headers(&mut headers);
        let text = |v: &HeaderValue| v.to_str().unwrap().to_owned();
        let mut found: Vec<_> = headers
            .iter()
            .map(|(k, v)| (k.to_string(), text(v)))
            .collect();
        found.sort();
        found
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn a_trusted_peer_is_added_to() {
        let before = [
            ("host", "game.example:8080"),
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-for", "198.51.100.2"),
            ("x-forwarded-proto", "https"),
        ];
        let expected = pairs(&[
            (
                "forwarded",
                "for=10.0.0.9;host=\"game.example:8080\";proto=http",
            ),
            ("host", "game.example:8080"),
            ("via", "1.1 vigie"),
            ("x-forwarded-for", "203.0.113.7, 198.51.100.2, 10.0.0.9"),
            ("x-forwarded-host", "game.example:8080"),
            ("x-forwarded-proto", "https"),
        ]);
        assert_eq!(forwarded("10.0.0.9:51000", &before), expected);
    }

    #[test]
    fn untrusted_peers_are_overridden() {
        let before = [
            ("host", "a"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-host", "bank.example"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "for=127.0.0.1"),
        ];
        let expected = pairs(&[
            ("forwarded", "for=\"[2001:db8::1]\";host=\"a\";proto=http"),
            ("host", "a"),
            ("via", "1.1 vigie"),
            ("x-forwarded-for", "2001:db8::1"),
            ("x-forwarded-host", "a"),
            ("x-forwarded-proto", "http"),
        ]);
        assert_eq!(forwarded("[2001:db8::1]:51000", &before), expected);
    }
}
