//! `/rules` and `/alerts`, which are empty.

use axum::response::Response;

use crate::error::ApiError;
use crate::json::{self, Remarks};
use crate::params::Params;

pub(crate) async fn rules(params: Params) -> Result<Response, ApiError> {
    let kind = params.get("type").unwrap_or_default().to_lowercase();
    if !matches!(&*kind, "" | "alert" | "record") {
        let reason = format!("not supported value {kind:?}");
        return Err(ApiError::parameter("type", reason));
    }
    params.read("exclude_alerts", boolean)?;
    Ok(json::success(&Remarks::default(), |out| {
        out.extend_from_slice(br#"{"groups":[]}"#);
    }))
}

pub(crate) async fn alerts() -> Response {
    json::success(&Remarks::default(), |out| {
        out.extend_from_slice(br#"{"alerts":[]}"#);
    })
}

/// A boolean in the syntax of Go's `strconv.ParseBool`.
fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!("cannot parse {text:?} as true or false")),
    }
}
