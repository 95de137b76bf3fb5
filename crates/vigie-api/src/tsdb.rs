//! `/status/tsdb`: how many series there are, and which metrics and labels make them many.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use vigie_promql::storage::Selection;
use vigie_promql::{Labels, METRIC_NAME};

use crate::api::Api;
use crate::error::ApiError;
use crate::gate::Running;
use crate::json::{self, Remarks};
use crate::params::Params;
use crate::time;

/// The length of each list, unless `limit` is given.
const ENTRIES: usize = 10;

pub(crate) async fn tsdb(State(api): State<Api>, params: Params) -> Result<Response, ApiError> {
    let limit = params.get("limit").map(str::parse::<usize>).transpose();
    let limit = limit.ok().filter(|limit| *limit != Some(0));
    let positive = || ApiError::bad_data("limit must be a positive number");
    let limit = limit.ok_or_else(positive)?.unwrap_or(ENTRIES);
    let source = Arc::clone(api.source());
    let work = move |running: &Running| {
        let mut counts = Counts::default();
        let selection = Selection {
            matchers: &[],
            start: time::MIN,
            end: time::MAX,
        };
        let each = &mut |labels: &Labels| {
            counts.add(labels);
            match running.abandoned() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let read = source.series(&selection, each);
        read.map_err(|error| ApiError::storage(&error))?;
        let span = source.span();
        let span = span.map_err(|error| ApiError::storage(&error))?;
        Ok(json::success(&Remarks::default(), |out| {
            counts.write(out, span, limit);
        }))
    };
    let (response, _) = api.lookup_gate().run(api.settings().timeout, work).await?;
    Ok(response)
}

/// The number of series by the values of each label.
#[derive(Default)]
struct Counts {
    series: usize,
    labels: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Counts {
    fn add(&mut self, labels: &Labels) {
        self.series += 1;
        for (name, value) in labels.iter() {
            // Most names and values are known already.
            if !self.labels.contains_key(name) {
                self.labels.insert(name.to_owned(), BTreeMap::new());
            }
            let Some(values) = self.labels.get_mut(name) else {
                continue;
            };
            match values.get_mut(value) {
                Some(count) => *count += 1,
                None => drop(values.insert(value.to_owned(), 1)),
            }
        }
    }

    /// The number of chunks has no counterpart, and is left out.
    fn write(&self, out: &mut Vec<u8>, span: Option<(i64, i64)>, limit: usize) {
        let labels = || self.labels.iter();
        let pairs: usize = labels().map(|(_, values)| values.len()).sum();
        // As in Prometheus, where there is no sample.
        let (first, last) = span.unwrap_or((i64::MAX, i64::MIN));
        let _ = write!(
            out,
            r#"{{"headStats":{{"numSeries":{},"numLabelPairs":{pairs},"minTime":{first},"maxTime":{last}}}"#,
            self.series
        );
        let metrics = self.labels.get(METRIC_NAME).into_iter().flatten();
        let metrics = metrics.map(|(name, count)| (name.clone(), *count));
        most(out, "seriesCountByMetricName", metrics, limit);
        let values = labels().map(|(name, values)| (name.clone(), values.len()));
        most(out, "labelValueCountByLabelName", values, limit);
        let bytes = |values: &BTreeMap<String, usize>| values.keys().map(String::len).sum();
        let bytes = labels().map(|(name, values)| (name.clone(), bytes(values)));
        most(out, "memoryInBytesByLabelName", bytes, limit);
        let pairs = labels().flat_map(|(name, values)| {
            let pair = move |(value, count): (&String, &usize)| (format!("{name}={value}"), *count);
            values.iter().map(pair)
        });
        most(out, "seriesCountByLabelValuePair", pairs, limit);
        out.push(b'}');
    }
}

/// Writes the largest, by descending size.
fn most(out: &mut Vec<u8>, key: &str, sizes: impl Iterator<Item = (String, usize)>, limit: usize) {
    let mut sizes: Vec<_> = sizes.collect();
    sizes.sort_by(|(_, one), (_, other)| other.cmp(one));
    let _ = write!(out, ",{key:?}:[");
    json::list(out, sizes.iter().take(limit), |out, (name, size)| {
        out.extend_from_slice(br#"{"name":"#);
        json::string(out, name);
        let _ = write!(out, ",\"value\":{size}}}");
    });
    out.push(b']');
}
