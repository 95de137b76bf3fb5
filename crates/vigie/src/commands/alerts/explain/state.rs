//! The state of a rule's alerts.

use std::fmt::Write as _;

use super::super::fetch::Rule;
use super::super::list::{State, number};
use crate::commands::remote::{Screen, braces, lasting};
use vigie_query::printable;

/// The state of the rule's alerts, and when it fires.
pub(super) fn describe(rule: &Rule, screen: &Screen) -> String {
    let mut text = String::new();
    for alert in &rule.alerts {
        let since = alert.since();
        let since = since.map_or_else(String::new, |at| format!(" since {}", screen.since(at)));
        let (state, value) = (State::of(alert).name(), number(&alert.value));
        let _ = write!(text, "{state}{since}, value {value}");
        if let Some(at) = alert.fires_at(rule) {
            let _ = write!(text, ", fires at {} if it lasts", screen.time(at));
        }
        let _ = writeln!(text, "  {}", braces(&alert.labels));
    }
    if rule.alerts.is_empty() {
        let then = match rule.duration > 0.0 {
            true => format!(
                "after a result for {}",
                lasting(rule.duration.round() as i64)
            ),
            false => "at the first evaluation with a result".to_owned(),
        };
        let _ = writeln!(text, "inactive; an alert fires {then}");
    }
    if !rule.last_error.is_empty() {
        let _ = writeln!(
            text,
            "the last evaluation failed: {}",
            printable(&rule.last_error)
        );
    } else if rule.health == "unknown" || rule.last_evaluation.is_none() {
        text += "not evaluated yet\n";
    }
    text
}
