//! Messages to deliver: the content of a notification, as the outbox stores it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vigie_promql::Labels;

use crate::alert::Alert;
use crate::dispatch::Notification;
use crate::{Time, saved};

/// A message to one integration of a receiver.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    /// The identifier of its notification.
    pub id: u64,
    /// The receiver.
    #[serde(with = "saved::text")]
    pub receiver: Arc<str>,
    /// The integration of the receiver, as in `slack/0`.
    #[serde(with = "saved::text")]
    pub integration: Arc<str>,
    /// The key of the group, as Alertmanager writes it.
    pub group_key: String,
    /// The labels that the group's alerts share.
    #[serde(with = "saved::labels")]
    pub group_labels: Labels,
    /// The reason for sending it, as Alertmanager's `notification_reason`.
    pub reason: String,
    /// The time of the decision.
    pub at: Time,
    /// The firing alerts, those with an unreadable source included.
    pub firing: Vec<Alert>,
    /// The resolved alerts.
    pub resolved: Vec<Alert>,
    /// The summary of a message that stands for the messages of many groups: the likely cause and the numbers of alerts. It
    /// is also in the annotation `summary` of the first alert.
    #[serde(default)]
    pub summary: Option<String>,
}

impl From<&Notification> for Message {
    fn from(notification: &Notification) -> Self {
        let owned = |alerts: &[Arc<Alert>]| alerts.iter().map(|alert| (**alert).clone()).collect();
        Self {
            id: notification.id,
            receiver: Arc::clone(&notification.receiver),
            integration: Arc::clone(&notification.integration),
            group_key: notification.group_key.clone(),
            group_labels: notification.group_labels.clone(),
            reason: notification.reason.to_string(),
            at: notification.at,
            firing: owned(&notification.firing),
            resolved: owned(&notification.resolved),
            summary: None,
        }
    }
}
