//! Webhooks: Alertmanager's body, version 4.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use url::Url;

use super::failure::{Cause, Failure};
use super::http::Request;
use super::json;
use crate::Fingerprint;
use crate::message::Message;
use crate::template::ordered;
use crate::time::timestamp;
use crate::{Alert, Time};

/// The request with the body, of at most `max_alerts` alerts unless that is 0.
pub(super) fn request(
    url: Url,
    message: &Message,
    max_alerts: u64,
    external_url: &str,
) -> Result<Request, Failure> {
    let body = body(message, max_alerts, external_url);
    let body = body.map_err(|error| {
        Failure::new(
            Cause::Refused,
            format!("the body cannot be written: {error}"),
        )
    })?;
    Ok(Request::json(url, body))
}

/// The body. Field order and escapes are Alertmanager's.
pub(super) fn body(
    message: &Message,
    max_alerts: u64,
    external_url: &str,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut all = ordered(message);
    let most = match max_alerts {
        0 => all.len(),
        most => usize::try_from(most).unwrap_or(usize::MAX).min(all.len()),
    };
    let truncated = all.len() - most;
    all.truncate(most);
    let fires = all.iter().any(|(_, fires)| *fires);
    let body = Body {
        receiver: &message.receiver,
        status: status(fires),
        alerts: all
            .iter()
            .map(|(alert, fires)| one(alert, *fires, message.at))
            .collect(),
        notification_reason: &message.reason,
        group_labels: message.group_labels.iter().collect(),
        common_labels: common(all.iter().map(|(alert, _)| alert.labels.iter())),
        common_annotations: common(all.iter().map(|(alert, _)| pairs(alert))),
        external_url,
        version: "4",
        group_key: &message.group_key,
        truncated_alerts: truncated,
    };
    let mut bytes = json::go(&body)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[derive(Serialize)]
struct Body<'a> {
    receiver: &'a str,
    status: &'static str,
    alerts: Vec<One<'a>>,
    notification_reason: &'a str,
    #[serde(rename = "groupLabels")]
    group_labels: BTreeMap<&'a str, &'a str>,
    #[serde(rename = "commonLabels")]
    common_labels: BTreeMap<&'a str, &'a str>,
    #[serde(rename = "commonAnnotations")]
    common_annotations: BTreeMap<&'a str, &'a str>,
    #[serde(rename = "externalURL")]
    external_url: &'a str,
    version: &'static str,
    #[serde(rename = "groupKey")]
    group_key: &'a str,
    #[serde(rename = "truncatedAlerts")]
    truncated_alerts: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct One<'a> {
    status: &'static str,
    labels: BTreeMap<&'a str, &'a str>,
    annotations: BTreeMap<&'a str, &'a str>,
    #[serde(serialize_with = "rfc3339")]
    starts_at: Time,
    #[serde(serialize_with = "end")]
    ends_at: Option<Time>,
    #[serde(rename = "generatorURL")]
    generator_url: &'a str,
    fingerprint: Fingerprint,
}

fn one(alert: &Alert, fires: bool, at: Time) -> One<'_> {
    One {
        status: status(fires),
        labels: alert.labels.iter().collect(),
        annotations: pairs(alert).collect(),
        starts_at: alert.starts_at,
        ends_at: (!fires).then_some(alert.ends_at.unwrap_or(at)),
        generator_url: &alert.generator_url,
        fingerprint: Fingerprint::of(&alert.labels),
    }
}

fn status(fires: bool) -> &'static str {
    if fires { "firing" } else { "resolved" }
}

fn pairs(alert: &Alert) -> impl Iterator<Item = (&str, &str)> {
    let pairs = alert.annotations.iter();
    pairs.map(|(name, value)| (&**name, &**value))
}

/// The pairs that all of the sets have.
fn common<'a, P: Iterator<Item = (&'a str, &'a str)>>(
    mut sets: impl Iterator<Item = P>,
) -> BTreeMap<&'a str, &'a str> {
    let first = sets.next();
    let mut shared: BTreeMap<_, _> = first.into_iter().flatten().collect();
    for set in sets {
        let set: BTreeMap<_, _> = set.collect();
        shared.retain(|name, value| set.get(name) == Some(value));
    }
    shared
}

#[allow(clippy::trivially_copy_pass_by_ref)] // The form that serde asks for.
fn rfc3339<S: Serializer>(time: &Time, to: S) -> Result<S::Ok, S::Error> {
    // Without zeros at the end of the fraction, as in Go.
    to.collect_str(&timestamp(*time))
}

/// A firing alert has Go's zero time.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn end<S: Serializer>(time: &Option<Time>, to: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => rfc3339(time, to),
        None => to.serialize_str("0001-01-01T00:00:00Z"),
    }
}
