//! Writes groups, rules and alerts as JSON, with the keys in the order of Prometheus.

use std::time::Duration;

use jiff::Timestamp;

use super::{Alert, Alerting, Health, Rule, RuleGroup};
use crate::{json, number};

/// The time of Go that is not set, for a rule that was not evaluated yet.
const NEVER: &str = "0001-01-01T00:00:00Z";

pub(super) fn group(out: &mut Vec<u8>, group: &RuleGroup, rules: &[&Rule], has_alerts: bool) {
    out.extend_from_slice(br#"{"name":"#);
    json::string(out, &group.name);
    text(out, "file", &group.file);
    key(out, "rules");
    out.push(b'[');
    json::list(out, rules, |out, one| rule(out, one, has_alerts));
    out.push(b']');
    seconds(out, "interval", group.interval);
    key(out, "limit");
    out.extend_from_slice(itoa::Buffer::new().format(group.limit).as_bytes());
    seconds(out, "evaluationTime", group.evaluation_time);
    moment(out, "lastEvaluation", group.last_evaluation);
    out.push(b'}');
}

fn rule(out: &mut Vec<u8>, rule: &Rule, has_alerts: bool) {
    match &rule.alerting {
        Some(alerting) => alerting_rule(out, rule, alerting, has_alerts),
        None => {
            out.extend_from_slice(br#"{"name":"#);
            json::string(out, &rule.name);
            text(out, "query", &rule.query);
            if rule.labels.iter().next().is_some() {
                key(out, "labels");
                json::labels(out, &rule.labels);
            }
        }
    }
    let health = match rule.health {
        Health::Unknown => "unknown",
        Health::Good => "ok",
        Health::Bad => "err",
    };
    text(out, "health", health);
    if let Some(error) = &rule.last_error {
        text(out, "lastError", error);
    }
    seconds(out, "evaluationTime", rule.evaluation_time);
    moment(out, "lastEvaluation", rule.last_evaluation);
    let kind = match rule.alerting {
        Some(_) => "alerting",
        None => "recording",
    };
    text(out, "type", kind);
    if !rule.selects_nothing.is_empty() {
        key(out, "selectsNothing");
        json::strings(out, &rule.selects_nothing);
    }
    out.push(b'}');
}

fn alerting_rule(out: &mut Vec<u8>, rule: &Rule, alerting: &Alerting, has_alerts: bool) {
    let state = if alerting.alerts.iter().any(|alert| alert.is_firing) {
        "firing"
    } else if !alerting.alerts.is_empty() {
        "pending"
    } else if rule.health == Health::Unknown {
        "unknown"
    } else {
        "inactive"
    };
    out.extend_from_slice(br#"{"state":"#);
    json::string(out, state);
    text(out, "name", &rule.name);
    text(out, "query", &rule.query);
    seconds(out, "duration", alerting.hold);
    seconds(out, "keepFiringFor", alerting.keep_firing);
    key(out, "labels");
    json::labels(out, &rule.labels);
    key(out, "annotations");
    json::labels(out, &alerting.annotations);
    key(out, "alerts");
    match has_alerts {
        true => {
            out.push(b'[');
            json::list(out, &alerting.alerts, alert);
            out.push(b']');
        }
        false => out.extend_from_slice(b"null"),
    }
}

pub(super) fn alert(out: &mut Vec<u8>, alert: &Alert) {
    out.extend_from_slice(br#"{"labels":"#);
    json::labels(out, &alert.labels);
    key(out, "annotations");
    out.push(b'{');
    json::list(out, alert.annotations.iter(), |out, (name, value)| {
        json::string(out, name);
        out.push(b':');
        json::string(out, value);
    });
    out.push(b'}');
    let state = match alert.is_firing {
        true => "firing",
        false => "pending",
    };
    text(out, "state", state);
    moment(out, "activeAt", Some(alert.active_at));
    if let Some(since) = alert.keep_firing_since {
        moment(out, "keepFiringSince", Some(since));
    }
    key(out, "value");
    out.push(b'"');
    number::scientific(out, alert.value);
    out.push(b'"');
    if let Some(since) = alert.unknown_since {
        moment(out, "unknownSince", Some(since));
    }
    out.push(b'}');
}

fn key(out: &mut Vec<u8>, name: &str) {
    out.push(b',');
    json::string(out, name);
    out.push(b':');
}

fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    key(out, name);
    json::string(out, value);
}

fn seconds(out: &mut Vec<u8>, name: &str, duration: Duration) {
    key(out, name);
    number::value(out, duration.as_secs_f64());
}

fn moment(out: &mut Vec<u8>, name: &str, millis: Option<i64>) {
    let time = millis.and_then(|millis| Timestamp::from_millisecond(millis).ok());
    let time = time.map_or_else(|| NEVER.to_owned(), |time| time.to_string());
    text(out, name, &time);
}
