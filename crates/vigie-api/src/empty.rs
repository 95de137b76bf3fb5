//! Endpoints with empty results: exemplars, targets, Alertmanagers.

use axum::extract::State;
use axum::response::Response;

use crate::api::Api;
use crate::error::ApiError;
use crate::json::{self, Remarks};
use crate::params::Params;
use crate::query;

/// Grafana probes this endpoint, with milliseconds instead of seconds.
pub(crate) async fn exemplars(
    State(api): State<Api>,
    params: Params,
) -> Result<Response, ApiError> {
    let (start, end) = params.range()?;
    if end < start {
        let reason = "end timestamp must not be before start timestamp";
        return Err(ApiError::bad_data(reason));
    }
    let text = query::text(&api, &params)?.to_owned();
    let features = api.settings().features;
    let work = move |_: &_| {
        let parsed = vigie_promql::parse_with(&text, features);
        parsed.map_err(|error| ApiError::bad_data(error.to_string()))?;
        Ok(nothing(b"[]"))
    };
    let (response, _) = api.lookup_gate().run(api.settings().timeout, work).await?;
    Ok(response)
}

pub(crate) async fn targets() -> Response {
    nothing(br#"{"activeTargets":[],"droppedTargets":[]}"#)
}

pub(crate) async fn alertmanagers() -> Response {
    nothing(br#"{"activeAlertmanagers":[],"droppedAlertmanagers":[]}"#)
}

fn nothing(data: &[u8]) -> Response {
    json::success(&Remarks::default(), |out| out.extend_from_slice(data))
}
