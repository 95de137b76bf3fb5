//! Vigie's own paths: the alerts with their next messages, and their acknowledgement.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use vigie_promql::Labels;

use super::answer::{Refusal, json};
use super::query::Query;
use super::shape::Object;
use super::{Api, body};
use crate::dispatch::{Acknowledgement, Dispatcher, Listed, Listing, Mute, Undelivered};
use crate::time::rfc3339;
use crate::{Fingerprint, Time};

/// The longest author, in bytes.
const MAX_BY: usize = 200;
/// The longest comment, in bytes.
const MAX_COMMENT: usize = 4 << 10;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Overview<'a> {
    /// Whether alerts can be acknowledged and silenced here.
    writable: bool,
    alerts: Vec<Shown<'a>>,
    undelivered: Vec<Lost<'a>>,
}

/// A firing alert.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    fingerprint: Fingerprint,
    labels: Object<'a, Labels>,
    annotations: Object<'a, [(std::sync::Arc<str>, std::sync::Arc<str>)]>,
    starts_at: String,
    unknown_since: Option<String>,
    /// A text, since JSON has no NaN.
    value: Option<String>,
    acknowledged: Option<serde_json::Value>,
    silenced_by: &'a [String],
    inhibited_by: Option<Fingerprint>,
    next: Vec<Next<'a>>,
}

/// The next message about an alert.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Next<'a> {
    receiver: &'a str,
    integration: &'a str,
    group_key: &'a str,
    at: Option<String>,
    reason: String,
}

/// An alert that resolved before a firing message about it was delivered.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Lost<'a> {
    receiver: &'a str,
    integration: &'a str,
    labels: Object<'a, Labels>,
    starts_at: String,
    ends_at: String,
}

pub(super) async fn alerts(State(api): State<Api>, query: Query) -> Result<Response, Refusal> {
    let filter = query.matchers("filter")?;
    let read = move |dispatcher: &Dispatcher, now: Time| {
        let listing = dispatcher.listing(now, |alert| filter.matches(&alert.labels));
        let undelivered = dispatcher.undelivered();
        let undelivered = undelivered
            .filter(|lost| filter.matches(&lost.labels))
            .cloned();
        (listing, undelivered.collect::<Vec<_>>())
    };
    let writable = api.settings.writes;
    let render = move |(listing, undelivered): (Listing, Vec<_>)| {
        json(&Overview {
            writable,
            alerts: shown(&listing),
            undelivered: undelivered.iter().map(lost).collect(),
        })
    };
    api.show(read, render).await
}

fn shown(listing: &Listing) -> Vec<Shown<'_>> {
    let mut next: Vec<Vec<Next<'_>>> = listing.alerts.iter().map(|_| Vec::new()).collect();
    for group in &listing.groups {
        for place in &group.alerts {
            let mute = mute(&listing.alerts[*place]);
            let planned = group.planned.iter().map(|planned| Next {
                receiver: &planned.receiver,
                integration: &planned.integration,
                group_key: &planned.group_key,
                // If the alert is muted, the message at that time is about other alerts of the group.
                at: planned.at.filter(|_| mute.is_none()).map(rfc3339),
                reason: match &mute {
                    Some(mute) => mute.to_string(),
                    None => planned.why.to_string(),
                },
            });
            next[*place].extend(planned);
        }
    }
    let alerts = listing.alerts.iter().zip(next);
    let alerts = alerts.map(|(listed, next)| Shown {
        fingerprint: listed.fingerprint,
        labels: Object(&listed.alert.labels),
        annotations: Object(&listed.alert.annotations),
        starts_at: rfc3339(listed.alert.starts_at),
        unknown_since: listed.alert.unknown_since.map(rfc3339),
        value: listed.alert.value.map(|value| value.to_string()),
        acknowledged: listed.acknowledged.as_ref().map(acknowledgement),
        silenced_by: &listed.silenced_by,
        inhibited_by: listed.inhibited_by,
        next,
    });
    alerts.collect()
}

/// The reason for which an alert is muted, whatever its groups.
fn mute(listed: &Listed) -> Option<String> {
    if let Some(acknowledged) = &listed.acknowledged {
        return Some(Mute::Acknowledged(acknowledged.by.clone()).to_string());
    }
    if let Some(silence) = listed.silenced_by.first() {
        return Some(Mute::Silence(silence.clone()).to_string());
    }
    let by = listed.inhibited_by?;
    Some(format!("inhibited by the alert {by}"))
}

fn acknowledgement(acknowledgement: &Acknowledgement) -> serde_json::Value {
    json!({
        "by": acknowledgement.by,
        "at": rfc3339(acknowledgement.at),
        "comment": acknowledgement.comment,
    })
}

fn lost(lost: &Undelivered) -> Lost<'_> {
    Lost {
        receiver: &lost.receiver,
        integration: &lost.integration,
        labels: Object(&lost.labels),
        starts_at: rfc3339(lost.starts_at),
        ends_at: rfc3339(lost.ends_at),
    }
}

/// The author and the comment of an acknowledgement.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    by: String,
    #[serde(default)]
    comment: String,
}

pub(super) async fn acknowledge(
    State(api): State<Api>,
    Path(fingerprint): Path<String>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let posted: Posted = body::read(request, "acknowledgement").await?;
    if posted.by.trim().is_empty() || posted.by.len() > MAX_BY {
        return Err(Refusal::bad(format!("by must have 1 to {MAX_BY} bytes")));
    }
    if posted.comment.len() > MAX_COMMENT {
        return Err(Refusal::bad(format!(
            "comment must have at most {MAX_COMMENT} bytes"
        )));
    }
    let change = move |dispatcher: &mut Dispatcher, now, labels: &Labels| {
        let Posted { by, comment } = posted;
        let acknowledgement = Acknowledgement {
            by,
            at: now,
            comment,
        };
        dispatcher.acknowledge(now, labels, acknowledgement).is_ok()
    };
    changed(&api, &fingerprint, change).await
}

pub(super) async fn unacknowledge(
    State(api): State<Api>,
    Path(fingerprint): Path<String>,
) -> Result<StatusCode, Refusal> {
    let change = |dispatcher: &mut Dispatcher, now, labels: &Labels| {
        dispatcher.unacknowledge(now, labels).is_ok()
    };
    changed(&api, &fingerprint, change).await
}

/// Changes a firing alert.
async fn changed(
    api: &Api,
    fingerprint: &str,
    change: impl FnOnce(&mut Dispatcher, crate::Time, &Labels) -> bool,
) -> Result<StatusCode, Refusal> {
    let parsed: Fingerprint = fingerprint
        .parse()
        .map_err(|error| Refusal::bad(format!("{fingerprint:?}: {error}")))?;
    let changed = api.handle.change(move |dispatcher, now| {
        let labels = dispatcher.firing(now, parsed)?.labels.clone();
        change(dispatcher, now, &labels).then_some(())
    });
    let missing = || format!("no firing alert has the fingerprint {parsed}");
    changed
        .await
        .map(|()| StatusCode::NO_CONTENT)
        .ok_or_else(|| Refusal::text(StatusCode::NOT_FOUND, missing()))
}
