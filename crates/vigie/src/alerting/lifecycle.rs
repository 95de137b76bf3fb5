//! `POST /-/reload`, as in Prometheus.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;

use super::Reloader;

/// The route. Without a reloader, reloads by HTTP are not enabled.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(reloader: Option<Reloader>) -> Router<S> {
    Router::new()
        .route("/-/reload", post(reload).put(reload))
        .with_state(reloader)
}

async fn reload(State(reloader): State<Option<Reloader>>) -> Response {
    let Some(reloader) = reloader else {
        let text =
            "403 Forbidden: reloads by HTTP are not enabled (alerts.reload); SIGHUP reloads\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    };
    match reloader.reload().await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(mistakes) => {
            let text = format!("the previous rules stay active\n{mistakes}\n");
            (StatusCode::BAD_REQUEST, text).into_response()
        }
    }
}
