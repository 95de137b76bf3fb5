//! The routes of the notification service on the admin port, which exist before the service runs.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use tower::ServiceExt as _;
use vigie_notify::service::Handle;

/// The paths that need the credentials of the admin port.
const PROTECTED: [&str; 3] = ["/api/v2", "/alertmanager", "/vigie/v1"];
/// The path of the links that acknowledge.
const OPEN: &str = "/ack/{token}";

/// The routes. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Routes(Arc<OnceLock<Option<Routers>>>);

/// The routers of the running service.
pub(super) struct Routers {
    pub(super) protected: Router,
    pub(super) open: Router,
    pub(super) handle: Handle,
}

impl Routes {
    /// Sets the routers once the service runs; `None` if alerts are forwarded, so that there is no service.
    pub(super) fn set(&self, routers: Option<Routers>) {
        // It is called once, at the start.
        let _ = self.0.set(routers);
    }

    /// The running service; none before it runs, and if alerts are forwarded.
    pub(super) fn service(&self) -> Option<&Handle> {
        Some(&self.0.get()?.as_ref()?.handle)
    }

    /// The routes that need credentials.
    pub(super) fn protected(&self) -> Router {
        let mut router = Router::new();
        for prefix in PROTECTED {
            router = router.route(&format!("{prefix}/{{*path}}"), any(protected));
        }
        router.with_state(self.clone())
    }

    /// The routes that need none.
    pub(super) fn open(&self) -> Router {
        Router::new()
            .route(OPEN, any(open))
            .with_state(self.clone())
    }

    async fn answer(&self, part: fn(&Routers) -> &Router, mut request: Request) -> Response {
        // Otherwise the router adds the parameters of its paths to those of these routes, and finds too many.
        request.extensions_mut().clear();
        match self.0.get() {
            Some(Some(routers)) => match part(routers).clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            Some(None) => {
                let text = "404 Not Found: alerts are forwarded to Alertmanagers (notify.alertmanagers); ask one of them\n";
                (StatusCode::NOT_FOUND, text).into_response()
            }
            None => {
                let text = "503 Service Unavailable: the state of alerts is being loaded\n";
                (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
            }
        }
    }
}

async fn protected(State(routes): State<Routes>, request: Request) -> Response {
    routes.answer(|routers| &routers.protected, request).await
}

async fn open(State(routes): State<Routes>, request: Request) -> Response {
    routes.answer(|routers| &routers.open, request).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::body::{Body, to_bytes};
    use axum::extract::Path;
    use axum::routing::get;
    use vigie_notify::dispatch::{Dispatcher, Limits, Plan};

    use super::*;

    #[tokio::test]
    async fn the_service_reads_the_parameters_of_its_own_paths() {
        let echo = || get(async |Path(value): Path<String>| value);
        let none = vigie_notify::config::short::config(&Default::default()).unwrap();
        let dispatcher = Dispatcher::new(Plan::new(&none), Limits::default());
        let routes = Routes::default();
        routes.set(Some(Routers {
            handle: Handle::new(dispatcher, || 0),
            protected: Router::new()
                .route("/vigie/v1/alerts/{fingerprint}/ack", echo())
                .route("/api/v2/silence/{id}", echo()),
            open: Router::new().route("/ack/{token}", echo()),
        }));
        let router = routes.protected().merge(routes.open());
        for path in ["/vigie/v1/alerts/a/ack", "/api/v2/silence/a", "/ack/a"] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            let body = to_bytes(response.into_body(), 1 << 10).await.unwrap();
            assert_eq!(body, "a", "{path}");
        }
    }
}
