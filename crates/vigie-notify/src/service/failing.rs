//! Receivers that fail: an alert about each, which the others get.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::watch;

use super::Handle;
use crate::deliver::Cause;
use crate::dispatch::{Dispatcher, FAILING, failing_alert};
use crate::metrics::Metrics;
use crate::outbox::{Failing, Outbox, Target};
use crate::{Alert, State, Time};

/// The alerts about receivers that fire.
pub(super) struct Reports {
    firing: BTreeMap<Target, Alert>,
    /// The receivers at the last update.
    targets: Arc<BTreeSet<Target>>,
    /// The receivers that failed then.
    failing: BTreeMap<Target, Failing>,
    healthy: watch::Sender<bool>,
}

impl Reports {
    /// The alerts of a restored state. Marks their receivers as failing in the outbox.
    pub(super) fn restore(dispatcher: &Dispatcher, now: Time, outbox: &mut Outbox) -> Self {
        let mut firing = BTreeMap::new();
        for (alert, _) in dispatcher.alerts() {
            let label = |name| Arc::<str>::from(alert.labels.get(name));
            let cause = Cause::from_name(alert.labels.get("reason"));
            let is_own = alert.labels.get("alertname") == FAILING
                && alert.ends_at.is_none()
                && alert.state(now) == State::Firing;
            let Some(cause) = cause.filter(|_| is_own) else {
                continue;
            };
            let target = Target {
                receiver: label("receiver"),
                integration: label("integration"),
            };
            let failing = Failing {
                cause,
                text: String::new(),
                since: alert.starts_at,
            };
            outbox.restore(now, target.clone(), failing);
            firing.insert(target, (**alert).clone());
        }
        let healthy = watch::Sender::new(firing.is_empty());
        Self {
            firing,
            targets: Arc::default(),
            failing: BTreeMap::new(),
            healthy,
        }
    }

    pub(super) fn healthy(&self) -> watch::Receiver<bool> {
        self.healthy.subscribe()
    }

    /// Fires and resolves the alerts, if a receiver began or ceased to fail or the configuration changed.
    pub(super) fn update(&mut self, handle: &Handle, outbox: &mut Outbox, metrics: &Metrics) {
        let (now, targets) = handle.read(|dispatcher, now| (now, dispatcher.targets()));
        let is_same = Arc::ptr_eq(&self.targets, &targets);
        if !is_same {
            outbox.retain(|target| targets.contains(target));
        }
        let failing = outbox.failing(now);
        if is_same && self.failing == failing {
            return;
        }
        metrics.receivers(&targets, &failing);
        let mut changes = Vec::new();
        self.firing.retain(|target, alert| {
            let remains = failing.get(target);
            let remains = remains.is_some_and(|now| now.cause.name() == alert.labels.get("reason"));
            if !remains {
                changes.push(Alert {
                    ends_at: Some(now),
                    ..alert.clone()
                });
                if !failing.contains_key(target) {
                    tracing::info!(receiver = %target, "messages are delivered again, or no longer needed");
                }
            }
            remains
        });
        for (target, failing) in &failing {
            if !self.firing.contains_key(target) {
                tracing::error!(
                    receiver = %target, reason = failing.cause.name(), error = failing.text,
                    "messages are not delivered; the other receivers are notified, and Vigie tries again"
                );
                let alert = alert(target, failing);
                changes.push(alert.clone());
                self.firing.insert(target.clone(), alert);
            }
        }
        self.healthy.send_if_modified(|healthy| {
            let before = std::mem::replace(healthy, failing.is_empty());
            before != *healthy
        });
        (self.targets, self.failing) = (targets, failing);
        if !changes.is_empty() {
            handle.observe(changes);
        }
    }
}

fn alert(target: &Target, failing: &Failing) -> Alert {
    let (receiver, integration) = (&target.receiver, &target.integration);
    let mut alert = failing_alert(receiver, integration, failing.cause.name(), failing.since);
    let summary = format!("Messages to {target} are not delivered: {}", failing.text);
    let pairs = [
        ("summary", &*summary),
        (
            "description",
            "Vigie keeps the messages and tries again. Until then, only other receivers are notified.",
        ),
    ];
    alert.annotations = pairs
        .iter()
        .map(|(name, text)| (Arc::from(*name), Arc::from(*text)))
        .collect();
    alert
}
