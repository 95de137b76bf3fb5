//! The alert about a receiver that fails. It is sent to every other integration, whatever the routes say.

use vigie_promql::Labels;

use super::plan::Integration;
use crate::Time;
use crate::alert::Alert;
use crate::route::Options;

/// The name of the alert.
pub const FAILING: &str = "NotificationsFailing";
/// The key of its groups, in place of matchers.
pub(super) const KEY: &str = "{}/{alertname=\"NotificationsFailing\"}";

/// The alert about an integration that does not deliver. `reason` is one of the values of the label of the metrics.
#[must_use]
pub fn failing_alert(receiver: &str, integration: &str, reason: &str, since: Time) -> Alert {
    let labels = Labels::new([
        ("alertname", FAILING),
        ("receiver", receiver),
        ("integration", integration),
        ("reason", reason),
        ("severity", "critical"),
    ]);
    Alert::firing(labels, since)
}

/// The receiver and the integration that an alert is about.
pub(super) fn target(labels: &Labels) -> Option<(&str, &str)> {
    let is_it = labels.get("alertname") == FAILING;
    is_it.then(|| (labels.get("receiver"), labels.get("integration")))
}

/// Whether an alert is about this integration, which therefore does not get it.
pub(super) fn is_about(labels: &Labels, options: &Options, integration: &Integration) -> bool {
    target(labels) == Some((&*options.receiver, &*integration.integration))
}
