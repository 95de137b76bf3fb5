//! The server's data about alerts: from the rules, and from the notifications.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::remote::{Labels, Remote};

/// The data of `/api/v1/rules`.
#[derive(Deserialize)]
pub(super) struct Rules {
    pub(super) groups: Vec<Group>,
}

/// A group of rules.
#[derive(Deserialize)]
pub(super) struct Group {
    pub(super) name: String,
    #[serde(default)]
    pub(super) file: String,
    /// In seconds.
    #[serde(default)]
    pub(super) interval: f64,
    #[serde(default)]
    pub(super) rules: Vec<Rule>,
}

/// A rule.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) query: String,
    /// Its `for`, in seconds.
    #[serde(default)]
    pub(super) duration: f64,
    #[serde(default)]
    pub(super) alerts: Vec<RuleAlert>,
    #[serde(default)]
    pub(super) health: String,
    #[serde(default)]
    pub(super) last_error: String,
    pub(super) last_evaluation: Option<Timestamp>,
}

/// An alert of a rule.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RuleAlert {
    pub(super) labels: Labels,
    pub(super) state: String,
    pub(super) active_at: Option<Timestamp>,
    /// Since when its source cannot be read; a Prometheus does not tell.
    pub(super) unknown_since: Option<Timestamp>,
    #[serde(default)]
    pub(super) value: String,
}

impl RuleAlert {
    pub(super) fn is_pending(&self) -> bool {
        self.state == "pending"
    }

    /// Since when it is in its state.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.unknown_since.or(self.active_at)
    }

    /// The time at which a pending one fires, if its condition lasts.
    pub(super) fn fires_at(&self, rule: &Rule) -> Option<Timestamp> {
        let wait = SignedDuration::try_from_secs_f64(rule.duration).ok()?;
        let since = self.active_at.filter(|_| self.is_pending())?;
        since.checked_add(wait).ok()
    }
}

/// The answer of `/vigie/v1/alerts`.
#[derive(Default, Deserialize)]
pub(super) struct Notified {
    pub(super) alerts: Vec<NotifiedAlert>,
    pub(super) undelivered: Vec<Undelivered>,
}

/// An alert that is passed to receivers.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NotifiedAlert {
    pub(super) fingerprint: String,
    pub(super) labels: Labels,
    pub(super) starts_at: Timestamp,
    pub(super) unknown_since: Option<Timestamp>,
    pub(super) value: Option<String>,
    pub(super) next: Vec<Next>,
}

/// The next message to a receiver.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Next {
    pub(super) receiver: String,
    pub(super) integration: String,
    pub(super) at: Option<Timestamp>,
    pub(super) reason: String,
}

/// An alert that resolved before a firing message about it was delivered.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Undelivered {
    pub(super) receiver: String,
    pub(super) integration: String,
    pub(super) labels: Labels,
    pub(super) starts_at: Timestamp,
    pub(super) ends_at: Timestamp,
}

/// The groups of alerting rules.
pub(super) fn rules(remote: &Remote) -> Result<Vec<Group>> {
    let rules: Rules = remote.data("/api/v1/rules?type=alert")?;
    Ok(rules.groups)
}

/// The alerts that are passed to receivers; none if the server is a Prometheus.
pub(super) fn notified(remote: &Remote) -> Result<Option<Notified>> {
    remote.get("/vigie/v1/alerts")
}
