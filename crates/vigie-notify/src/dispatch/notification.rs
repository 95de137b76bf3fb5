//! What is to be sent, and what became of it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vigie_promql::Labels;

use super::mute::Mute;
use crate::alert::Alert;
use crate::{Time, saved};

/// A message to send to one integration of a receiver. Its outcome must be reported, sooner or later: until then, nothing
/// else of its group is sent to that integration.
#[derive(Clone, Debug)]
pub struct Notification {
    /// Names it when the outcome is reported.
    pub id: u64,
    /// The receiver.
    pub receiver: Arc<str>,
    /// The integration of the receiver, as in `slack/0`.
    pub integration: Arc<str>,
    /// The key of the group, as Alertmanager writes it.
    pub group_key: String,
    /// The labels that the group's alerts share.
    pub group_labels: Labels,
    /// Why it is sent.
    pub reason: Reason,
    /// When it was decided.
    pub at: Time,
    /// All alerts of the group that fire and are not muted. Those whose source cannot be read are among them.
    pub firing: Vec<Arc<Alert>>,
    /// The alerts that are over and of which the integration was told, or may have been, that they fire.
    pub resolved: Vec<Arc<Alert>>,
}

/// Why a message is sent; the text is that of Alertmanager's `notification_reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The first one of the group, or the first after all of its alerts were over.
    First,
    /// Alerts that it was not told of.
    NewAlerts,
    /// Some of the alerts are over.
    NewResolved,
    /// All of the alerts are over.
    AllResolved,
    /// Nothing changed since the last message, which is long ago.
    Repeat,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first notification",
            Self::NewAlerts => "new alerts in group",
            Self::NewResolved => "new resolved alerts",
            Self::AllResolved => "all alerts resolved",
            Self::Repeat => "repeat interval elapsed",
        })
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver accepted it.
    Delivered,
    /// It was sent, but no answer came: it is sent again, and counts as told.
    Unsure,
    /// The receiver did not get it.
    Failed,
}

/// The trace of an alert that is over before its receiver could be told that it fires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// The receiver.
    #[serde(with = "saved::text")]
    pub receiver: Arc<str>,
    /// The integration that failed.
    #[serde(with = "saved::text")]
    pub integration: Arc<str>,
    /// The labels of the alert.
    #[serde(with = "saved::labels")]
    pub labels: Labels,
    /// When it began to fire.
    pub starts_at: Time,
    /// When it was over.
    pub ends_at: Time,
}

/// What is to be done now.
#[derive(Clone, Debug, Default)]
pub struct Advance {
    /// The messages to send.
    pub notifications: Vec<Notification>,
    /// The alerts that nobody will be told of any more.
    pub undelivered: Vec<Undelivered>,
}

/// When the next message of a group is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The receiver.
    pub receiver: Arc<str>,
    /// The integration of the receiver.
    pub integration: Arc<str>,
    /// The key of the group.
    pub group_key: String,
    /// When; `None` while that is open.
    pub at: Option<Time>,
    /// Why then.
    pub why: Why,
}

/// Why a message is due when it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The outcome of the last message is not known yet.
    InFlight,
    /// The group waits for more alerts first.
    GroupWait,
    /// The group changed, and its last message was less than its interval ago.
    GroupInterval,
    /// The last message failed, or its outcome was unsure.
    Retry,
    /// Nothing changed, so the last message is repeated.
    Repeat,
    /// The alert that there is to tell of is muted; it is looked at again then.
    Muted(Mute),
    /// There is nothing to tell.
    Nothing,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InFlight => f.write_str("the outcome of the last message is not known yet"),
            Self::GroupWait => f.write_str("the group waits for more alerts (group_wait)"),
            Self::GroupInterval => f.write_str("the group changed (group_interval)"),
            Self::Retry => f.write_str("the last message was not delivered (group_interval)"),
            Self::Repeat => f.write_str("the message is repeated (repeat_interval)"),
            Self::Muted(mute) => mute.fmt(f),
            Self::Nothing => f.write_str("there is nothing to tell"),
        }
    }
}
