//! `/status`: the states of the checks and of the alerts without their names, for those who have no credentials.
//! `[page] public` adds it; the web page shows it beside the login.

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Serialize;
use vigie_probes::{Checks, Entry};

use crate::alerting::{Alerts, Worst};

/// The answer. It has no text that a user, a rule or a client has written.
#[derive(Serialize)]
struct Outline {
    /// The readiness, as in `/readyz`.
    status: &'static str,
    /// In the order of `/readyz`.
    checks: Vec<Check>,
    /// The most severe state of all alerts.
    alerts: Worst,
}

#[derive(Serialize)]
struct Check {
    status: &'static str,
    required: bool,
}

impl Check {
    fn of(entry: &Entry) -> Self {
        Self {
            status: entry.verdict.status.as_str(),
            required: entry.required,
        }
    }
}

/// The path, for everybody.
pub(crate) fn router(checks: Checks, alerts: Alerts) -> Router {
    Router::new()
        .route("/status", get(outline))
        .with_state((checks, alerts))
}

async fn outline(State((checks, alerts)): State<(Checks, Alerts)>) -> Response {
    let report = checks.report(checks.now());
    let outline = Outline {
        status: report.readiness().as_str(),
        checks: report.entries.iter().map(Check::of).collect(),
        alerts: alerts.worst(),
    };
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, serde_json::json!(outline).to_string()).into_response()
}
