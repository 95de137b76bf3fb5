//! The shared state and the routes.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use http::{Method, StatusCode, Uri};
use vigie_promql::{Features, Limits};

use crate::error::{ApiError, Kind, LOADING};
use crate::gate::Gate;
use crate::helpers::Helpers;
use crate::methods::{get_and_post, get_only};
use crate::source::Source;
use crate::{empty, federate, format, labels, metadata, methods, query, rules, status, tsdb};

/// The maximum number of concurrent small queries.
const SMALL_CONCURRENCY: usize = 2;
/// How many requests for names and series run at once.
const LOOKUP_CONCURRENCY: usize = 2;

/// The limits of queries, and the lookback.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The timeout of a query, including its time in the queue. A client may ask for less.
    pub timeout: Duration,
    /// The maximum number of concurrent queries; further ones wait.
    pub concurrency: usize,
    /// How many bytes a query may have; the parser itself reads no more than
    /// [`MAX_QUERY_BYTES`](vigie_promql::syntax::MAX_QUERY_BYTES).
    pub query_bytes: usize,
    /// The lookback: how long the newest sample of a series is valid.
    pub lookback: Duration,
    /// Samples, memory, points and series.
    pub limits: Limits,
    /// The part of the language that queries may use.
    pub features: Features,
}

/// The largest form without a query, in bytes.
const BESIDES_QUERY: usize = 64 << 10;

/// The memory of a query beyond its budget is at most this fraction (1/4) of it: vectors double as they grow, and the
/// overhead of the allocator is not charged.
const BEYOND: usize = 4;

impl Settings {
    /// The largest form that a client may send, in bytes: every byte of the query may be escaped.
    #[must_use]
    pub fn form_bytes(&self) -> usize {
        self.query_bytes
            .saturating_mul(3)
            .saturating_add(BESIDES_QUERY)
    }

    /// The most memory that all queries and other requests take together, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        let budget = self.limits.bytes;
        let large = self
            .concurrency
            .saturating_mul(budget.saturating_add(budget / BEYOND));
        // The queries on the threads for small ones, and one on the serving thread.
        let small = (SMALL_CONCURRENCY + 1) * query::SMALL_MEMORY;
        large
            .saturating_add(small)
            .saturating_add(LOOKUP_CONCURRENCY * labels::MEMORY)
    }
}

impl Default for Settings {
    /// Prometheus' own: 2 minutes, a lookback of 5 minutes, 11,000 points for each series. Tighter than its own, because it
    /// shares a small machine with what it watches: 2 queries at once, 16 MiB and 20 million samples each. And 100,000 series,
    /// and 320 KiB for the text of a query: dashboards write names by the
    /// thousand into one.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(120),
            concurrency: 2,
            query_bytes: 320 << 10,
            lookback: Duration::from_secs(300),
            limits: Limits {
                samples: 20_000_000,
                bytes: 16 << 20,
                ..Limits::default()
            },
            features: Features::Stable,
        }
    }
}

/// The content of `/api/v1/status/buildinfo`. Clients enable features by the version.
#[derive(Clone, Debug)]
pub struct BuildInfo {
    /// The compatible version of Prometheus.
    pub version: String,
    /// The revision, which names Vigie.
    pub revision: String,
}

impl Default for BuildInfo {
    fn default() -> Self {
        Self {
            version: "3.14.0".to_owned(),
            revision: concat!("vigie-", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// The API over one source of samples. Clones share it.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    source: Arc<dyn Source>,
    settings: Settings,
    build: BuildInfo,
    gate: Gate,
    small_gate: Gate,
    lookup_gate: Gate,
    helpers: Arc<Helpers>,
    /// The time, in milliseconds since the epoch.
    now: Box<dyn Fn() -> i64 + Send + Sync>,
    /// The start of the API, in milliseconds since the epoch.
    started: i64,
}

impl Api {
    /// The API over `source`, by the system's clock.
    #[must_use]
    pub fn new(source: Arc<dyn Source>, settings: Settings, build: BuildInfo) -> Self {
        Self::with_clock(source, settings, build, system_time)
    }

    /// The API over `source`; `now` tells the time in milliseconds since the epoch.
    #[must_use]
    pub fn with_clock(
        source: Arc<dyn Source>,
        settings: Settings,
        build: BuildInfo,
        now: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            gate: Gate::new(settings.concurrency),
            small_gate: Gate::new(SMALL_CONCURRENCY),
            lookup_gate: Gate::new(LOOKUP_CONCURRENCY),
            helpers: Arc::new(Helpers::new()),
            source,
            settings,
            build,
            started: now(),
            now: Box::new(now),
        }))
    }

    pub(crate) fn source(&self) -> &Arc<dyn Source> {
        &self.0.source
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn build(&self) -> &BuildInfo {
        &self.0.build
    }

    /// Admits queries of any size.
    pub(crate) fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// Admits small queries, so that they do not wait for large ones.
    pub(crate) fn small_gate(&self) -> &Gate {
        &self.0.small_gate
    }

    /// Admits requests for names and series, and those that only parse a query.
    pub(crate) fn lookup_gate(&self) -> &Gate {
        &self.0.lookup_gate
    }

    /// The threads that help queries of any size.
    pub(crate) fn helpers(&self) -> &Arc<Helpers> {
        &self.0.helpers
    }

    pub(crate) fn started(&self) -> i64 {
        self.0.started
    }

    /// The default time of a query, in milliseconds since the epoch.
    pub(crate) fn now(&self) -> i64 {
        (self.0.now)()
    }
}

fn system_time() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// Everything below `/api/v1/`, and `/federate`.
pub fn router<S: Clone + Send + Sync + 'static>(api: Api) -> Router<S> {
    let endpoints = Router::new()
        .route("/query", get_and_post(query::instant))
        .route("/query_range", get_and_post(query::range))
        .route("/query_exemplars", get_and_post(empty::exemplars))
        .route("/format_query", get_and_post(format::format))
        .route("/series", get_and_post(labels::series))
        .route("/labels", get_and_post(labels::names))
        .route("/label/{name}/values", get_only(labels::values))
        .route("/metadata", get_only(metadata::metadata))
        .route("/status/buildinfo", get_only(status::build_info))
        .route("/status/runtimeinfo", get_only(status::runtime_info))
        .route("/status/flags", get_only(status::flags))
        .route("/status/config", get_only(status::config))
        .route("/status/tsdb", get_only(tsdb::tsdb))
        .route("/rules", get_only(rules::rules))
        .route("/alerts", get_only(rules::alerts))
        .route("/alertmanagers", get_only(empty::alertmanagers))
        .route("/targets", get_only(empty::targets))
        .route("/", any(unknown))
        .route("/{*path}", any(unknown));
    Router::new()
        .nest("/api/v1", endpoints)
        .route("/federate", get_only(federate::federate))
        .layer(middleware::from_fn_with_state(api.clone(), once_ready))
        .layer(middleware::from_fn(methods::conform))
        .with_state(api)
}

async fn once_ready(State(api): State<Api>, request: Request, next: Next) -> Response {
    match api.source().is_ready() {
        true => next.run(request).await,
        false => ApiError::loading().into_response(),
    }
}

/// `/-/healthy` and `/-/ready`, as in Prometheus.
pub fn lifecycle<S: Clone + Send + Sync + 'static>(api: Api) -> Router<S> {
    let ready = async move || match api.source().is_ready() {
        true => (StatusCode::OK, "Vigie is Ready.\n".to_owned()),
        false => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("Vigie is not ready: {LOADING}.\n"),
        ),
    };
    Router::new()
        .route("/-/healthy", get(async || "Vigie is Healthy.\n"))
        .route("/-/ready", get(ready))
}

async fn unknown(method: Method, uri: Uri) -> Response {
    methods::without_slash(&method, &uri).unwrap_or_else(|| {
        let message = format!("there is no endpoint /api/v1{}", uri.path());
        ApiError::new(Kind::NotFound, message).into_response()
    })
}
