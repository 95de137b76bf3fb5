//! The resolved settings: plain values, every default filled in, every secret read.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use http::uri::Authority;
use ipnet::IpNet;
use secrecy::SecretString;
use vigie_probes::AppRequest;
use vigie_redis::TlsFiles;

use super::exposed::Exposed;

/// Everything that Vigie was told. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where Vigie tells what it knows.
    pub admin: Admin,
    /// The measuring proxy in front of the app.
    pub gateway: Option<Gateway>,
    /// Redis, and the BullMQ queues in it.
    pub redis: Option<Redis>,
    /// How the queues are shown.
    pub queues: Queues,
    /// The SQL database.
    pub database: Option<Database>,
    /// The periodic job whose duration is measured.
    pub tick: Option<Tick>,
    /// How the parts of `/readyz` are checked.
    pub checks: Checks,
    /// What is kept of what was known.
    pub history: vigie_history::Settings,
    /// What a query may cost.
    pub query: vigie_api::Settings,
    /// How Vigie stops.
    pub shutdown: Shutdown,
    /// What Vigie writes about itself.
    pub log: Log,
    /// Checks whose settings cannot be used; see [`Settings::load_to_serve`].
    pub unusable: Vec<Unusable>,
    /// Files with credentials that other users can read.
    pub exposed: Vec<Exposed>,
}

/// A check whose settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The name of the check, which is also its section's.
    pub check: &'static str,
    /// What is wrong, without any secret.
    pub reason: String,
}

impl Settings {
    /// The names of the sections that are not configured, hence what is not watched.
    #[must_use]
    pub fn unwatched(&self) -> Vec<&'static str> {
        let watched = [
            ("gateway", self.gateway.is_some()),
            ("redis", self.redis.is_some()),
            ("database", self.database.is_some()),
            ("tick", self.tick.is_some()),
        ];
        let missing = watched.iter().filter(|(name, is_watched)| {
            let is_unusable = self.unusable.iter().any(|unusable| unusable.check == *name);
            !is_watched && !is_unusable
        });
        missing.map(|(name, _)| *name).collect()
    }
}

/// Where `/metrics`, `/healthz` and `/readyz` are served.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Names accepted in `Host` on a loopback listener without credentials, besides loopback names and IP addresses.
    pub hosts: Vec<String>,
    /// Who may read the metrics.
    pub access: Access,
}

/// Who may read the metrics.
#[derive(Clone, Debug)]
pub enum Access {
    /// Everybody who reaches the port.
    Open,
    /// Whoever sends `Authorization: Bearer` with this token.
    Bearer(SecretString),
    /// Whoever sends `Authorization: Basic` with this name and password.
    Basic {
        /// The name; it holds no colon.
        username: String,
        /// The password.
        password: SecretString,
    },
}

/// The measuring proxy in front of the app.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Host and port of the app, the port always given; plain HTTP.
    pub app: Authority,
    /// Threads that carry requests.
    pub threads: usize,
    /// Route patterns, in the order in which they are tried.
    pub routes: Vec<String>,
    /// Most routes that are learned from traffic.
    pub learned_routes: usize,
    /// Whether a 4xx counts as an error.
    pub count_client_errors: bool,
    /// Networks whose `Forwarded` and `X-Forwarded-*` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Time for a client to send its request's head.
    pub header_timeout: Duration,
    /// Most headers of a request.
    pub max_headers: usize,
    /// Most bytes of a request's head.
    pub max_header_bytes: usize,
    /// Time for the app to accept a connection.
    pub connect_timeout: Duration,
    /// Time for the app to send its response's head.
    pub response_timeout: Duration,
    /// Longest silence within a body, in either direction.
    pub body_timeout: Duration,
    /// Longest idle time of a kept connection.
    pub keep_alive: Duration,
    /// Most client connections at once.
    pub max_connections: usize,
    /// Most Engine.IO sessions that are followed at once.
    pub max_sessions: usize,
}

/// Redis, and the BullMQ queues in it.
#[derive(Clone, Debug)]
pub struct Redis {
    /// The address, with its password.
    pub url: SecretString,
    /// Certificates and keys of our own.
    pub tls: TlsFiles,
    /// The databases that are watched, each with its label; empty: the one of the address, without.
    pub databases: Vec<u16>,
    /// Most queues that are watched.
    pub max_queues: usize,
    /// How often the levels of the queues are read.
    pub levels_every: Duration,
    /// How often the event streams are read.
    pub poll_every: Duration,
    /// How often new queues are looked for.
    pub discover_every: Duration,
    /// Time for Redis to answer.
    pub timeout: Duration,
}

/// How the queues are shown.
#[derive(Clone, Debug)]
pub struct Queues {
    /// Whether under the names of BullMQ's own exporter too.
    pub compatible: bool,
    /// By whom, when there are several replicas.
    pub exporter: Exporter,
    /// Where it is kept which replica was elected.
    pub lease_in: LeaseIn,
    /// In Redis: the key.
    pub lease_key: String,
    /// In Kubernetes: the name of the Lease.
    pub lease_name: String,
    /// In Kubernetes: its namespace; `None` is the Pod's own.
    pub lease_namespace: Option<String>,
    /// In Kubernetes: the directory with the `token`, `ca.crt` and `namespace` of the Pod's account.
    pub lease_account: PathBuf,
    /// How long an election lasts when it is not renewed.
    pub lease: Duration,
}

/// Which replica shows the queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exporter {
    /// Every one.
    Every,
    /// The one that holds the lease.
    Elected,
}

/// Where it is kept which replica was elected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseIn {
    /// In a key of the watched Redis.
    Redis,
    /// In a Lease of the Kubernetes that this is a Pod of.
    Kubernetes,
}

/// The SQL database.
#[derive(Clone, Debug)]
pub struct Database {
    /// The address, with its password.
    pub url: SecretString,
    /// What answers there.
    pub engine: Engine,
    /// How often a new login is tried, so that a changed password shows.
    pub relogin_every: Duration,
}

/// The kinds of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// MySQL or MariaDB.
    MySql,
    /// SQLite.
    Sqlite,
}

/// The periodic job whose duration is measured.
#[derive(Clone, Debug)]
pub struct Tick {
    /// Its queue.
    pub queue: String,
    /// Its name; `None` is every job of the queue.
    pub job: Option<String>,
}

/// How the parts of `/readyz` are checked.
#[derive(Clone, Debug)]
pub struct Checks {
    /// Time from one check to the next.
    pub period: Duration,
    /// Time for one check to end.
    pub timeout: Duration,
    /// `SELECT 1`.
    pub database: Check,
    /// `PING`.
    pub redis: Check,
    /// The counts of every queue.
    pub queues: Check,
    /// The app behind the gateway.
    pub app: Check,
    /// The request sent to the app; without one the check only connects.
    pub app_request: Option<AppRequest>,
}

/// What a failed check means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Whether Vigie is not ready when it fails; otherwise it is only degraded.
    pub required: bool,
}

/// How Vigie stops.
#[derive(Clone, Debug)]
pub struct Shutdown {
    /// Time for open requests to finish.
    pub grace: Duration,
    /// Time between being not ready and no longer accepting, for load balancers to notice.
    pub delay: Duration,
}

/// What Vigie writes about itself.
#[derive(Clone, Debug)]
pub struct Log {
    /// The form of a line.
    pub format: LogFormat,
    /// What is written, as `tracing-subscriber`'s `EnvFilter` reads it.
    pub filter: String,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Text,
    /// For machines.
    Json,
}
