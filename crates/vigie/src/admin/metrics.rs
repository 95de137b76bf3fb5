//! `/metrics`: what the registry knows now. It asks nobody, so it answers whatever is down.

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use vigie_metrics::{Format, Registry};

pub(super) fn router<S: Clone + Send + Sync + 'static>(registry: Registry) -> Router<S> {
    let expose = move |headers: HeaderMap| {
        let registry = registry.clone();
        async move { expose(State(registry), headers) }
    };
    Router::new().route("/metrics", get(expose))
}

fn expose(State(registry): State<Registry>, headers: HeaderMap) -> impl IntoResponse {
    let accept = headers.get_all(ACCEPT).iter();
    let accept: Vec<_> = accept.filter_map(|value| value.to_str().ok()).collect();
    let format = Format::from_accept(&accept.join(","));
    (
        [
            (CONTENT_TYPE, format.content_type()),
            (CACHE_CONTROL, "no-store"),
        ],
        registry.expose(format),
    )
}
