//! `/ack/TOKEN`: the page of the link in a message.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, REFERRER_POLICY,
    X_FRAME_OPTIONS,
};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use url::form_urlencoded;

use super::body;
use crate::ack::{self, Acknowledgeable, Key, Token, TokenError};
use crate::dispatch::{Acknowledgement, Dispatcher};
use crate::service::Handle;
use crate::{Alert, Time};

/// The largest form, in bytes.
const MAX_FORM: usize = 4 << 10;
/// The longest name, in characters.
const MAX_NAME: usize = 100;
/// Named as the author when the form gives no name.
const NO_NAME: &str = "the link in a message";

#[derive(Clone)]
struct Page {
    handle: Handle,
    key: Key,
}

/// The router of the page. Its paths need no credentials: the token in the path is one. They are also opened from pages of
/// other sites, such as a chat.
pub fn router(handle: Handle, key: Key) -> Router {
    Router::new()
        .route("/ack/{token}", get(show).post(submit))
        .layer(middleware::map_response(headers))
        .with_state(Page { handle, key })
}

async fn headers(mut response: Response) -> Response {
    let policy = ack::CONTENT_SECURITY_POLICY.as_str();
    let robots = HeaderName::from_static("x-robots-tag");
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, policy),
        (X_FRAME_OPTIONS, "DENY"),
        (robots, "noindex"),
    ] {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn show(State(page): State<Page>, Path(text): Path<String>) -> Response {
    page.handle.read(|dispatcher, now| {
        let token = match page.key.verify(&text, now) {
            Ok(token) => token,
            Err(error) => return refused(error, now),
        };
        html(StatusCode::OK, &found(dispatcher, &token, now), now)
    })
}

/// The button was pressed.
async fn submit(State(page): State<Page>, Path(text): Path<String>, request: Request) -> Response {
    let now = page.handle.read(|_, now| now);
    let token = match page.key.verify(&text, now) {
        Ok(token) => token,
        Err(error) => return refused(error, now),
    };
    let form = match body::bytes(request.into_body(), MAX_FORM).await {
        Ok(form) => form,
        Err(incomplete) => return incomplete.status().into_response(),
    };
    let Some(action) = Action::read(&form) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let changed = page.handle.change(move |dispatcher, now| {
        let Some(alert) = dispatcher.firing(now, token.fingerprint) else {
            return;
        };
        if alert.starts_at != token.starts_at {
            return;
        }
        let labels = alert.labels.clone();
        tracing::info!("{labels}: {action} by the link of a message");
        // The alert fires, so neither fails.
        let _ = match action {
            Action::Undo => dispatcher.unacknowledge(now, &labels),
            Action::Acknowledge { by } => {
                let comment = String::new();
                let acknowledgement = Acknowledgement {
                    by,
                    at: now,
                    comment,
                };
                dispatcher.acknowledge(now, &labels, acknowledgement)
            }
        };
    });
    changed.await;
    // The page again, by GET, so that reloading it does not send the form again. Relative, because a proxy may add a prefix.
    (StatusCode::SEE_OTHER, [(LOCATION, text)]).into_response()
}

enum Action {
    Acknowledge { by: String },
    Undo,
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Acknowledge { .. } => "acknowledged",
            Self::Undo => "no longer acknowledged",
        })
    }
}

impl Action {
    fn read(form: &Bytes) -> Option<Self> {
        let field = |name: &str| {
            let mut fields = form_urlencoded::parse(form);
            let (_, value) = fields.find(|(known, _)| known == name)?;
            Some(value)
        };
        match &*field("do")? {
            "undo" => Some(Self::Undo),
            "acknowledge" => {
                let by = field("by").unwrap_or_default();
                let by: String = by.trim().chars().take(MAX_NAME).collect();
                let by = if by.is_empty() {
                    NO_NAME.to_owned()
                } else {
                    by
                };
                Some(Self::Acknowledge { by })
            }
            _ => None,
        }
    }
}

/// The alert of a token.
fn found<'a>(dispatcher: &'a Dispatcher, token: &Token, now: Time) -> Acknowledgeable<'a> {
    let Some(alert) = dispatcher.firing(now, token.fingerprint) else {
        return Acknowledgeable::Over(None);
    };
    match alert.starts_at == token.starts_at {
        true => firing(dispatcher, alert),
        false => Acknowledgeable::Over(Some(alert.starts_at)),
    }
}

fn firing<'a>(dispatcher: &'a Dispatcher, alert: &'a Alert) -> Acknowledgeable<'a> {
    Acknowledgeable::Firing(alert, dispatcher.acknowledgement(&alert.labels))
}

fn refused(error: TokenError, now: Time) -> Response {
    let status = match error {
        TokenError::Invalid => StatusCode::NOT_FOUND,
        TokenError::Expired => StatusCode::GONE,
    };
    html(status, &Acknowledgeable::Refused(&error.to_string()), now)
}

fn html(status: StatusCode, shown: &Acknowledgeable<'_>, now: Time) -> Response {
    let kind = (CONTENT_TYPE, "text/html; charset=utf-8");
    (status, [kind], ack::page(shown, now)).into_response()
}
