//! `vigie alerts`: the firing, pending and unknown alerts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::super::remote::{Labels, Screen, columns, named};
use super::fetch::{Group, Next, Notified, NotifiedAlert, Rule, RuleAlert, Undelivered};
use vigie_query::printable;

/// The state of an alert, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Firing,
    Unknown,
    Pending,
}

impl State {
    /// The state of an alert of a rule.
    pub(super) fn of(alert: &RuleAlert) -> Self {
        match alert.unknown_since {
            Some(_) => Self::Unknown,
            None if alert.is_pending() => Self::Pending,
            None => Self::Firing,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Unknown => "unknown",
            Self::Pending => "pending",
        }
    }
}

/// An alert, with everything that is known about it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alert {
    pub(super) state: State,
    pub(super) labels: Labels,
    pub(super) since: Option<Timestamp>,
    pub(super) value: Option<String>,
    /// The time at which a pending one fires, if its condition lasts.
    fires_at: Option<Timestamp>,
    pub(super) fingerprint: Option<String>,
    /// The next messages; `None` if the server does not notify.
    next: Option<Vec<Next>>,
}

/// The alerts of the rules, completed by what is notified, in the order of state and labels.
pub(super) fn alerts(groups: &[Group], notified: Option<&Notified>) -> Vec<Alert> {
    let mut known: BTreeMap<&str, Vec<&NotifiedAlert>> = BTreeMap::new();
    for alert in notified.into_iter().flat_map(|notified| &notified.alerts) {
        let name = alert.labels.get("alertname").map_or("", String::as_str);
        known.entry(name).or_default().push(alert);
    }
    let mut alerts = Vec::new();
    for rule in groups.iter().flat_map(|group| &group.rules) {
        for alert in &rule.alerts {
            let same = known.get_mut(&*rule.name).and_then(|alerts| {
                let at = alerts.iter().position(|known| is_of(known, alert))?;
                Some(alerts.swap_remove(at))
            });
            alerts.push(of_rule(rule, alert, same, notified.is_some()));
        }
    }
    // Alerts that clients sent, and alerts that their rule no longer has.
    let rest = known.into_values().flatten();
    alerts.extend(rest.map(of_notified));
    alerts.sort_by(|a, b| (a.state, &a.labels).cmp(&(b.state, &b.labels)));
    alerts
}

/// Whether a notified alert is one of a rule; external labels may have been added to it.
fn is_of(notified: &NotifiedAlert, alert: &RuleAlert) -> bool {
    let mut labels = alert.labels.iter();
    labels.all(|(name, value)| notified.labels.get(name) == Some(value))
}

fn of_rule(
    rule: &Rule,
    alert: &RuleAlert,
    notified: Option<&NotifiedAlert>,
    notifies: bool,
) -> Alert {
    Alert {
        state: State::of(alert),
        labels: alert.labels.clone(),
        since: alert.since(),
        value: Some(alert.value.clone()).filter(|value| !value.is_empty()),
        fires_at: alert.fires_at(rule),
        fingerprint: notified.map(|notified| notified.fingerprint.clone()),
        next: match notified {
            Some(notified) => Some(notified.next.clone()),
            None => notifies.then(Vec::new),
        },
    }
}

fn of_notified(alert: &NotifiedAlert) -> Alert {
    Alert {
        state: match alert.unknown_since {
            Some(_) => State::Unknown,
            None => State::Firing,
        },
        labels: alert.labels.clone(),
        since: Some(alert.unknown_since.unwrap_or(alert.starts_at)),
        value: alert.value.clone(),
        fires_at: None,
        fingerprint: Some(alert.fingerprint.clone()),
        next: Some(alert.next.clone()),
    }
}

/// The alerts as a table.
pub(super) fn table(alerts: &[Alert], screen: &Screen) -> String {
    if alerts.is_empty() {
        return "no alert is firing or pending\n".to_owned();
    }
    let head = ["state", "since", "value", "alert", "next message"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(alerts.iter().map(|alert| {
        let since = alert.since.map(|since| screen.since(since));
        vec![
            alert.state.name().to_owned(),
            since.unwrap_or_default(),
            alert.value.as_deref().map(number).unwrap_or_default(),
            named(&alert.labels),
            note(alert, screen),
        ]
    }));
    coloured(&columns(&rows), alerts, screen)
}

/// The alerts about which no message was delivered.
pub(super) fn undelivered(undelivered: &[Undelivered], screen: &Screen) -> String {
    let lines = undelivered.iter().map(|lost| {
        format!(
            "\n{} fired at {} and resolved at {}; no message about it was delivered to {} ({})",
            named(&lost.labels),
            screen.time(lost.starts_at),
            screen.time(lost.ends_at),
            printable(&lost.receiver),
            printable(&lost.integration),
        )
    });
    let lines: String = lines.collect();
    if lines.is_empty() {
        lines
    } else {
        lines + "\n"
    }
}

/// A value as people write it: Prometheus sends `1.2e+01`.
pub(super) fn number(text: &str) -> String {
    text.parse::<f64>()
        .map_or_else(|_| printable(text), |value| value.to_string())
}

/// The next message, and the reason for its time.
fn note(alert: &Alert, screen: &Screen) -> String {
    if alert.state == State::Pending {
        return match alert.fires_at {
            Some(at) => format!("fires at {}, if it lasts", screen.time(at)),
            None => String::new(),
        };
    }
    let Some(next) = &alert.next else {
        return "this server does not notify".to_owned();
    };
    // Messages without a time come last.
    let Some(first) = next.iter().min_by_key(|next| (next.at.is_none(), next.at)) else {
        return "none".to_owned();
    };
    let more = match next.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let (receiver, reason) = (printable(&first.receiver), printable(&first.reason));
    match first.at {
        Some(at) => format!("{} to {receiver}: {reason}{more}", screen.time(at)),
        None => format!("none to {receiver}: {reason}{more}"),
    }
}

/// The table with the states in colour, if the terminal has any.
fn coloured(table: &str, alerts: &[Alert], screen: &Screen) -> String {
    if !screen.coloured {
        return table.to_owned();
    }
    let mut lines = table.lines();
    let head = lines.next().unwrap_or_default();
    let lines = lines.zip(alerts).map(|(line, alert)| {
        let colour = match alert.state {
            State::Firing => 31,
            State::Unknown => 35,
            State::Pending => 33,
        };
        let (state, rest) = line.split_at(line.find(' ').unwrap_or(line.len()));
        format!("\u{1b}[{colour}m{state}\u{1b}[0m{rest}\n")
    });
    format!("{head}\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"{"groups": [{"name": "g", "rules": [{
        "name": "Backlog", "query": "x > 5", "duration": 60,
        "alerts": [
            {"labels": {"alertname": "Backlog", "q": "a"}, "state": "firing", "value": "7",
             "activeAt": "2026-01-31T12:00:00Z", "unknownSince": "2026-01-31T13:00:00Z"},
            {"labels": {"alertname": "Backlog", "q": "b"}, "state": "pending", "value": "6",
             "activeAt": "2026-01-31T12:00:00Z"},
            {"labels": {"alertname": "Backlog", "q": "c"}, "state": "firing", "value": "9",
             "activeAt": "2026-01-31T12:00:00Z"}
        ]
    }]}]}"#;

    #[test]
    fn the_rules_tell_which_alerts_are_unknown() {
        let rules: super::super::fetch::Rules = serde_json::from_str(RULES).unwrap();
        // The server does not notify, or another program does.
        let found = alerts(&rules.groups, None);
        let found: Vec<_> = found
            .iter()
            .map(|alert| {
                let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
                let q = alert.labels["q"].as_str();
                (alert.state, q, time(alert.since), time(alert.fires_at))
            })
            .collect();
        let at = |time: &str| Some(format!("2026-01-31T{time}Z"));
        assert_eq!(
            found,
            [
                (State::Firing, "c", at("12:00:00"), None),
                (State::Unknown, "a", at("13:00:00"), None),
                (State::Pending, "b", at("12:00:00"), at("12:01:00")),
            ]
        );
    }
}
