//! The resolved settings: plain values, every default filled in, every secret read.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use vigie_probes::AppRequest;

use super::exposed::Exposed;

/// Everything that Vigie was told. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where Vigie tells what it knows.
    pub admin: Admin,
    /// The measuring proxy in front of the app.
    pub gateway: Option<Gateway>,
    /// Redis, the BullMQ queues in it, and the periodic job whose duration is measured.
    pub redis: Option<vigie_bullmq::Settings>,
    /// Which replica exposes the queues.
    pub queues: Queues,
    /// The SQL database.
    pub database: Option<Database>,
    /// How the parts of `/readyz` are checked.
    pub checks: Checks,
    /// What is kept of what was known.
    pub history: vigie_history::Settings,
    /// What a query may cost.
    pub query: vigie_api::Settings,
    /// What rule files may refer to.
    pub rules: Rules,
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
    /// The file with the address, if that is what cannot be used.
    pub file: Option<PathBuf>,
}

impl Settings {
    /// The names of the sections that are not configured, hence what is not watched.
    #[must_use]
    pub fn unwatched(&self) -> Vec<&'static str> {
        let is_unusable = |check| self.unusable.iter().any(|unusable| unusable.check == check);
        let redis = self.redis.as_ref();
        let configured = [
            ("gateway", self.gateway.is_some()),
            ("redis", redis.is_some() || is_unusable("redis")),
            (
                "database",
                self.database.is_some() || is_unusable("database"),
            ),
            (
                "tick",
                redis.map_or(is_unusable("redis"), |redis| redis.tick.is_some()),
            ),
        ];
        let missing = configured
            .iter()
            .filter(|(_, is_configured)| !is_configured);
        missing.map(|(section, _)| *section).collect()
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
    /// What it forwards to, and its limits.
    pub proxy: vigie_gateway::Settings,
    /// The file in which learned routes survive a restart; `None`: in the directory of the history, if there is one.
    pub routes_file: Option<PathBuf>,
}

/// Which replica exposes the queues.
#[derive(Clone, Debug)]
pub struct Queues {
    /// Every replica, or an elected one.
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

/// What rule files may refer to besides Vigie's own metrics, for `vigie rules check`.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Metrics of other exporters.
    pub metrics: Vec<String>,
    /// Prefixes of the names of such metrics.
    pub prefixes: Vec<String>,
    /// Labels that scraping adds to each series.
    pub target_labels: Vec<String>,
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
