//! `/format_query`.

use axum::extract::State;
use axum::response::Response;
use vigie_promql::syntax::pretty;

use crate::api::Api;
use crate::error::ApiError;
use crate::json::{self, Remarks};
use crate::params::Params;
use crate::query;

/// The query as Prometheus lays it out.
pub(crate) async fn format(State(api): State<Api>, params: Params) -> Result<Response, ApiError> {
    let text = query::text(&api, &params)?.to_owned();
    let features = api.settings().features;
    let work = move |_: &_| {
        let formatted = pretty(&query::parse(&text, features)?);
        Ok(json::success(&Remarks::default(), |out| {
            json::string(out, &formatted)
        }))
    };
    let (response, _) = api.lookup_gate().run(api.settings().timeout, work).await?;
    Ok(response)
}
