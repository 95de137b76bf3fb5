//! The short settings of notifications: receivers only, with routes, grouping and inhibition built in.
//!
//! They are converted to an `alertmanager.yml`, which is then read like any other. Except for ntfy, they have no feature that
//! the file lacks, so a team that needs more can continue with that file.

mod smtp;
#[cfg(test)]
mod tests;
mod yaml;

pub use smtp::{SmtpUrl, SmtpUrlError};

use secrecy::ExposeSecret as _;

use super::receiver::{Integration, Kind, Ntfy};
use super::{Config, HttpConfig, Secret, load};
use crate::problem::Problems;

/// The receivers, at most one of each kind.
#[derive(Clone, Debug, Default)]
pub struct Short {
    /// The receivers.
    pub receivers: Vec<ShortReceiver>,
}

/// A receiver.
#[derive(Clone, Debug)]
pub struct ShortReceiver {
    /// Its kind and address.
    pub kind: ShortKind,
    /// The alerts that it is notified of.
    pub severity: Severity,
    /// Whether it is notified of resolved alerts.
    pub send_resolved: bool,
}

/// The alerts that a receiver is notified of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// All but those of the severity `none`.
    All,
    /// Alerts of the severity `critical`.
    Critical,
}

/// The kind and address of a receiver.
#[derive(Clone, Debug)]
pub enum ShortKind {
    /// A Slack webhook.
    Slack {
        /// Its URL.
        url: Secret,
    },
    /// Mails.
    Email {
        /// The recipients.
        to: Vec<String>,
        /// The sender.
        from: String,
        /// The mail server.
        smtp: SmtpUrl,
        /// The password, in place of one in the URL.
        password: Option<Secret>,
        /// Whether an unencrypted connection is refused.
        require_tls: bool,
    },
    /// A webhook with Alertmanager's body.
    Webhook {
        /// Its URL.
        url: Secret,
    },
    /// A Discord webhook.
    Discord {
        /// Its URL.
        url: Secret,
    },
    /// A workflow of Microsoft Teams.
    Teams {
        /// Its URL.
        url: Secret,
    },
    /// A Telegram chat.
    Telegram {
        /// The bot's token.
        token: Secret,
        /// The number of the chat.
        chat: i64,
    },
    /// A PagerDuty service.
    PagerDuty {
        /// The integration key of the Events API v2.
        key: Secret,
    },
    /// A Pushover user or group.
    Pushover {
        /// The key of the user.
        user: Secret,
        /// The token of the application.
        token: Secret,
    },
    /// A topic of ntfy.
    Ntfy {
        /// The URL of the topic.
        url: Secret,
        /// The access token.
        token: Option<Secret>,
    },
}

/// The receiver of critical alerts, and that of the others.
const CRITICAL: &str = "critical";
const WARNING: &str = "warning";
/// The receiver of alerts that nobody is notified of.
const NONE: &str = "none";

/// The configuration that the short settings stand for.
///
/// # Errors
/// Values that the file cannot hold. The positions are those in [`yaml`], so only the texts are of use.
pub fn config(short: &Short) -> Result<Config, Problems> {
    let text = yaml::write(short, |secret, _| match secret {
        Secret::Value(value) => value.expose_secret().to_owned(),
        Secret::File(_) | Secret::Hidden(_) => String::new(),
    });
    let mut config = load(&text)?;
    for receiver in &mut config.receivers {
        for given in &short.receivers {
            let ShortKind::Ntfy { url, token } = &given.kind else {
                continue;
            };
            if let Some(priority) = ntfy_priority(&receiver.name, given.severity) {
                receiver.integrations.push(Integration {
                    id: "ntfy/0".to_owned(),
                    send_resolved: given.send_resolved,
                    kind: Kind::Ntfy(Box::new(ntfy(url, token.as_ref(), priority))),
                });
            }
        }
    }
    Ok(config)
}

/// The `alertmanager.yml` that the short settings stand for. Secrets that are not in files are left out, and ntfy, which
/// Alertmanager does not have, is a comment.
#[must_use]
pub fn yaml(short: &Short) -> String {
    yaml::write(short, |_, placeholder| placeholder.to_owned())
}

/// The priority of messages about firing alerts, if the receiver has ntfy.
fn ntfy_priority(receiver: &str, severity: Severity) -> Option<u8> {
    match (receiver, severity) {
        (CRITICAL, _) => Some(5),
        (WARNING, Severity::All) => Some(3),
        _ => None,
    }
}

fn ntfy(url: &Secret, token: Option<&Secret>, priority: u8) -> Ntfy {
    Ntfy {
        url: url.clone(),
        token: token.cloned(),
        http: HttpConfig::default(),
        title: r#"{{ template "pushover.default.title" . }}"#.to_owned(),
        message: r#"{{ template "pushover.default.message" . }}"#.to_owned(),
        click: r#"{{ template "pushover.default.url" . }}"#.to_owned(),
        priority,
    }
}
