//! `/series`, `/labels` and `/label/NAME/values`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use vigie_promql::Labels;
use vigie_promql::storage::Selection;

use crate::api::Api;
use crate::error::{ApiError, Kind};
use crate::gate::Running;
use crate::json::{self, Remarks};
use crate::params::Params;
use crate::selectors::{self, Selector};
use crate::source::Source;

pub(crate) async fn series(State(api): State<Api>, params: Params) -> Result<Response, ApiError> {
    if params.all("match[]").next().is_none() {
        return Err(ApiError::bad_data("no match[] parameter provided"));
    }
    let most = api.settings().limits.series;
    let limit = params.limit()?;
    found(
        &api,
        &params,
        limit,
        named,
        json::labels,
        move |source, asked, running| {
            let mut found = BTreeSet::new();
            let mut too_many = false;
            for selection in asked.selections() {
                let each = &mut |labels: &Labels| {
                    found.insert(labels.clone());
                    too_many = found.len() > most;
                    match too_many || running.abandoned() {
                        true => ControlFlow::Break(()),
                        false => ControlFlow::Continue(()),
                    }
                };
                source
                    .series(&selection, each)
                    .map_err(|error| ApiError::storage(&error))?;
                if too_many {
                    let message = format!("more than {most} series match: select fewer");
                    return Err(ApiError::new(Kind::Execution, message));
                }
            }
            Ok(found)
        },
    )
    .await
}

pub(crate) async fn names(State(api): State<Api>, params: Params) -> Result<Response, ApiError> {
    let limit = params.limit()?;
    found(
        &api,
        &params,
        limit,
        bare,
        |out, text: &String| json::string(out, text),
        |source, asked, _| {
            let mut names = BTreeSet::new();
            for selection in asked.selections() {
                let found = source.label_names(&selection, &mut names);
                found.map_err(|error| ApiError::storage(&error))?;
            }
            Ok(names)
        },
    )
    .await
}

pub(crate) async fn values(
    State(api): State<Api>,
    name: Result<Path<String>, PathRejection>,
    params: Params,
) -> Result<Response, ApiError> {
    let not_utf8 = |_| ApiError::bad_data("invalid label name: it is not valid UTF-8");
    let Path(name) = name.map_err(not_utf8)?;
    let name = match name.strip_prefix("U__") {
        Some(escaped) => unescape(escaped).unwrap_or(name),
        None => name,
    };
    if name.is_empty() {
        return Err(ApiError::bad_data("invalid label name: \"\""));
    }
    let limit = params.limit()?;
    found(
        &api,
        &params,
        limit,
        bare,
        |out, text: &String| json::string(out, text),
        move |source, asked, _| {
            let mut values = BTreeSet::new();
            for selection in asked.selections() {
                let found = source.label_values(&name, &selection, &mut values);
                found.map_err(|error| ApiError::storage(&error))?;
            }
            Ok(values)
        },
    )
    .await
}

/// Only `/series` names the parameter.
fn named(reason: String) -> ApiError {
    ApiError::parameter("match[]", reason)
}

fn bare(reason: String) -> ApiError {
    ApiError::bad_data(reason)
}

/// The selected series and the time range.
struct Asked {
    selectors: Vec<Selector>,
    range: (i64, i64),
}

impl Asked {
    /// One for each `match[]`, or one that selects everything.
    fn selections(&self) -> impl Iterator<Item = Selection<'_>> {
        let everything = self.selectors.is_empty().then_some([].as_slice());
        let selectors = self.selectors.iter().map(Vec::as_slice).chain(everything);
        let (start, end) = self.range;
        selectors.map(move |matchers| Selection {
            matchers,
            start,
            end,
        })
    }
}

/// Responds with the results of `find`, at most `limit` of them.
async fn found<T: Ord + Send + 'static>(
    api: &Api,
    params: &Params,
    limit: Option<usize>,
    bad_selector: fn(String) -> ApiError,
    write: fn(&mut Vec<u8>, &T),
    find: impl FnOnce(&dyn Source, &Asked, &Running) -> Result<BTreeSet<T>, ApiError> + Send + 'static,
) -> Result<Response, ApiError> {
    let range = params.range()?;
    let texts = selectors::texts(params).map_err(bad_selector)?;
    let source = Arc::clone(api.source());
    let work = move |running: &Running| {
        let selectors = selectors::parse(&texts).map_err(bad_selector)?;
        let items = find(&*source, &Asked { selectors, range }, running)?;
        let mut remarks = Remarks::default();
        let limit = limit.unwrap_or(usize::MAX);
        if items.len() > limit {
            remarks.truncated();
        }
        Ok(json::success(&remarks, |out| {
            out.push(b'[');
            json::list(out, items.iter().take(limit), write);
            out.push(b']');
        }))
    };
    let (response, _) = api.lookup_gate().run(api.settings().timeout, work).await?;
    Ok(response)
}

/// Decodes a name in the "values" escaping of OpenMetrics names, which uses only letters, digits and `_`: `__` is
/// `_`, `_2e_` is the character with that code.
fn unescape(escaped: &str) -> Option<String> {
    let mut name = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some(at) = rest.find('_') {
        name.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (code, after) = rest.split_once('_')?;
        if code.is_empty() {
            name.push('_');
        } else if code.len() <= 6 {
            name.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
        } else {
            return None;
        }
        rest = after;
    }
    name.push_str(rest);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escaped_names() {
        for (escaped, name) in [
            ("http_2e_status", Some("http.status")),
            ("a__b", Some("a_b")),
            ("_1f980_", Some("🦀")),
            ("plain", Some("plain")),
            ("", Some("")),
            ("a_b", None),
            ("a_zz_", None),
            ("a_d800_", None),
            ("a_00000000e9_", None),
        ] {
            assert_eq!(unescape(escaped).as_deref(), name, "{escaped}");
        }
    }
}
