//! `vigie alerts ack`: mutes alerts until they resolve.

use std::fmt::Write as _;

use anyhow::{Result, anyhow};
use clap::Args;
use http::Method;
use serde_json::json;
use vigie_notify::Fingerprint;
use vigie_notify::matcher::Matcher;
use vigie_promql::Labels;

use super::super::remote::{Failure, Remote, named};
use super::super::silence::{author, matcher};
use super::fetch::{self, NotifiedAlert};
use vigie_query::Target;

/// The arguments of `vigie alerts ack`.
#[derive(Args)]
pub(super) struct Ack {
    /// The name of the alert, or the fingerprint of one
    #[arg(value_name = "NAME|FINGERPRINT")]
    alert: String,
    /// Only those with such a label, like queue=mail
    #[arg(value_name = "MATCHER")]
    matchers: Vec<String>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
    /// Who; user@host by default
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// End the acknowledgement instead
    #[arg(long)]
    undo: bool,
    /// The server.
    #[command(flatten)]
    pub(super) target: Target,
}

/// Acknowledges the alerts, and returns the text to print.
pub(super) fn run(remote: &Remote, ack: &Ack) -> Result<String, Failure> {
    let matchers: Result<Vec<Matcher>, String> =
        ack.matchers.iter().map(|text| matcher(text)).collect();
    let matchers = matchers.map_err(Failure::Usage)?;
    let notified = fetch::notified(remote)?;
    let notified = notified.ok_or_else(|| anyhow!("{} does not notify", remote.place()))?;
    let wanted = |alert: &&NotifiedAlert| {
        let name = alert.labels.get("alertname");
        let named = name == Some(&ack.alert) || alert.fingerprint == ack.alert;
        let labels = alert.labels.iter();
        let labels = Labels::new(labels.map(|(name, value)| (name.as_str(), value.as_str())));
        named && matchers.iter().all(|matcher| matcher.matches(&labels))
    };
    let alerts: Vec<_> = notified.alerts.iter().filter(wanted).collect();
    if alerts.is_empty() {
        let kind = match ack.alert.parse::<Fingerprint>() {
            Ok(_) => "fingerprint",
            Err(_) => "name",
        };
        let error = anyhow!(
            "no firing alert has the {kind} {:?} and those labels",
            ack.alert
        );
        return Err(error.into());
    }
    let author = ack.author.clone().unwrap_or_else(author);
    let mut printed = String::new();
    for alert in alerts {
        let path = format!("/vigie/v1/alerts/{}/ack", alert.fingerprint);
        let body = json!({"by": author, "comment": ack.comment});
        match ack.undo {
            true => remote.send(Method::DELETE, &path, None)?,
            false => remote.send(Method::POST, &path, Some(&body))?,
        };
        let done = match ack.undo {
            true => "no longer acknowledged",
            false => "acknowledged, muted until it resolves",
        };
        let _ = writeln!(printed, "{}: {done}", named(&alert.labels));
    }
    Ok(printed)
}
