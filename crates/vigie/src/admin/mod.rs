//! The admin port: the web page, `/metrics`, `/queues`, `/routes`, the probes, and access to them.

mod auth;
pub(crate) mod dashboards;
pub(crate) mod functions;
mod graph;
mod guard;
mod metrics;
mod page;
pub(crate) mod public;
mod queue;
mod queues;
mod refusals;
mod routes;
pub(crate) mod runbooks;
mod scrapers;
mod server;
mod session;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use tower::ServiceExt as _;
use tower_http::compression::{CompressionLayer, CompressionLevel};
use vigie_api::Api;
use vigie_bullmq::Watcher;
use vigie_metrics::Registry;
use vigie_probes::Checks;
use vigie_probes::health::{self, Detail};

pub use auth::Credentials;
use guard::Guard;
pub use guard::Hosts;
pub(crate) use queue::encoded;
pub use routes::Routes;
pub(crate) use server::memory;
pub use server::serve;
pub use session::Cookies;
use session::Protection;

/// Access control of the admin port.
pub enum Access {
    /// All clients, except browsers that send a request for a page of another site.
    Open(Hosts),
    /// `/metrics`, `/queues`, `/dashboards`, `/api/v1`, `/federate` and `/routes` need credentials. The probes never do, since the
    /// kubelet has none: without credentials they name the failed checks, with credentials also the reason and the
    /// place.
    ///
    /// A browser that sent them by the web page's form has a session, by a cookie.
    Restricted(Credentials, Cookies),
}

/// The queues, and how they are shown.
#[derive(Default)]
pub struct Queues {
    /// `None`: no queue is watched.
    pub watcher: Option<Watcher>,
    /// The address of another program that shows a queue, with `{queue}` in the place of its name.
    pub link: Option<String>,
}

/// Routes of other modules.
#[derive(Default)]
pub struct Further {
    /// Routes that need the credentials.
    pub protected: Router,
    /// Routes that need none, because they check each request themselves.
    pub open: Router,
}

/// The router of the admin port.
pub fn router(
    registry: Registry,
    checks: Checks,
    routes: Option<Routes>,
    queues: Queues,
    api: Api,
    further: Further,
    access: Access,
) -> Router {
    let (hosts, protection) = match access {
        Access::Open(hosts) => (Some(hosts), None),
        Access::Restricted(credentials, cookies) => {
            let protection = Protection::new(credentials, cookies, &registry);
            (None, Some(protection))
        }
    };
    let guard = Guard::new(&registry, hosts);
    let probes = Probes {
        full: health::router(checks.clone(), Detail::Full),
        names: health::router(checks, Detail::Names),
        protection: protection.clone(),
    };
    Router::new()
        .merge(metrics::router(registry))
        .merge(queues::router(queues.watcher.clone()))
        .merge(queue::router(queues.watcher, queues.link))
        .merge(vigie_api::router(api.clone()))
        .layer(compression())
        .merge(routes::router(routes))
        .merge(further.protected.with_state(()))
        .route_layer(middleware::from_fn_with_state(protection.clone(), require))
        .merge(vigie_api::lifecycle(api))
        .merge(further.open.with_state(()))
        .merge(session::router(protection))
        .merge(page::router())
        .merge(graph::router())
        .merge(runbooks::router())
        .fallback(probe)
        .layer(middleware::from_fn_with_state(guard, guard::protect))
        .with_state(probes)
}

/// Compression that costs little, for answers that programs read.
fn compression() -> CompressionLayer {
    CompressionLayer::new().quality(CompressionLevel::Fastest)
}

#[derive(Clone)]
struct Probes {
    full: Router,
    names: Router,
    protection: Option<Protection>,
}

async fn probe(State(probes): State<Probes>, request: Request) -> Response {
    let allowed = probes
        .protection
        .is_none_or(|protection| protection.allows(request.headers()));
    let router = if allowed { probes.full } else { probes.names };
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn require(
    State(protection): State<Option<Protection>>,
    request: Request,
    next: Next,
) -> Response {
    match protection {
        Some(protection) if !protection.allows(request.headers()) => {
            protection.refuse(request.headers())
        }
        _ => next.run(request).await,
    }
}
