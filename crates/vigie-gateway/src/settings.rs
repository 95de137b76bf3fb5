//! The settings of the gateway.

use std::time::Duration;

use ipnet::IpNet;

use crate::proxy_protocol::Version;

/// The gateway's settings. Every limit has a default that suits one Node process.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// `host:port` of the app, of which there may be several: each connection gets one. At least one.
    pub apps: Vec<String>,
    /// Threads that serve. A Node app uses one core, for which one gateway thread is sufficient.
    pub threads: usize,
    /// How requests are named and counted, and the bound of Engine.IO sessions.
    pub traffic: vigie_traffic::Settings,
    /// Peers whose `Forwarded` and `X-Forwarded-*` are trusted and kept.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether the connections of these peers begin with a header of the PROXY protocol.
    pub proxy_protocol: bool,
    /// How these fields are changed.
    pub forwarding: Forwarding,
    /// The timeout for a request's head.
    pub header_timeout: Duration,
    /// The maximum number of headers of a request.
    pub max_headers: usize,
    /// The maximum size of a request's head, in bytes.
    pub max_header_bytes: usize,
    /// The timeout for connecting to the app.
    pub connect_timeout: Duration,
    /// The timeout for the head of the app's response once the app has the request.
    pub response_timeout: Duration,
    /// The maximum time without progress of a body, in either direction.
    pub body_timeout: Duration,
    /// The maximum idle time of a client's connection between requests.
    pub keep_alive: Duration,
    /// The maximum number of client connections; further ones wait to be accepted.
    pub max_connections: usize,
}

impl Settings {
    /// The defaults for an app at `host:port`.
    #[must_use]
    pub fn new(app: impl Into<String>) -> Self {
        Self {
            apps: vec![app.into()],
            threads: 1,
            traffic: vigie_traffic::Settings::default(),
            trusted_proxies: private_networks(),
            proxy_protocol: false,
            forwarding: Forwarding::Insert,
            header_timeout: Duration::from_secs(10),
            max_headers: 1_000,
            max_header_bytes: 64 * 1024,
            connect_timeout: Duration::from_secs(2),
            response_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(300),
            keep_alive: Duration::from_secs(75),
            max_connections: 10_000,
        }
    }
}

/// How the gateway changes the forwarding fields of requests. The fields of untrusted peers are replaced, except with
/// [`None`](Self::None).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Forwarding {
    /// Nothing.
    None,
    /// The client's address, unless a trusted peer has written forwarding fields: the app sees the same client and the same
    /// number of proxies as without Vigie.
    #[default]
    Insert,
    /// Like a proxy: the peer's address is appended to the fields of a trusted peer.
    Append,
    /// No fields: the connection to the app begins with a header of the PROXY protocol.
    Proxy(Version),
}

/// Loopback and the private ranges (RFC 1918, RFC 4193): the addresses of ingresses and load balancers.
#[must_use]
pub fn private_networks() -> Vec<IpNet> {
    [
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
    ]
    .iter()
    .filter_map(|network| network.parse().ok())
    .collect()
}
