//! One message in place of many.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vigie_promql::Labels;

use crate::alert::Alert;
use crate::dispatch::Notification;
use crate::{Message, Time};

/// The reason that such a message states.
const REASON: &str = "too many messages";
/// The most alerts that it lists. The summary counts all of them.
const LISTED: usize = 50;
/// The most names of alerts in the summary.
const NAMES: usize = 5;

/// The message for several notifications to one integration. It belongs to the group of the likely cause, and lists that
/// first. `inhibitors` has the number of alerts that each firing alert inhibits.
pub(super) fn message(
    notifications: &[Notification],
    inhibitors: &BTreeMap<Labels, usize>,
) -> Message {
    let firing = distinct(notifications, |one| &one.firing);
    let resolved = distinct(notifications, |one| &one.resolved);
    let cause = likely_cause(&firing, inhibitors);
    let of_the_cause = |one: &&Notification| {
        let labels = |alert: &Arc<Alert>| Some(&alert.labels) == cause.as_ref();
        one.firing.iter().any(labels)
    };
    let first = notifications.iter().find(of_the_cause);
    let first = first.unwrap_or(&notifications[0]);
    let mut listed = firing.clone();
    listed.sort_by_key(|alert| {
        let is_cause = Some(&alert.labels) == cause.as_ref();
        let inhibits = inhibitors.get(&alert.labels).copied().unwrap_or(0);
        (!is_cause, usize::MAX - inhibits, rank(alert))
    });
    let own = |alerts: &[Arc<Alert>]| {
        let alerts = alerts.iter().take(LISTED);
        alerts.map(|alert| (**alert).clone()).collect::<Vec<_>>()
    };
    let (mut firing_alerts, mut resolved_alerts) = (own(&listed), own(&resolved));
    let summary = text(notifications.len(), &firing, &resolved, cause.as_ref());
    if let Some(alert) = firing_alerts.first_mut().or(resolved_alerts.first_mut()) {
        annotate(alert, &summary);
    }
    Message {
        reason: REASON.to_owned(),
        firing: firing_alerts,
        resolved: resolved_alerts,
        summary: Some(summary),
        ..Message::from(first)
    }
}

/// Puts the summary before that of the first alert, because the templates of every receiver show it there.
fn annotate(alert: &mut Alert, summary: &str) {
    let is_summary = |name: &str| name == "summary";
    let own = alert.annotations.iter().find(|(name, _)| is_summary(name));
    let text = match own {
        Some((_, own)) => format!("{summary}. {own}"),
        None => summary.to_owned(),
    };
    let rest = alert
        .annotations
        .iter()
        .filter(|(name, _)| !is_summary(name));
    let annotations = rest.cloned().chain([("summary".into(), text.into())]);
    let mut annotations: Vec<_> = annotations.collect();
    annotations.sort();
    alert.annotations = annotations.into();
}

/// The alerts of all notifications, each once.
fn distinct(
    notifications: &[Notification],
    of: impl Fn(&Notification) -> &Vec<Arc<Alert>>,
) -> Vec<Arc<Alert>> {
    let mut seen = BTreeSet::new();
    let alerts = notifications.iter().flat_map(|one| of(one).iter());
    let new = alerts.filter(|alert| seen.insert(&alert.labels));
    new.cloned().collect()
}

/// The firing alert that inhibits the most others, or else the first critical one, or the first one.
fn likely_cause(firing: &[Arc<Alert>], inhibitors: &BTreeMap<Labels, usize>) -> Option<Labels> {
    let most = inhibitors.iter().max_by_key(|(_, inhibited)| **inhibited);
    let first = || firing.iter().min_by_key(|alert| rank(alert));
    let most = most.map(|(labels, _)| labels);
    most.or_else(|| first().map(|alert| &alert.labels)).cloned()
}

/// Critical alerts first, then by age.
fn rank(alert: &Alert) -> (bool, Time) {
    (alert.labels.get("severity") != "critical", alert.starts_at)
}

fn text(
    messages: usize,
    firing: &[Arc<Alert>],
    resolved: &[Arc<Alert>],
    cause: Option<&Labels>,
) -> String {
    let mut text = format!("{messages} messages in one");
    if let Some(cause) = cause {
        text += &format!("; the likely cause is {}", named(cause));
    }
    for (state, alerts) in [("firing", firing), ("resolved", resolved)] {
        if !alerts.is_empty() {
            text += &format!("; {} {state}: {}", alerts.len(), counts(alerts));
        }
    }
    text
}

/// An alert, as in `CheckDown{check="redis"}`.
fn named(labels: &Labels) -> String {
    let rest = labels.filter(|name| name != "alertname");
    let name = labels.get("alertname");
    match rest.is_empty() {
        true => name.to_owned(),
        false => format!("{name}{rest}"),
    }
}

/// The numbers of alerts by name, the greatest first.
fn counts(alerts: &[Arc<Alert>]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for alert in alerts {
        *counts.entry(alert.labels.get("alertname")).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| usize::MAX - count);
    let (shown, rest) = counts.split_at(counts.len().min(NAMES));
    let shown = shown
        .iter()
        .map(|(name, count)| format!("{count} × {name}"));
    let mut shown: Vec<_> = shown.collect();
    let rest: usize = rest.iter().map(|(_, count)| count).sum();
    if rest > 0 {
        shown.push(format!("{rest} others"));
    }
    shown.join(", ")
}
