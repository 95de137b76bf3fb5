//! The data that templates see.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::tz::TimeZone;
use vigie_alerts::template::exec::{Clock, Data as Struct, ListKind, Value, humanized};

use super::order::ordered;
use super::threshold::{self, Threshold};
use crate::time::timestamp;
use crate::{Alert, Fingerprint, Message, Time};

/// The addresses that messages link to.
pub trait Links {
    /// The address of Vigie's page, without a trailing slash.
    fn external_url(&self) -> &str;

    /// The address of the dashboard that shows an alert.
    fn dashboard(&self, alert: &Alert) -> Option<String>;

    /// The address at which an alert can be acknowledged.
    fn acknowledge(&self, alert: &Alert) -> Option<String>;
}

/// No addresses.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLinks;

impl Links for NoLinks {
    fn external_url(&self) -> &'static str {
        ""
    }

    fn dashboard(&self, _: &Alert) -> Option<String> {
        None
    }

    fn acknowledge(&self, _: &Alert) -> Option<String> {
        None
    }
}

/// The data that a template starts with.
///
/// The fields are Alertmanager's: `Receiver`, `Status`, `Alerts` (each with `Status`, `Labels`, `Annotations`,
/// `StartsAt`, `EndsAt`, `GeneratorURL`, `Fingerprint`), `NotificationReason`, `GroupLabels`, `CommonLabels`,
/// `CommonAnnotations`, `RouteLabels` (empty), `ExternalURL`. Printing them or encoding them as JSON gives what
/// Alertmanager 0.33 gives.
///
/// Vigie has further fields, which Alertmanager does not have; `docs/templates.md` lists them.
#[derive(Clone, Debug)]
pub struct Data {
    value: Value,
    clock: Clock,
}

impl Data {
    /// The data of a message that is sent at `now`. Times are in UTC.
    #[must_use]
    pub fn new(message: &Message, now: Time, links: &dyn Links) -> Self {
        let alerts = ordered(message);
        let mut thresholds = HashMap::new();
        let alerts: Vec<_> = alerts
            .into_iter()
            .map(|(alert, is_firing)| {
                let threshold = *thresholds
                    .entry(&*alert.generator_url)
                    .or_insert_with(|| threshold::of_url(&alert.generator_url));
                Shown {
                    value: one(alert, is_firing, threshold, now, links),
                    alert,
                    is_firing,
                    threshold,
                }
            })
            .collect();
        let clock = Clock { now };
        Self {
            value: all(message, &alerts, links),
            clock,
        }
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }
}

/// An alert and its form in templates.
struct Shown<'a> {
    alert: &'a Alert,
    is_firing: bool,
    threshold: Option<Threshold>,
    value: Value,
}

fn all(message: &Message, alerts: &[Shown<'_>], links: &dyn Links) -> Value {
    let status = status(!message.firing.is_empty());
    let list = |kind, items| Value::list(kind, items).unwrap_or(Value::Nil);
    let items = alerts.iter().map(|shown| shown.value.clone()).collect();
    let mut firing = message.firing.iter();
    let all_unknown =
        !message.firing.is_empty() && firing.all(|alert| alert.unknown_since.is_some());
    let single = |name| match alerts {
        [only] => only.value.get(name).unwrap_or_else(|| Value::text("")),
        _ => Value::text(""),
    };
    let labels = alerts.iter().map(|shown| shown.alert.labels.iter());
    let annotations = alerts.iter().map(|shown| {
        let pairs = shown.alert.annotations.iter();
        pairs.map(|(name, value)| (&**name, &**value))
    });
    structure(
        "template.Data",
        vec![
            ("Receiver", Value::text(quote_meta(&message.receiver))),
            ("Status", Value::text(status)),
            ("Alerts", list(ListKind::Alerts, items)),
            ("NotificationReason", Value::text(&*message.reason)),
            ("GroupLabels", pairs(message.group_labels.iter())),
            ("CommonLabels", common(labels)),
            ("CommonAnnotations", common(annotations)),
            ("ExternalURL", Value::text(links.external_url())),
        ],
        vec![
            ("RouteLabels", Value::Pairs(Arc::default())),
            ("Worst", list(ListKind::SomeAlerts, worst(alerts))),
            ("AllUnknown", Value::Bool(all_unknown)),
            ("AckURL", single("AckURL")),
            ("DashboardURL", single("DashboardURL")),
        ],
    )
}

fn one(
    alert: &Alert,
    is_firing: bool,
    threshold: Option<Threshold>,
    now: Time,
    links: &dyn Links,
) -> Value {
    // Alertmanager gives an alert that fires no end.
    let end = alert.ends_at.filter(|_| !is_firing);
    let length = end.unwrap_or(now).saturating_sub(alert.starts_at).max(0);
    let annotations = alert.annotations.iter();
    let url = |url: Option<String>| Value::text(url.unwrap_or_default());
    let shown = threshold.map(|threshold| threshold.to_string());
    structure(
        "template.Alert",
        vec![
            ("Status", Value::text(status(is_firing))),
            ("Labels", pairs(alert.labels.iter())),
            (
                "Annotations",
                pairs(annotations.map(|(name, value)| (&**name, &**value))),
            ),
            ("StartsAt", moment(Some(alert.starts_at))),
            ("EndsAt", moment(end)),
            ("GeneratorURL", Value::text(&*alert.generator_url)),
            (
                "Fingerprint",
                Value::text(Fingerprint::of(&alert.labels).to_string()),
            ),
        ],
        vec![
            ("Value", alert.value.map_or(Value::Nil, Value::Float)),
            (
                "ValueString",
                Value::text(alert.value.map_or_else(String::new, humanized)),
            ),
            ("Threshold", Value::text(shown.unwrap_or_default())),
            ("Since", moment(Some(alert.starts_at))),
            ("Duration", Value::Span(length.saturating_mul(1_000_000))),
            ("Unknown", Value::Bool(alert.unknown_since.is_some())),
            ("UnknownSince", moment(alert.unknown_since)),
            (
                "AckURL",
                url(links.acknowledge(alert).filter(|_| is_firing)),
            ),
            ("DashboardURL", url(links.dashboard(alert))),
        ],
    )
}

/// The firing alerts, those farthest beyond their threshold first, as a part of it. Those without a threshold follow,
/// the highest value first, and then those without a value.
fn worst(alerts: &[Shown<'_>]) -> Vec<Value> {
    let rank = |shown: &Shown<'_>| {
        let value = shown.alert.value.filter(|value| !value.is_nan());
        let excess = shown.threshold.zip(value);
        let excess = excess.map(|(threshold, value)| threshold.excess(value));
        let rank = match excess {
            Some(_) => 2,
            None => u8::from(value.is_some()),
        };
        (rank, excess.or(value).unwrap_or_default())
    };
    let mut firing: Vec<_> = alerts.iter().filter(|shown| shown.is_firing).collect();
    firing.sort_by(|a, b| {
        let ((a, of_a), (b, of_b)) = (rank(a), rank(b));
        b.cmp(&a).then_with(|| of_b.total_cmp(&of_a))
    });
    firing
        .into_iter()
        .map(|shown| shown.value.clone())
        .collect()
}

fn structure(
    kind: &'static str,
    fields: Vec<(&'static str, Value)>,
    hidden: Vec<(&'static str, Value)>,
) -> Value {
    Value::Data(Arc::new(Struct {
        kind,
        fields,
        hidden,
    }))
}

fn status(is_firing: bool) -> &'static str {
    if is_firing { "firing" } else { "resolved" }
}

fn pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let owned = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Value::Pairs(Arc::new(owned.collect()))
}

/// The pairs that all have.
fn common<'a, P: Iterator<Item = (&'a str, &'a str)>>(mut all: impl Iterator<Item = P>) -> Value {
    let mut shared: BTreeMap<&str, &str> = all.next().into_iter().flatten().collect();
    for other in all {
        if shared.is_empty() {
            break;
        }
        let other: BTreeMap<_, _> = other.collect();
        shared.retain(|name, value| other.get(name) == Some(value));
    }
    pairs(shared.into_iter())
}

/// A time in UTC; Go's zero time if there is none.
fn moment(time: Option<Time>) -> Value {
    match time {
        Some(time) => Value::Moment(Arc::new(timestamp(time).to_zoned(TimeZone::UTC))),
        None => Value::zero_time(),
    }
}

/// `regexp.QuoteMeta`.
fn quote_meta(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}
