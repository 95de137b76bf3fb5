//! The health endpoints, which answer from memory.
//!
//! | path | response |
//! | --- | --- |
//! | `/healthz`, `/livez` | liveness of Vigie itself: 200 as long as it can answer |
//! | `/readyz` | the result of all checks: 200 or 503 |
//! | `/readyz/<check>` | one check, or one part of a group: 200, 503 or 404 |
//!
//! `/readyz` accepts `?verbose` (lines of text in Kubernetes' format) and `?exclude=<check>`, any number of times.

mod answer;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use serde::Serialize;
use url::form_urlencoded;

use crate::runner::Checks;
use answer::{CheckAnswer, LiveAnswer, NotFound, ReadyAnswer};

/// The level of detail in responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Names, statuses, times and errors; errors name hosts.
    Full,
    /// Names and statuses only.
    Names,
}

/// More than this many exclusions in one request are ignored.
const MAX_EXCLUDED: usize = 64;

/// The health endpoints of these checks.
pub fn router(checks: Checks, detail: Detail) -> Router {
    Router::new()
        .route("/healthz", get(live))
        .route("/healthz/", get(live))
        .route("/livez", get(live))
        .route("/livez/", get(live))
        .route("/readyz", get(ready))
        .route("/readyz/", get(ready))
        .route("/readyz/{*check}", get(ready_check))
        .with_state((checks, detail))
}

type Shared = State<(Checks, Detail)>;

async fn live(State((checks, _)): Shared) -> Response {
    let uptime = checks.now().elapsed.as_millis() as f64 / 1_000.0;
    json(
        StatusCode::OK,
        &LiveAnswer {
            status: "ok",
            uptime,
        },
    )
}

async fn ready(State((checks, detail)): Shared, RawQuery(query): RawQuery) -> Response {
    let query = Query::parse(query.as_deref().unwrap_or_default());
    let mut report = checks.report(checks.now());
    let unknown = report.exclude(query.excluded.iter().map(String::as_str));
    let status = code(report.readiness().is_ready());
    if query.verbose {
        return text(status, answer::verbose(&report, &unknown, detail));
    }
    json(status, &ReadyAnswer::new(&report, &unknown, detail))
}

async fn ready_check(State((checks, detail)): Shared, Path(name): Path<String>) -> Response {
    let name = name.trim_end_matches('/');
    let report = checks.report(checks.now());
    let Some(entry) = report.find(name) else {
        return json(StatusCode::NOT_FOUND, &NotFound::new(&report, name));
    };
    let passes = entry.verdict.status == crate::state::Status::Ok;
    json(code(passes), &CheckAnswer::new(&entry, detail))
}

fn code(ready: bool) -> StatusCode {
    if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

/// The parameters of a request; unknown ones are ignored.
#[derive(Debug, Default, PartialEq, Eq)]
struct Query {
    verbose: bool,
    excluded: Vec<String>,
}

impl Query {
    fn parse(query: &str) -> Self {
        let mut parsed = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "verbose" => parsed.verbose = !matches!(&*value, "0" | "false"),
                "exclude" if parsed.excluded.len() < MAX_EXCLUDED => {
                    parsed.excluded.push(value.into_owned());
                }
                _ => {}
            }
        }
        parsed
    }
}

fn json(status: StatusCode, answer: &impl Serialize) -> Response {
    // Serialization cannot fail: all keys are strings and all numbers are finite.
    let body = serde_json::to_string(answer).unwrap_or_default();
    respond(status, "application/json", body + "\n")
}

fn text(status: StatusCode, body: String) -> Response {
    respond(status, "text/plain; charset=utf-8", body)
}

fn respond(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, body).into_response()
}

#[cfg(test)]
mod tests;
