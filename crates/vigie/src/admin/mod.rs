//! The admin port: `/metrics`, `/queues`, `/routes`, the probes, and access to them.

mod auth;
mod guard;
mod metrics;
mod queues;
mod refusals;
mod routes;
mod scrapers;
mod server;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower::ServiceExt as _;
use tower_http::compression::{CompressionLayer, CompressionLevel};
use vigie_api::Api;
use vigie_bullmq::Watcher;
use vigie_gateway::KnownRoutes;
use vigie_metrics::Registry;
use vigie_probes::Checks;
use vigie_probes::health::{self, Detail};

pub use auth::Credentials;
use guard::Guard;
pub use guard::Hosts;
pub(crate) use server::memory;
pub use server::serve;

/// Access control of the admin port.
#[derive(Clone)]
pub enum Access {
    /// All clients, except browsers that send a request for a page of another site.
    Open(Hosts),
    /// `/metrics`, `/queues`, `/api/v1`, `/federate` and `/routes` need credentials. The probes never do, since the
    /// kubelet has none: without credentials they name the failed checks, with credentials also the reason and the
    /// place.
    Restricted(Credentials),
}

/// The router of the admin port.
pub fn router(
    registry: Registry,
    checks: Checks,
    routes: Option<KnownRoutes>,
    watcher: Option<Watcher>,
    api: Api,
    access: Access,
) -> Router {
    let (hosts, credentials) = match access {
        Access::Open(hosts) => (Some(hosts), None),
        Access::Restricted(credentials) => (None, Some(credentials)),
    };
    let guard = Guard::new(&registry, hosts);
    let probes = Probes {
        full: health::router(checks.clone(), Detail::Full),
        names: health::router(checks, Detail::Names),
        credentials: credentials.clone(),
    };
    Router::new()
        .merge(metrics::router(registry))
        .merge(queues::router(watcher))
        .merge(vigie_api::router(api.clone()))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .merge(routes::router(routes))
        .route_layer(middleware::from_fn_with_state(credentials, require))
        .merge(vigie_api::lifecycle(api))
        .route("/", get(index))
        .fallback(probe)
        .layer(middleware::from_fn_with_state(guard, guard::protect))
        .with_state(probes)
}

const INDEX: &str = "Vigie\n\n/metrics  Prometheus text or OpenMetrics\n/healthz  Vigie itself\n\
                     /readyz   what the backend depends on (?verbose, ?exclude=NAME, /readyz/NAME)\n\
                     /queues   the BullMQ queues, for scalers (?queue=NAME)\n\
                     /api/v1   PromQL, as Prometheus answers it (vigie query; Grafana)\n\
                     /federate the newest samples, for a Prometheus to scrape (?match[]=up)\n\
                     /routes   all routes with their requests, to paste into the configuration\n";

async fn index() -> &'static str {
    INDEX
}

#[derive(Clone)]
struct Probes {
    full: Router,
    names: Router,
    credentials: Option<Credentials>,
}

async fn probe(State(probes): State<Probes>, request: Request) -> Response {
    let allowed = probes
        .credentials
        .is_none_or(|credentials| credentials.allow(request.headers()));
    let router = if allowed { probes.full } else { probes.names };
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn require(
    State(credentials): State<Option<Credentials>>,
    request: Request,
    next: Next,
) -> Response {
    match credentials {
        Some(credentials) if !credentials.allow(request.headers()) => (
            StatusCode::UNAUTHORIZED,
            [("www-authenticate", credentials.challenge())],
            "401 Unauthorized\n",
        )
            .into_response(),
        _ => next.run(request).await,
    }
}
