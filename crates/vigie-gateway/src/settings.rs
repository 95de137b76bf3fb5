//! What the gateway can be told.

use std::time::Duration;

use ipnet::IpNet;

/// The gateway's settings. Every limit has a default that suits one Node process.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// `host:port` of the app.
    pub app: String,
    /// Threads that serve; a Node app uses one core, so one is enough to stand in front of it.
    pub threads: usize,
    /// Route patterns, matched before anything is learned: `[METHOD] /users/:id`, `{id}`, a tail `*`.
    pub routes: Vec<String>,
    /// How many route templates may be learned.
    pub learned_routes: usize,
    /// Whether codes of 400 to 499 count as errors too.
    pub count_client_errors: bool,
    /// Peers whose `Forwarded` and `X-Forwarded-*` are believed and kept.
    pub trusted_proxies: Vec<IpNet>,
    /// How long a client may take to send a request's head.
    pub header_timeout: Duration,
    /// How many headers a request may have.
    pub max_headers: usize,
    /// How large a request's head may be, in bytes.
    pub max_header_bytes: usize,
    /// How long connecting to the app may take.
    pub connect_timeout: Duration,
    /// How long the app may take to begin its response once it has the request.
    pub response_timeout: Duration,
    /// How long a body may stand still, in either direction.
    pub body_timeout: Duration,
    /// How long a client's connection may stay idle between requests.
    pub keep_alive: Duration,
    /// How many client connections may be open; further ones wait to be accepted.
    pub max_connections: usize,
    /// How many Engine.IO sessions are tracked.
    pub max_sessions: usize,
}

impl Settings {
    /// The defaults, in front of the app at `host:port`.
    #[must_use]
    pub fn new(app: impl Into<String>) -> Self {
        Self {
            app: app.into(),
            threads: 1,
            routes: Vec::new(),
            learned_routes: 200,
            count_client_errors: false,
            trusted_proxies: private_networks(),
            header_timeout: Duration::from_secs(10),
            max_headers: 100,
            max_header_bytes: 64 * 1024,
            connect_timeout: Duration::from_secs(2),
            response_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(300),
            keep_alive: Duration::from_secs(75),
            max_connections: 2_500,
            max_sessions: 10_000,
        }
    }
}

/// Loopback and the private ranges (RFC 1918, RFC 4193): where an ingress or a load balancer stands.
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
