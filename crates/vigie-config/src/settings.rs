//! The resolved settings: plain values, with defaults filled in and secrets read.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use vigie_notify::config::Alertmanager;
use vigie_notify::config::short::Short;
use vigie_probes::AppRequest;
use vigie_store::Pattern;

use super::exposed::Exposed;

/// All settings. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The listener of `/metrics`, the probes and the API.
    pub admin: Admin,
    /// The measuring proxy in front of the app.
    pub gateway: Option<Gateway>,
    /// The passive source beside the app, instead of the gateway.
    pub capture: Option<Capture>,
    /// Redis, the BullMQ queues in it, and the periodic job whose duration is measured.
    pub redis: Option<vigie_bullmq::Settings>,
    /// Which replica exposes the queues.
    pub queues: Queues,
    /// The SQL database.
    pub database: Option<Database>,
    /// How the parts of `/readyz` are checked.
    pub checks: Checks,
    /// The embedded history.
    pub history: vigie_history::Settings,
    /// The limits of queries.
    pub query: vigie_api::Settings,
    /// The rules that are evaluated.
    pub alerts: Alerts,
    /// The web page.
    pub page: Page,
    /// Names that rule files may refer to.
    pub rules: Rules,
    /// The notifications.
    pub notify: Notify,
    /// The dead man's switch.
    pub heartbeat: Option<Heartbeat>,
    /// The most messages that an integration of a receiver gets in a minute. If there are more, they become one summary.
    pub max_messages_per_minute: usize,
    /// The shutdown.
    pub shutdown: Shutdown,
    /// Vigie's own log.
    pub log: Log,
    /// Checks whose settings cannot be used; see [`Settings::load_to_serve`].
    pub unusable: Vec<Unusable>,
    /// Files with credentials that other users can read.
    pub exposed: Vec<Exposed>,
}

/// A check whose settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The name of the check, which is also the name of its section.
    pub check: &'static str,
    /// The reason, without any secret.
    pub reason: String,
    /// The file with the address, if it is the file that cannot be used.
    pub file: Option<PathBuf>,
}

impl Settings {
    /// The names of the sections that are not configured, and therefore not watched.
    #[must_use]
    pub fn unwatched(&self) -> Vec<&'static str> {
        let is_unusable = |check| self.unusable.iter().any(|unusable| unusable.check == check);
        let redis = self.redis.as_ref();
        let configured = [
            ("gateway", self.gateway.is_some() || self.capture.is_some()),
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

/// The listener of `/metrics`, `/healthz`, `/readyz` and the API.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Names accepted in `Host` on a loopback listener without credentials, besides loopback names and IP addresses.
    pub hosts: Vec<String>,
    /// Access to the metrics.
    pub access: Access,
}

/// Access to the metrics.
#[derive(Clone, Debug)]
pub enum Access {
    /// No credentials.
    Open,
    /// `Authorization: Bearer` with this token.
    Bearer(SecretString),
    /// `Authorization: Basic` with this name and password.
    Basic {
        /// The user name; it contains no colon.
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
    /// The upstream and the limits of the proxy.
    pub proxy: vigie_gateway::Settings,
    /// The file in which learned routes survive a restart; `None`: in the directory of the history, if there is one.
    pub routes_file: Option<PathBuf>,
}

/// The passive source.
#[derive(Clone, Debug)]
pub struct Capture {
    /// The ports, and the ring.
    pub source: vigie_capture::Settings,
    /// The routes and sessions.
    pub traffic: vigie_traffic::Settings,
    /// The file in which learned routes survive a restart; `None`: in the directory of the history, if there is one.
    pub routes_file: Option<PathBuf>,
}

/// Which replica exposes the queues.
#[derive(Clone, Debug)]
pub struct Queues {
    /// Every replica, or an elected one.
    pub exporter: Exporter,
    /// Where the lease of the election is kept.
    pub lease_in: LeaseIn,
    /// The key of the lease, in Redis.
    pub lease_key: String,
    /// The name of the Lease, in Kubernetes.
    pub lease_name: String,
    /// The namespace of the Lease, in Kubernetes; `None` is the namespace of the Pod.
    pub lease_namespace: Option<String>,
    /// The directory with the `token`, `ca.crt` and `namespace` of the Pod's service account, in Kubernetes.
    pub lease_account: PathBuf,
    /// The time after which a lease that is not renewed expires.
    pub lease: Duration,
}

/// Which replicas expose the queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exporter {
    /// Every replica.
    Every,
    /// The replica that holds the lease.
    Elected,
}

/// Where the lease of the election is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseIn {
    /// In a key of the watched Redis.
    Redis,
    /// In a Lease of the Kubernetes cluster that Vigie runs in.
    Kubernetes,
}

/// The SQL database.
#[derive(Clone, Debug)]
pub struct Database {
    /// The address, with its password.
    pub url: SecretString,
    /// The kind of database.
    pub engine: Engine,
    /// The period of new logins, which detect a changed password.
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
    /// The period of each check.
    pub period: Duration,
    /// The timeout of one check.
    pub timeout: Duration,
    /// `SELECT 1`.
    pub database: Check,
    /// `PING`.
    pub redis: Check,
    /// The counts of every queue.
    pub queues: Check,
    /// The app behind the gateway.
    pub app: Check,
    /// The request sent to the app; `None`: the check only connects.
    pub app_request: Option<AppRequest>,
}

/// The consequence of a failed check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Whether a failure makes Vigie not ready; otherwise Vigie is only degraded.
    pub required: bool,
}

/// The rules that are evaluated, and the state of their alerts.
#[derive(Clone, Debug)]
pub struct Alerts {
    /// The patterns of the rule files.
    pub rules: Vec<Pattern>,
    /// The built-in rule files.
    pub builtin: Vec<BuiltIn>,
    /// The evaluation interval of groups that set none.
    pub interval: Duration,
    /// How far in the past groups that set no offset query.
    pub query_offset: Duration,
    /// Labels added to each alert that lacks them.
    pub external_labels: Vec<(String, String)>,
    /// The directory of the state; `None`: below the directory of the history, if there is one.
    pub path: Option<PathBuf>,
    /// Whether `POST /-/reload` reads the rules again.
    pub reload: bool,
    /// The maximum number of pending and firing alerts.
    pub max_alerts: usize,
    /// The memory that one evaluation of a group may take, in bytes.
    pub max_memory: usize,
}

impl Default for Alerts {
    /// The essential rules every 15 s, like the scrapes of the history.
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            builtin: vec![BuiltIn::Essential],
            interval: Duration::from_secs(15),
            query_offset: Duration::ZERO,
            external_labels: Vec::new(),
            path: None,
            reload: false,
            max_alerts: 10_000,
            max_memory: 16 << 20,
        }
    }
}

/// The built-in rule files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltIn {
    /// `essential.yml`.
    Essential,
    /// `extended.yml`.
    Extended,
}

/// The web page.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The address at which users reach the page, without a trailing slash; `None`: the address of the admin port.
    pub external_url: Option<String>,
    /// Whether clients without credentials see the states of the checks and of the alerts, without names.
    pub public: bool,
    /// The directory of Grafana dashboards that are shown beside the built-in ones.
    pub dashboards: Option<PathBuf>,
    /// The address of Grafana, without a trailing slash.
    pub grafana: Option<String>,
    /// The address of another program that shows a queue, with `{queue}` in the place of its name.
    pub queue_link: Option<String>,
}

/// Names that rule files may refer to besides Vigie's own metrics, for `vigie rules check`.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Metrics of other exporters.
    pub metrics: Vec<String>,
    /// Prefixes of the names of such metrics.
    pub prefixes: Vec<String>,
    /// Labels that scraping adds to each series.
    pub target_labels: Vec<String>,
}

/// The destination of alerts.
#[derive(Clone, Debug)]
pub enum Notify {
    /// The receivers of the short settings. Without any, no message is sent.
    Receivers(Short),
    /// The receivers of a configuration file of Alertmanager.
    File(PathBuf),
    /// These Alertmanagers.
    Alertmanagers(Vec<Alertmanager>),
}

/// A service that notifies people when Vigie stops calling it.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// The URL, which usually contains a credential.
    pub url: SecretString,
    /// The interval of the calls.
    pub every: Duration,
}

/// The shutdown.
#[derive(Clone, Debug)]
pub struct Shutdown {
    /// The time for open requests to finish.
    pub grace: Duration,
    /// The time between becoming not ready and closing the listeners, for load balancers to react.
    pub delay: Duration,
}

/// Vigie's own log.
#[derive(Clone, Debug)]
pub struct Log {
    /// The format of a line.
    pub format: LogFormat,
    /// The filter, in the syntax of `tracing-subscriber`'s `EnvFilter`.
    pub filter: String,
}

/// The format of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// Human-readable text.
    Text,
    /// JSON.
    Json,
}
