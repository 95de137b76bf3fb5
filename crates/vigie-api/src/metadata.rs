//! `/metadata`: type, help and unit of the metrics.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;

use crate::api::Api;
use crate::error::ApiError;
use crate::json::{self, Remarks};
use crate::params::Params;
use crate::source::Metadata;

pub(crate) async fn metadata(State(api): State<Api>, params: Params) -> Result<Response, ApiError> {
    let limit = limit(&params, "limit")?.unwrap_or(usize::MAX);
    let per_metric = limit_per_metric(&params)?;
    let metric = params.get("metric");
    let known = api.source().metadata();
    let mut metrics: BTreeMap<&str, Vec<&Metadata>> = BTreeMap::new();
    for one in &known {
        if metric.is_none_or(|metric| metric == one.name) {
            let known = metrics.entry(&one.name).or_default();
            if known.len() < per_metric && !known.contains(&one) {
                known.push(one);
            }
        }
    }
    Ok(json::success(&Remarks::default(), |out| {
        out.push(b'{');
        json::list(out, metrics.iter().take(limit), |out, (name, entries)| {
            json::string(out, name);
            out.extend_from_slice(b":[");
            json::list(out, entries, |out, entry| write(out, entry));
            out.push(b']');
        });
        out.push(b'}');
    }))
}

fn write(out: &mut Vec<u8>, metadata: &Metadata) {
    out.extend_from_slice(br#"{"type":"#);
    json::string(out, metadata.kind.text());
    out.extend_from_slice(br#","help":"#);
    json::string(out, &metadata.help);
    out.extend_from_slice(br#","unit":"#);
    json::string(out, &metadata.unit);
    out.push(b'}');
}

/// Unlike elsewhere, 0 results may be requested, and a negative limit means none.
fn limit(params: &Params, name: &str) -> Result<Option<usize>, ApiError> {
    let limit = params.get(name).map(str::parse::<i64>).transpose();
    let limit = limit.map_err(|_| ApiError::bad_data(format!("{name} must be a number")))?;
    Ok(limit.and_then(|limit| usize::try_from(limit).ok()))
}

fn limit_per_metric(params: &Params) -> Result<usize, ApiError> {
    let limit = limit(params, "limit_per_metric")?;
    Ok(limit.filter(|limit| *limit > 0).unwrap_or(usize::MAX))
}
