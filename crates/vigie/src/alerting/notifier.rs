//! The destination of alerts: the notification service with its receivers, or Alertmanagers.

use std::time::Duration;

use vigie_notify::Alert;
use vigie_notify::forward::{self, Forwarder};
use vigie_notify::service::Handle;

/// Where alerts go.
#[derive(Clone)]
pub(crate) enum Notifier {
    /// To the notification service.
    Service(Handle),
    /// To Alertmanagers.
    Forwarder(Forwarder),
}

impl Notifier {
    /// Passes alerts that changed. Returns the number refused.
    pub(super) fn observe(&self, alerts: Vec<Alert>) -> usize {
        match self {
            Self::Service(handle) => handle.observe(alerts),
            Self::Forwarder(forwarder) => forwarder.observe(alerts),
        }
    }

    /// Passes all current alerts when this replica notifies in place of another one. Returns the number refused.
    pub(super) fn take_over(&self, alerts: Vec<Alert>) -> usize {
        match self {
            Self::Service(handle) => handle.take_over(alerts),
            Self::Forwarder(forwarder) => forwarder.observe(alerts),
        }
    }

    /// Passes all current alerts. Other alerts of the rules no longer exist. Returns the number refused.
    pub(super) fn replace(&self, alerts: Vec<Alert>) -> usize {
        match self {
            Self::Service(handle) => handle.replace(alerts),
            // An Alertmanager resolves alerts that are not repeated.
            Self::Forwarder(forwarder) => forwarder.observe(alerts),
        }
    }

    /// Sets the longest interval of the rules, after a reload.
    pub(super) fn set_longest_interval(&self, longest: Option<Duration>) {
        match self {
            // It keeps alerts until it is told that they end.
            Self::Service(_) => {}
            Self::Forwarder(forwarder) => forwarder.set_evaluation(evaluation(longest)),
        }
    }
}

/// The interval at which alerts are evaluated, from the longest interval of the rules, if there are any.
pub(super) fn evaluation(longest: Option<Duration>) -> Duration {
    longest.unwrap_or(forward::Settings::default().evaluation)
}
