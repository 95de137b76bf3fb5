//! POST `/alerts`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use url::Url;
use vigie_promql::Labels;

use super::answer::Refusal;
use super::{Api, body};
use crate::dispatch::Dispatcher;
use crate::{Alert, Time};

/// An alert as a client sends it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostableAlert {
    labels: Option<BTreeMap<String, Option<String>>>,
    annotations: Option<BTreeMap<String, Option<String>>>,
    #[serde(default, deserialize_with = "body::time")]
    starts_at: Option<Time>,
    #[serde(default, deserialize_with = "body::time")]
    ends_at: Option<Time>,
    #[serde(rename = "generatorURL")]
    generator_url: Option<String>,
}

/// An alert that was read.
#[derive(Debug)]
pub(super) struct Posted {
    alert: Alert,
    /// Whether its end is only the timeout.
    timeout: bool,
}

/// Accepts the valid alerts, and names the mistakes of the others.
pub(super) async fn alerts(
    State(api): State<Api>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let bodies: Option<Vec<_>> = body::read(request, "alerts").await?;
    let resolve_timeout = (api.settings.configured)().resolve_timeout;
    let now = api.handle.read(|_, now| now);
    let (posted, mistakes) = read(bodies.unwrap_or_default(), now, resolve_timeout)?;
    let alerts = api.handle.read(|dispatcher, _| {
        let alerts = posted.into_iter().map(|posted| merged(dispatcher, posted));
        alerts.collect::<Vec<_>>()
    });
    let given = alerts.len();
    let refused = match given {
        0 => 0,
        _ => api.handle.observe(alerts),
    };
    if !mistakes.is_empty() {
        return Err(Refusal::bad(mistakes.join("\n")));
    }
    if refused > 0 {
        let text = format!(
            "{refused} of {given} alerts were refused, because there are too many or they are too long; the others were accepted"
        );
        return Err(Refusal::text(StatusCode::INTERNAL_SERVER_ERROR, text));
    }
    Ok(StatusCode::OK)
}

/// The valid alerts, and the mistakes of the others.
fn read(
    bodies: Vec<PostableAlert>,
    now: Time,
    resolve_timeout: Time,
) -> Result<(Vec<Posted>, Vec<String>), Refusal> {
    // A wrong shape refuses the whole request.
    for (at, body) in bodies.iter().enumerate() {
        if body.labels.is_none() {
            return Err(Refusal::invalid(
                602,
                format!("{at}.labels in body is required"),
            ));
        }
        if let Some(url) = body.generator_url.as_deref().filter(|url| !is_uri(url)) {
            let text = format!("{at}.generatorURL in body must be of type uri: {url:?}");
            return Err(Refusal::invalid(601, text));
        }
    }
    let (mut alerts, mut mistakes) = (Vec::new(), Vec::new());
    for body in bodies {
        match alert(body, now, resolve_timeout) {
            Ok(alert) => alerts.push(alert),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    Ok((alerts, mistakes))
}

/// Go's `url.ParseRequestURI`: an absolute URL or an absolute path.
fn is_uri(text: &str) -> bool {
    text.is_empty() || text.starts_with('/') || Url::parse(text).is_ok()
}

fn alert(body: PostableAlert, now: Time, resolve_timeout: Time) -> Result<Posted, String> {
    let starts_at = body.starts_at.or(body.ends_at).unwrap_or(now);
    let ends_at = body.ends_at.unwrap_or(now.saturating_add(resolve_timeout));
    if ends_at < starts_at {
        return Err("start time must be before end time".to_owned());
    }
    // An empty label is a missing one.
    let labels = body.labels.into_iter().flatten();
    let labels = labels.filter_map(|(name, value)| Some((name, value?)));
    let labels: Vec<_> = labels.filter(|(_, value)| !value.is_empty()).collect();
    if labels.is_empty() {
        return Err("at least one label pair required".to_owned());
    }
    if labels.iter().any(|(name, _)| name.is_empty()) {
        return Err("invalid label set: invalid name \"\"".to_owned());
    }
    let annotations = body.annotations.into_iter().flatten();
    let annotations: Vec<_> = annotations
        .map(|(name, value)| (name, value.unwrap_or_default()))
        .collect();
    if annotations.iter().any(|(name, _)| name.is_empty()) {
        return Err("invalid annotations: invalid name \"\"".to_owned());
    }
    let annotations = annotations.into_iter();
    let annotations = annotations.map(|(name, value)| (name.into(), value.into()));
    let alert = Alert {
        annotations: annotations.collect(),
        ends_at: Some(ends_at),
        generator_url: Arc::from(body.generator_url.unwrap_or_default()),
        ..Alert::firing(Labels::new(labels), starts_at)
    };
    let timeout = body.ends_at.is_none();
    Ok(Posted { alert, timeout })
}

/// The alert to observe. An end that a client gave earlier outlives a mere timeout, if the two overlap.
fn merged(dispatcher: &Dispatcher, posted: Posted) -> Alert {
    let mut alert = posted.alert;
    let known = dispatcher.alert(&alert.labels).filter(|_| posted.timeout);
    let known = known.and_then(|known| Some((known.starts_at, known.ends_at?)));
    if let (Some((start, end)), Some(new_end)) = (known, alert.ends_at) {
        let within = |time| start < time && time < end;
        if within(new_end) || within(alert.starts_at) {
            alert.ends_at = Some(end.max(new_end));
        }
    }
    alert
}

/// Reads any bytes as a body of POST `/alerts`, for the fuzzer.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    let bodies: Result<Option<Vec<_>>, _> = body::parse(bytes, "alerts");
    if let Ok(bodies) = bodies {
        let _ = read(bodies.unwrap_or_default(), 0, 1);
    }
}
