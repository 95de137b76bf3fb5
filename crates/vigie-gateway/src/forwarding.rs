//! The forwarding fields of requests, which identify the client to the app: `X-Forwarded-*` and `Forwarded` (RFC 7239).
//!
//! They are the only fields that the gateway changes, except that it does not offer HTTP/2 to the app.

use std::net::{IpAddr, SocketAddr};

use vigie_traffic::RequestHead;

use crate::output::Output;
use crate::proxy_protocol::{self, Addresses};
use crate::settings::{Forwarding, Settings};

/// The peer of a connection, and how its forwarding fields are changed.
pub(crate) struct Forwarder {
    mode: Forwarding,
    /// Whether forwarding fields of the peer are trusted.
    trusted: bool,
    /// Whether the peer sends a header of the PROXY protocol first.
    expects_header: bool,
    ip: IpAddr,
    /// The addresses that the app gets by the PROXY protocol.
    addresses: Option<Box<Addresses>>,
}

/// The change of a request's forwarding fields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    /// A trusted peer has not written any.
    Insert,
    /// The peer is not trusted.
    Replace,
    /// This hop follows those of a trusted peer.
    Append,
}

const FOR: &str = "X-Forwarded-For";
const HOST: &str = "X-Forwarded-Host";
const PROTO: &str = "X-Forwarded-Proto";
const FORWARDED: &str = "Forwarded";

/// The forwarding fields, and whether they list hops.
const FIELDS: [(&str, bool); 4] = [
    (FOR, true),
    (HOST, false),
    (PROTO, false),
    (FORWARDED, true),
];

impl Forwarder {
    /// For a peer that has connected to the address `local`.
    pub(crate) fn new(settings: &Settings, peer: SocketAddr, local: SocketAddr) -> Self {
        let addresses = Addresses {
            source: peer,
            destination: local,
        };
        let mut forwarder = Self::proxied(settings, &addresses);
        forwarder.expects_header = settings.proxy_protocol && forwarder.trusted;
        forwarder
    }

    /// For a client that a load balancer has named.
    pub(crate) fn proxied(settings: &Settings, addresses: &Addresses) -> Self {
        let ip = addresses.source.ip().to_canonical();
        let mut trusted = settings.trusted_proxies.iter();
        let is_told = matches!(settings.forwarding, Forwarding::Proxy(_));
        Self {
            mode: settings.forwarding,
            trusted: trusted.any(|network| network.contains(&ip)),
            expects_header: false,
            ip,
            addresses: is_told.then(|| Box::new(*addresses)),
        }
    }

    pub(crate) fn expects_header(&self) -> bool {
        self.expects_header
    }

    /// The bytes before the first request on the connection to the app.
    pub(crate) fn header(&self) -> Vec<u8> {
        match (self.mode, &self.addresses) {
            (Forwarding::Proxy(version), Some(addresses)) => {
                proxy_protocol::header(version, addresses)
            }
            _ => Vec::new(),
        }
    }

    /// Writes a head for the app.
    pub(crate) fn write(&self, head: &RequestHead<'_>, out: &mut Output<'_, '_>) {
        let change = self.change(head);
        let offers_http2 = head.asks_switch() && offers_http2(head);
        match change == Change::None && !offers_http2 {
            true => out.push(head.raw()),
            false => self.write_changed(head, change, offers_http2, out.buffer()),
        }
    }

    fn write_changed(
        &self,
        head: &RequestHead<'_>,
        change: Change,
        offers_http2: bool,
        out: &mut Vec<u8>,
    ) {
        let mut present = [false; FIELDS.len()];
        let mut in_fields = false;
        for line in head.raw().split_inclusive(|&byte| byte == b'\n') {
            // Empty lines may precede the request line.
            if !in_fields {
                in_fields = !is_empty(line);
                out.extend_from_slice(line);
                continue;
            }
            if is_empty(line) {
                break;
            }
            let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
            let place = FIELDS.iter().position(|(field, _)| is(name, field));
            match place {
                Some(_) if change == Change::Replace => {}
                Some(place) => {
                    present[place] = true;
                    out.extend_from_slice(line);
                }
                None if offers_http2 && is(name, "http2-settings") => {}
                None if offers_http2 && is(name, "upgrade") => without_http2(line, out),
                None => out.extend_from_slice(line),
            }
        }
        if change != Change::None {
            for (place, (name, is_list)) in FIELDS.into_iter().enumerate() {
                // Lines of one field are one list, in their order (RFC 9110, section 5.3).
                if !present[place] || is_list {
                    self.write_field(name, head, out);
                }
            }
        }
        out.extend_from_slice(b"\r\n");
    }

    fn change(&self, head: &RequestHead<'_>) -> Change {
        match (self.mode, self.trusted) {
            (Forwarding::None | Forwarding::Proxy(_), _) => Change::None,
            (_, false) => Change::Replace,
            (Forwarding::Append, true) => Change::Append,
            (Forwarding::Insert, true) => {
                let named = |(name, _): (&str, _)| {
                    FIELDS
                        .iter()
                        .any(|(field, _)| name.eq_ignore_ascii_case(field))
                };
                match head.fields().any(named) {
                    true => Change::None,
                    false => Change::Insert,
                }
            }
        }
    }

    fn write_field(&self, name: &str, head: &RequestHead<'_>, out: &mut Vec<u8>) {
        let host = head
            .fields()
            .find(|(name, _)| name.eq_ignore_ascii_case("host"));
        // The characters of a host cannot end quotes: the framing refuses others.
        let host = host.and_then(|(_, value)| str::from_utf8(value).ok());
        let ip = self.ip;
        let value = match (name, host) {
            (FOR, _) => ip.to_string(),
            (PROTO, _) => "http".to_owned(),
            (HOST, Some(host)) => host.to_owned(),
            (HOST, None) => return,
            (_, host) => {
                let node = match ip {
                    IpAddr::V4(_) => format!("for={ip}"),
                    IpAddr::V6(_) => format!("for=\"[{ip}]\""),
                };
                let host = host.map_or_else(String::new, |host| format!(";host=\"{host}\""));
                format!("{node}{host};proto=http")
            }
        };
        for part in [name, ": ", &value, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    }
}

fn is(name: &[u8], field: &str) -> bool {
    name.eq_ignore_ascii_case(field.as_bytes())
}

fn is_empty(line: &[u8]) -> bool {
    matches!(line, b"\r\n" | b"\n")
}

/// An HTTP/2 connection would carry requests that the gateway cannot see.
fn is_http2(protocol: &[u8]) -> bool {
    let name = protocol
        .split(|&byte| byte == b'/')
        .next()
        .unwrap_or_default();
    name.trim_ascii().eq_ignore_ascii_case(b"h2c") || name.trim_ascii().eq_ignore_ascii_case(b"h2")
}

fn offers_http2(head: &RequestHead<'_>) -> bool {
    let mut upgrades = head
        .fields()
        .filter(|(name, _)| name.eq_ignore_ascii_case("upgrade"));
    upgrades.any(|(_, value)| value.split(|&byte| byte == b',').any(is_http2))
}

/// Writes a line of `Upgrade` without HTTP/2, unless nothing else is in it.
fn without_http2(line: &[u8], out: &mut Vec<u8>) {
    let colon = line
        .iter()
        .position(|&byte| byte == b':')
        .unwrap_or_default();
    let (name, value) = line.split_at(colon + 1);
    let protocols = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    let others: Vec<&[u8]> = protocols
        .filter(|protocol| !protocol.is_empty() && !is_http2(protocol))
        .collect();
    if !others.is_empty() {
        for part in [name, b" ", &others.join(&b", "[..]), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
}
