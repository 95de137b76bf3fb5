//! Answers and refusals, as Alertmanager shapes them.

use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

/// A value as JSON. The line feed at its end is Alertmanager's.
pub(super) fn json(value: &impl Serialize) -> Result<Response, Refusal> {
    let mut body = serde_json::to_vec(value).map_err(|_| Refusal::failed())?;
    body.push(b'\n');
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

/// A request that is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    body: Body,
}

/// Alertmanager has three shapes of errors.
#[derive(Debug, PartialEq, Eq)]
enum Body {
    None,
    Text(String),
    Coded(u16, String),
}

impl Refusal {
    /// A refusal as Alertmanager's handlers answer it.
    pub(super) fn text(status: StatusCode, text: impl Into<String>) -> Self {
        let body = Body::Text(text.into());
        Self { status, body }
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::text(StatusCode::BAD_REQUEST, text)
    }

    pub(super) fn not_found() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            body: Body::None,
        }
    }

    /// A request of which a part has the wrong shape, with the code of the rule that it breaks.
    pub(super) fn invalid(code: u16, text: impl Into<String>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            body: Body::Coded(code, text.into()),
        }
    }

    /// A refusal that is decided before the request is read.
    pub(super) fn early(status: StatusCode, text: impl Into<String>) -> Self {
        Self {
            status,
            body: Body::Coded(status.as_u16(), text.into()),
        }
    }

    pub(super) fn unknown_path(path: &str) -> Self {
        Self::early(StatusCode::NOT_FOUND, format!("path {path} was not found"))
    }

    pub(super) fn method(method: &Method) -> Self {
        let text = format!("method {method} is not allowed");
        Self::early(StatusCode::METHOD_NOT_ALLOWED, text)
    }

    pub(super) fn read_only() -> Self {
        let text = "changes need credentials: set admin.token or admin.username and admin.password of Vigie, and present them";
        Self::early(StatusCode::FORBIDDEN, text)
    }

    pub(super) fn failed() -> Self {
        let text = "the request failed; the reason is in Vigie's log";
        Self::text(StatusCode::INTERNAL_SERVER_ERROR, text)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = match self.body {
            Body::None => return self.status.into_response(),
            Body::Text(text) => json!(text),
            Body::Coded(code, message) => json!({"code": code, "message": message}),
        };
        let kind = (CONTENT_TYPE, "application/json");
        (self.status, [kind], format!("{body}\n")).into_response()
    }
}
