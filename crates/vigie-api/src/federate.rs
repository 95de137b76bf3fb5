//! `/federate`: the newest sample of each series that is asked for, for another Prometheus to scrape.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use vigie_promql::storage::Selection;
use vigie_promql::value::is_stale;
use vigie_promql::{Labels, METRIC_NAME, Sample, go_general};

use crate::api::Api;
use crate::error::{ApiError, Kind};
use crate::gate::Running;
use crate::params::Params;
use crate::selectors::{self, Selector};
use crate::source::Source;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// The label by which a scraper tells apart what it scrapes. Where it is written, if empty, a scraper with `honor_labels`
/// does not add its own.
const INSTANCE: &str = "instance";

pub(crate) async fn federate(State(api): State<Api>, params: Params) -> Response {
    match page(&api, &params).await {
        Ok(page) => ([(CONTENT_TYPE, TEXT)], page).into_response(),
        // Scrapers do not read JSON.
        Err(error) => error.into_text(),
    }
}

async fn page(api: &Api, params: &Params) -> Result<String, ApiError> {
    let texts = selectors::texts(params).map_err(ApiError::bad_data)?;
    let source = Arc::clone(api.source());
    let settings = api.settings();
    let most = settings.limits.series;
    let lookback = i64::try_from(settings.lookback.as_millis()).unwrap_or(i64::MAX);
    let end = api.now();
    let start = end.saturating_sub(lookback);
    let work = move |running: &Running| {
        let selectors = selectors::parse(&texts).map_err(ApiError::bad_data)?;
        let found = newest(&*source, &selectors, (start, end), most, running)?;
        Ok(exposition(&found))
    };
    let (page, _) = api.lookup_gate().run(settings.timeout, work).await?;
    Ok(page)
}

/// By metric, then by the other labels.
type Newest = BTreeMap<(String, Labels), Sample>;

fn newest(
    source: &dyn Source,
    selectors: &[Selector],
    (start, end): (i64, i64),
    most: usize,
    running: &Running,
) -> Result<Newest, ApiError> {
    let mut found = Newest::new();
    // As in Prometheus, a selector without matchers selects nothing.
    for matchers in selectors.iter().filter(|matchers| !matchers.is_empty()) {
        let each = &mut |labels: &Labels, samples: &[Sample]| {
            let until = samples.partition_point(|sample| sample.time <= end);
            let last = samples[..until].last();
            let last = last.filter(|last| last.time >= start && !is_stale(last.value));
            let name = labels.get(METRIC_NAME);
            if let Some(last) = last.filter(|_| !name.is_empty()) {
                found.insert((name.to_owned(), labels.clone()), *last);
            }
            match found.len() > most || running.abandoned() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let selection = Selection {
            matchers,
            start,
            end,
        };
        source
            .select(&selection, each)
            .map_err(|error| ApiError::storage(&error))?;
        if found.len() > most {
            let message = format!("more than {most} series match: select fewer");
            return Err(ApiError::new(Kind::Execution, message));
        }
    }
    Ok(found)
}

/// Types are not known of samples that were stored, so that every metric is untyped.
fn exposition(found: &Newest) -> String {
    let mut page = String::new();
    let mut metric = "";
    for ((name, labels), sample) in found {
        if name != metric {
            metric = name;
            let _ = writeln!(page, "# TYPE {} untyped", plain(name));
        }
        page.push_str(&plain(name));
        let own = labels.iter().filter(|(name, _)| *name != METRIC_NAME);
        let instance = labels.get(INSTANCE).is_empty().then_some((INSTANCE, ""));
        for (at, (name, value)) in own.chain(instance).enumerate() {
            page.push(if at == 0 { '{' } else { ',' });
            let _ = write!(page, "{}=\"{}\"", plain(name), escaped(value));
        }
        // There is a label at least, the instance.
        let value = go_general(sample.value);
        let _ = writeln!(page, "}} {value} {}", sample.time);
    }
    page
}

/// The name with `_` for what the text format does not allow.
fn plain(name: &str) -> String {
    let allowed = |(at, c): (usize, char)| match c {
        'a'..='z' | 'A'..='Z' | '_' | ':' => c,
        '0'..='9' if at > 0 => c,
        _ => '_',
    };
    name.chars().enumerate().map(allowed).collect()
}

fn escaped(value: &str) -> String {
    let value = value.replace('\\', r"\\").replace('\n', r"\n");
    value.replace('"', "\\\"")
}
