//! Methods, CORS and trailing slashes, as Prometheus' router treats them.

use axum::extract::Request;
use axum::handler::Handler;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS,
};
use http::header::{ALLOW, LOCATION, ORIGIN, VARY};
use http::{HeaderValue, Method, StatusCode, Uri};

use crate::api::Api;

/// Answers OPTIONS at every path and lets pages of any origin read the answers.
pub(crate) async fn conform(request: Request, next: Next) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    let mut response = match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        for (name, value) in [
            (
                ACCESS_CONTROL_ALLOW_HEADERS,
                "Accept, Authorization, Content-Type, Origin",
            ),
            (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
            (ACCESS_CONTROL_EXPOSE_HEADERS, "Date"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}

/// A path that answers GET. HEAD is refused: axum would answer it too.
pub(crate) fn get_only<H: Handler<T, Api>, T: 'static>(handler: H) -> MethodRouter<Api> {
    let refuse = async || refusal("GET, OPTIONS");
    get(handler).head(refuse).fallback(refuse)
}

/// A path that answers GET, and POST with a form.
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

/// Where the path leads without its trailing slash, if it has one. Prometheus redirects too, but to a path without
/// `/api/v1`, where there is nothing.
pub(crate) fn without_slash(method: &Method, uri: &Uri) -> Option<Response> {
    let (_, last) = uri.path().strip_suffix('/')?.rsplit_once('/')?;
    if last.is_empty() {
        return None;
    }
    // Relative to the path that was asked for: a proxy may have removed a prefix.
    let query = uri.query().map(|query| format!("?{query}"));
    let location = format!("../{last}{}", query.unwrap_or_default());
    let status = match *method {
        Method::GET => StatusCode::MOVED_PERMANENTLY,
        _ => StatusCode::TEMPORARY_REDIRECT,
    };
    Some((status, [(LOCATION, location)]).into_response())
}
