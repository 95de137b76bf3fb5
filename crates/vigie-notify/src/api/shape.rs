//! The JSON shapes of Alertmanager's API, written.

use std::sync::Arc;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use vigie_promql::Labels;

use crate::dispatch::{Listed, Mute};
use crate::matcher::Matcher;
use crate::silence::{self, Silence};
use crate::time::rfc3339;
use crate::{Fingerprint, Time};

fn time<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*time))
}

/// Labels or annotations, as an object.
pub(super) struct Object<'a, P: ?Sized>(pub(super) &'a P);

impl Serialize for Object<'_, Labels> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}

impl Serialize for Object<'_, [(Arc<str>, Arc<str>)]> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(&**name, &**value)?;
        }
        map.end()
    }
}

/// A receiver, by its name.
#[derive(Serialize)]
pub(super) struct ReceiverName<'a> {
    pub(super) name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    inhibited_by: Vec<Fingerprint>,
    muted_by: Vec<String>,
    silenced_by: &'a [String],
    state: &'static str,
}

/// An alert.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GettableAlert<'a> {
    annotations: Object<'a, [(Arc<str>, Arc<str>)]>,
    #[serde(serialize_with = "time")]
    ends_at: Time,
    fingerprint: Fingerprint,
    receivers: Vec<ReceiverName<'a>>,
    #[serde(serialize_with = "time")]
    starts_at: Time,
    status: Status<'a>,
    #[serde(serialize_with = "time")]
    updated_at: Time,
    #[serde(rename = "generatorURL", skip_serializing_if = "str::is_empty")]
    generator_url: &'a str,
    labels: Object<'a, Labels>,
}

impl<'a> GettableAlert<'a> {
    /// An alert, with these receivers. `muted` is the time interval that mutes its group. An alert without an end ends at
    /// `later`.
    pub(super) fn new(
        listed: &'a Listed,
        receivers: &[&'a str],
        muted: Option<&Mute>,
        later: Time,
    ) -> Self {
        let alert = &*listed.alert;
        let mut muted_by: Vec<String> = muted.map(name).into_iter().collect();
        if let Some(acknowledged) = &listed.acknowledged {
            muted_by.push(Mute::Acknowledged(acknowledged.by.clone()).to_string());
        }
        let inhibited_by: Vec<_> = listed.inhibited_by.into_iter().collect();
        let active =
            muted_by.is_empty() && inhibited_by.is_empty() && listed.silenced_by.is_empty();
        Self {
            annotations: Object(&alert.annotations),
            // An alert with an unreadable source counts as firing, whatever its end.
            ends_at: match alert.unknown_since {
                Some(_) => later,
                None => alert.ends_at.unwrap_or(later),
            },
            fingerprint: listed.fingerprint,
            receivers: receivers.iter().map(|name| ReceiverName { name }).collect(),
            starts_at: alert.starts_at,
            status: Status {
                inhibited_by,
                muted_by,
                silenced_by: &listed.silenced_by,
                state: if active { "active" } else { "suppressed" },
            },
            updated_at: listed.updated_at,
            generator_url: &alert.generator_url,
            labels: Object(&alert.labels),
        }
    }
}

/// The name of a time interval that mutes.
fn name(mute: &Mute) -> String {
    match mute {
        Mute::Interval(name) | Mute::Outside(name) => name.clone(),
        other => other.to_string(),
    }
}

/// A group of alerts.
#[derive(Serialize)]
pub(super) struct AlertGroup<'a> {
    pub(super) alerts: Vec<GettableAlert<'a>>,
    pub(super) labels: Object<'a, Labels>,
    pub(super) receiver: ReceiverName<'a>,
}

#[derive(Serialize)]
struct SilenceStatus {
    state: silence::State,
}

/// A silence.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GettableSilence<'a> {
    id: &'a str,
    status: SilenceStatus,
    #[serde(serialize_with = "time")]
    updated_at: Time,
    comment: &'a str,
    created_by: &'a str,
    #[serde(serialize_with = "time")]
    ends_at: Time,
    matchers: &'a [Matcher],
    #[serde(serialize_with = "time")]
    starts_at: Time,
}

impl<'a> GettableSilence<'a> {
    pub(super) fn new(silence: &'a Silence, now: Time) -> Self {
        Self {
            id: &silence.id,
            status: SilenceStatus {
                state: silence.state(now),
            },
            updated_at: silence.updated_at,
            comment: &silence.comment,
            created_by: &silence.created_by,
            ends_at: silence.ends_at,
            matchers: silence.matchers.as_slice(),
            starts_at: silence.starts_at,
        }
    }
}
