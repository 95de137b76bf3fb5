//! Methods and trailing slashes, as Prometheus' router treats them.

use axum::extract::Request;
use axum::handler::Handler;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use http::header::{ALLOW, LOCATION};
use http::{Method, StatusCode, Uri};

use crate::api::Api;

/// Responds to OPTIONS at each path. Unlike Prometheus no response has CORS headers: a page of another origin must
/// not read from a port without credentials, and Grafana's requests come from its server.
pub(crate) async fn conform(request: Request, next: Next) -> Response {
    match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    }
}

/// A path for GET. HEAD is refused: axum would accept it too.
pub(crate) fn get_only<H: Handler<T, Api>, T: 'static>(handler: H) -> MethodRouter<Api> {
    let refuse = async || refusal("GET, OPTIONS");
    get(handler).head(refuse).fallback(refuse)
}

/// A path for GET, and for POST with a form.
pub(crate) fn get_and_post<H: Handler<T, Api>, T: 'static>(handler: H) -> MethodRouter<Api> {
    let refuse = async || refusal("GET, OPTIONS, POST");
    get(handler.clone())
        .post(handler)
        .head(refuse)
        .fallback(refuse)
}

fn refusal(allowed: &'static str) -> impl IntoResponse {
    (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, allowed)])
}

/// The path without its trailing slash, if it has one. Prometheus redirects too, but to a path without `/api/v1`,
/// which does not exist.
pub(crate) fn without_slash(method: &Method, uri: &Uri) -> Option<Response> {
    let (_, last) = uri.path().strip_suffix('/')?.rsplit_once('/')?;
    if last.is_empty() {
        return None;
    }
    // Relative to the requested path: a proxy may have removed a prefix.
    let query = uri.query().map(|query| format!("?{query}"));
    let location = format!("../{last}{}", query.unwrap_or_default());
    let status = match *method {
        Method::GET => StatusCode::MOVED_PERMANENTLY,
        _ => StatusCode::TEMPORARY_REDIRECT,
    };
    Some((status, [(LOCATION, location)]).into_response())
}
