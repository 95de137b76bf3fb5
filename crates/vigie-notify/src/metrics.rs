//! The metrics of notifications.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use vigie_metrics::{Counter, Desc, Family, Gauge, Registry, descriptions};

use crate::deliver::{Cause, Failure};
use crate::dispatch::{Refused, Undelivered};
use crate::outbox::{Failing, Target};
use crate::service::Handle;

/// The value of the label `receiver` for Alertmanagers that alerts are forwarded to.
const ALERTMANAGERS: &str = "alertmanagers";
/// The most integrations with series of their own.
const RECEIVERS: usize = 1_000;

descriptions! {
    /// Attempts to deliver messages.
    NOTIFICATIONS: Counter, 2 = Desc::counter(
        "vigie_notifications_total",
        "Attempts to deliver a message to an integration of a receiver, the failed ones included.",
        &["receiver", "integration"],
    ).max_series(RECEIVERS);

    /// Failed attempts.
    FAILED: Counter, 3 = Desc::counter(
        "vigie_notifications_failed_total",
        "Failed attempts to deliver a message, by their cause.",
        &["receiver", "integration", "reason"],
    ).max_series(10 * RECEIVERS);

    /// Alerts about which a message was given up.
    UNDELIVERED: Counter, 2 = Desc::counter(
        "vigie_notifications_undelivered_total",
        "Alerts that resolved before a message about them could be delivered, or whose resolved message was given up.",
        &["receiver", "integration"],
    ).max_series(RECEIVERS);

    /// Whether a receiver delivers.
    RECEIVER_UP: Gauge, 2 = Desc::gauge(
        "vigie_notifications_receiver_up",
        "Whether an integration of a receiver accepts messages: 1, or 0 while it fails.",
        &["receiver", "integration"],
    ).max_series(RECEIVERS);

    /// The length of the outbox.
    OUTBOX: Gauge, 0 = Desc::gauge(
        "vigie_notifications_outbox_messages",
        "Messages that are not delivered yet, the ones that are tried again included.",
        &[],
    );

    /// The age of the outbox.
    OUTBOX_AGE: Gauge, 0 = Desc::gauge(
        "vigie_notifications_outbox_age_seconds",
        "Age of the oldest message that is not delivered yet; 0 if there is none.",
        &[],
    );

    /// The alerts held.
    ALERTS: Gauge, 0 = Desc::gauge(
        "vigie_notifications_alerts",
        "Alerts that are held for notification, resolved ones that are not yet notified included.",
        &[],
    );

    /// The alerts refused.
    REFUSED: Counter, 1 = Desc::counter(
        "vigie_notifications_refused_alerts_total",
        "Alerts that were refused because a bound was exceeded.",
        &["reason"],
    ).max_series(Refused::NAMES.len());
}

/// The metrics that are recorded as events happen.
#[derive(Clone)]
pub(crate) struct Metrics {
    notifications: Family<Counter, 2>,
    failed: Family<Counter, 3>,
    undelivered: Family<Counter, 2>,
    receiver_up: Family<Gauge, 2>,
    refused: Family<Counter, 1>,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Self {
        let refused = registry.family(&REFUSED);
        for reason in Refused::NAMES {
            refused.add([reason], 0);
        }
        Self {
            notifications: registry.family(&NOTIFICATIONS),
            failed: registry.family(&FAILED),
            undelivered: registry.family(&UNDELIVERED),
            receiver_up: registry.family(&RECEIVER_UP),
            refused,
        }
    }

    /// Registers the metrics that are read for each page.
    pub(crate) fn collect(registry: &Registry, handle: &Handle) {
        let unsent = |handle: &Handle| handle.read(|dispatcher, now| dispatcher.unsent(now));
        let of = handle.clone();
        registry.collect(&OUTBOX, move || Some(unsent(&of).0 as f64));
        let of = handle.clone();
        registry.collect(&OUTBOX_AGE, move || {
            Some(unsent(&of).1.unwrap_or(0) as f64 / 1e3)
        });
        let of = handle.clone();
        registry.collect(&ALERTS, move || {
            let alerts = of.read(|dispatcher, _| dispatcher.alerts().count());
            Some(alerts as f64)
        });
    }

    /// An attempt ended.
    pub(crate) fn finished(&self, target: &Target, failure: Option<&Failure>) {
        let labels = target.labels();
        self.notifications.inc(labels);
        if let Some(failure) = failure {
            let [receiver, integration] = labels;
            self.failed
                .inc([receiver, integration, failure.cause.name()]);
        }
    }

    /// A message about an alert was given up.
    pub(crate) fn undelivered(&self, lost: &Undelivered) {
        self.undelivered.inc([&lost.receiver, &lost.integration]);
    }

    /// An alert was refused.
    pub(crate) fn refused(&self, why: &Refused) {
        self.refused.inc([why.name()]);
    }

    /// That many alerts were refused for the same reason.
    pub(crate) fn refused_many(&self, why: &Refused, alerts: usize) {
        self.refused.add([why.name()], alerts as u64);
    }

    /// A batch was sent to an Alertmanager, or could not be.
    pub(crate) fn forwarded(&self, alertmanager: &str, failure: Option<&Failure>) {
        let target = Target {
            receiver: ALERTMANAGERS.into(),
            integration: alertmanager.into(),
        };
        self.finished(&target, failure);
        let up = failure.is_none_or(|failure| failure.cause == Cause::Refused);
        let labels = [ALERTMANAGERS, alertmanager];
        self.receiver_up.set(labels, f64::from(u8::from(up)));
    }

    /// The receivers, and those that fail.
    pub(crate) fn receivers(
        &self,
        targets: &BTreeSet<Target>,
        failing: &BTreeMap<Target, Failing>,
    ) {
        for target in targets {
            let labels = target.labels();
            self.notifications.add(labels, 0);
            self.undelivered.add(labels, 0);
            let up = !failing.contains_key(target);
            self.receiver_up.set(labels, f64::from(u8::from(up)));
        }
        let known = targets.iter().map(Target::labels);
        let known: HashSet<_> = known.collect();
        self.receiver_up
            .retain(|labels| labels[0] == ALERTMANAGERS || known.contains(&labels));
    }
}
