//! `/format_query`.

use axum::extract::State;
use axum::response::Response;

use crate::api::Api;
use crate::error::ApiError;
use crate::json::{self, Remarks};
use crate::params::Params;
use crate::query;

/// The canonical form of the query, on one line.
pub(crate) async fn format(State(api): State<Api>, params: Params) -> Result<Response, ApiError> {
    let text = query::text(&api, &params)?.to_owned();
    let work = move |_: &_| {
        let formatted = query::parse(&text)?.to_string();
        Ok(json::success(&Remarks::default(), |out| {
            json::string(out, &formatted)
        }))
    };
    let (response, _) = api.lookup_gate().run(api.settings().timeout, work).await?;
    Ok(response)
}
