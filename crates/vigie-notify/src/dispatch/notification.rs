//! Messages to send, their outcomes, and the next ones due.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vigie_promql::Labels;

use super::mute::Mute;
use crate::alert::Alert;
use crate::{Time, saved};

/// A message to one integration of a receiver. Its outcome must be reported: until then, no other message of its group is
/// sent to that integration.
#[derive(Clone, Debug)]
pub struct Notification {
    /// Its identifier, for the report of the outcome.
    pub id: u64,
    /// The receiver.
    pub receiver: Arc<str>,
    /// The integration of the receiver, as in `slack/0`.
    pub integration: Arc<str>,
    /// The key of the group, as Alertmanager writes it.
    pub group_key: String,
    /// The labels that the group's alerts share.
    pub group_labels: Labels,
    /// The reason for sending it.
    pub reason: Reason,
    /// The time of the decision.
    pub at: Time,
    /// All firing alerts of the group that are not muted, those with an unreadable source included.
    pub firing: Vec<Arc<Alert>>,
    /// Resolved alerts of which a firing message was delivered, or may have been.
    pub resolved: Vec<Arc<Alert>>,
}

/// The reason for sending a message. Its text is Alertmanager's `notification_reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The first message of the group, or the first after all of its alerts resolved.
    First,
    /// There are firing alerts of which no message was delivered.
    NewAlerts,
    /// Some of the alerts resolved.
    NewResolved,
    /// All of the alerts resolved.
    AllResolved,
    /// The group is unchanged since its last message, `repeat_interval` ago.
    Repeat,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first notification",
            Self::NewAlerts => "new alerts added",
            Self::NewResolved => "some alerts resolved",
            Self::AllResolved => "all alerts resolved",
            Self::Repeat => "repeat interval elapsed",
        })
    }
}

/// The outcome of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver accepted it.
    Delivered,
    /// It was sent without an answer, so it may have been delivered. It is sent again.
    Unsure,
    /// It was not delivered.
    Failed,
}

/// An alert about which a message could not be delivered before it resolved, or for too long after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// The receiver.
    #[serde(with = "saved::text")]
    pub receiver: Arc<str>,
    /// The integration that failed.
    #[serde(with = "saved::text")]
    pub integration: Arc<str>,
    /// Whether a firing message was delivered, or may have been, so that only the resolved one is missing.
    #[serde(default)]
    pub fired: bool,
    /// The labels of the alert.
    #[serde(with = "saved::labels")]
    pub labels: Labels,
    /// The time it began to fire.
    pub starts_at: Time,
    /// The time it resolved.
    pub ends_at: Time,
}

/// The result of [`super::Dispatcher::advance`].
#[derive(Clone, Debug, Default)]
pub struct Advance {
    /// The messages to send.
    pub notifications: Vec<Notification>,
    /// Alerts about which no message will be sent any more, to be logged and counted.
    pub undelivered: Vec<Undelivered>,
}

/// The next message of a group to an integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The receiver.
    pub receiver: Arc<str>,
    /// The integration of the receiver.
    pub integration: Arc<str>,
    /// The key of the group.
    pub group_key: String,
    /// The time it is due; `None` while that is unknown.
    pub at: Option<Time>,
    /// The reason for that time.
    pub why: Why,
}

/// The reason for the time of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The outcome of the last message is unknown.
    InFlight,
    /// The group waits for more alerts first.
    GroupWait,
    /// The group changed, and its last message was less than its interval ago.
    GroupInterval,
    /// The last message failed, or its outcome was unsure.
    Retry,
    /// Nothing changed, so the last message is repeated.
    Repeat,
    /// The alerts to send are muted; they are checked again at that time.
    Muted(Mute),
    /// Nothing is to be sent.
    Nothing,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InFlight => f.write_str("the outcome of the last message is unknown"),
            Self::GroupWait => f.write_str("the group waits for more alerts (group_wait)"),
            Self::GroupInterval => f.write_str("the group changed (group_interval)"),
            Self::Retry => f.write_str("the last message was not delivered"),
            Self::Repeat => f.write_str("the message is repeated (repeat_interval)"),
            Self::Muted(mute) => mute.fmt(f),
            Self::Nothing => f.write_str("nothing is to be sent"),
        }
    }
}
