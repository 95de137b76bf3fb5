//! `/status` and `/receivers`.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Api;
use super::answer::{Refusal, json};
use super::query::Query;
use crate::time::rfc3339;

/// The version of Alertmanager whose API is implemented. Clients choose their requests by it.
pub const COMPATIBLE_VERSION: &str = "0.33.1";

pub(super) async fn status(State(api): State<Api>) -> Result<Response, Refusal> {
    let configured = (api.settings.configured)();
    json(&json!({
        "cluster": {"peers": [], "status": "disabled"},
        "config": {"original": configured.original},
        "uptime": rfc3339(api.settings.started),
        "versionInfo": {
            "branch": "HEAD",
            "buildDate": "",
            "buildUser": "",
            "goVersion": "",
            "revision": concat!("vigie-", env!("CARGO_PKG_VERSION")),
            "version": COMPATIBLE_VERSION,
        },
    }))
}

/// The only metric of Alertmanager that clients read.
pub(super) async fn metrics() -> impl IntoResponse {
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    let text = format!(
        "# HELP alertmanager_build_info The version of Alertmanager whose API is compatible.\n\
         # TYPE alertmanager_build_info gauge\n\
         alertmanager_build_info{{version=\"{COMPATIBLE_VERSION}\"}} 1\n"
    );
    ([(CONTENT_TYPE, content_type)], text)
}

/// The receivers, each with its one label.
pub(super) async fn receivers(State(api): State<Api>, query: Query) -> Result<Response, Refusal> {
    let filter = query.matchers("receiver_matchers")?;
    let configured = (api.settings.configured)();
    let receivers = configured.receivers.iter();
    let receivers = receivers.filter(|name| filter.matches_receiver(name));
    let receivers = receivers.map(|name| json!({"labels": {"name": name}, "name": name}));
    json(&receivers.collect::<Vec<_>>())
}
