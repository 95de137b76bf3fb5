//! The admin port: `/metrics`, `/queues`, the probes, and who may read what.

mod auth;
mod metrics;
mod queues;
mod scrapers;
mod server;
mod target;

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
use vigie_gateway::LearnedRoutes;
use vigie_metrics::Registry;
use vigie_probes::Checks;
use vigie_probes::health::{self, Detail};

pub use auth::Credentials;
pub(crate) use server::MAX_CONNECTIONS;
pub use server::serve;

/// Everything the admin port answers.
///
/// With credentials, `/metrics`, `/queues`, `/api/v1` and `/routes` need them. The probes never do, for the kubelet has
/// none: without them they name what failed, with them they also say why and where.
pub fn router(
    registry: Registry,
    checks: Checks,
    routes: Option<LearnedRoutes>,
    watcher: Option<Watcher>,
    api: Api,
    credentials: Option<Credentials>,
) -> Router {
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
        .route("/routes", get(move || learned(routes)))
        .route_layer(middleware::from_fn_with_state(credentials, require))
        .merge(vigie_api::lifecycle(api))
        .route("/", get(index))
        .fallback(probe)
        .with_state(probes)
}

const INDEX: &str = "Vigie\n\n/metrics  Prometheus text or OpenMetrics\n/healthz  Vigie itself\n\
                     /readyz   what the backend depends on (?verbose, ?exclude=NAME, /readyz/NAME)\n\
                     /queues   the BullMQ queues, for scalers (?queue=NAME)\n\
                     /api/v1   PromQL, as Prometheus answers it (vigie query; Grafana)\n\
                     /routes   the learned routes, to paste into the configuration\n";

/// The learned routes as a setting, ready to be pasted into the configuration.
async fn learned(routes: Option<LearnedRoutes>) -> String {
    let patterns = routes.map(|routes| routes.patterns()).unwrap_or_default();
    let lines = patterns.iter().map(|pattern| format!("  {pattern:?},\n"));
    format!("[gateway]\nroutes = [\n{}]\n", lines.collect::<String>())
}

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
