//! Forwarding of alerts to Alertmanagers, as Prometheus does it.
//!
//! Each Alertmanager gets all alerts, in batches: firing ones at once and then every minute, resolved ones for 15 minutes.
//! They deduplicate among themselves. An alert ends by itself if it is not sent for four intervals, so a Vigie that
//! stops leaves no alert behind.
//!
//! An Alertmanager that refuses a batch does not say which of its alerts is invalid. The batch is halved until the invalid ones
//! are alone. Those are reported and not sent again until they change; the others are not affected.

mod body;
mod http;
mod table;
mod task;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub use http::Alertmanager;

use crate::deliver::Failure;
use crate::dispatch::Refused;
use crate::metrics::Metrics;
use crate::{Alert, Time, millis};
use table::Table;

/// Sends a batch of alerts to one Alertmanager.
pub trait Post: Send + Sync + 'static {
    /// Its name in log lines and metrics, such as `alertmanager:9093`.
    fn name(&self) -> &str;

    /// Sends a body to `/api/v2/alerts`, within a deadline.
    fn post(&self, body: Vec<u8>) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// The settings of forwarding.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The most alerts that are held.
    pub alerts: usize,
    /// The interval at which alerts are sent again.
    pub resend: Duration,
    /// The longest interval at which rules are evaluated, until [`Forwarder::set_evaluation`].
    pub evaluation: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            alerts: 10_000,
            resend: Duration::from_secs(60),
            evaluation: Duration::from_secs(15),
        }
    }
}

/// Forwards alerts. Clones share the alerts.
#[derive(Clone)]
pub struct Forwarder(Arc<Shared>);

struct Shared {
    table: Mutex<Table>,
    news: Notify,
    clock: Box<dyn Fn() -> Time + Send + Sync>,
    settings: Settings,
    /// The longest interval at which rules are evaluated, in milliseconds.
    evaluation: AtomicI64,
    metrics: Metrics,
    /// Whether it was logged that there are too many alerts.
    is_full: AtomicBool,
}

impl Forwarder {
    /// A forwarder without alerts.
    pub(crate) fn with(
        settings: Settings,
        metrics: Metrics,
        clock: impl Fn() -> Time + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            table: Mutex::new(Table::new(settings.alerts)),
            news: Notify::new(),
            clock: Box::new(clock),
            evaluation: AtomicI64::new(millis(settings.evaluation)),
            settings,
            metrics,
            is_full: AtomicBool::new(false),
        }))
    }

    /// A forwarder without alerts.
    pub fn new(
        settings: Settings,
        registry: &vigie_metrics::Registry,
        clock: impl Fn() -> Time + Send + Sync + 'static,
    ) -> Self {
        Self::with(settings, Metrics::new(registry), clock)
    }

    /// Sets the longest interval at which rules are evaluated. Alerts that are sent from now on are valid accordingly.
    pub fn set_evaluation(&self, evaluation: Duration) {
        let evaluation = millis(evaluation);
        self.0.evaluation.store(evaluation, Ordering::Relaxed);
    }

    /// Passes alerts of the rule engine or of a client, firing ones and resolved ones. Returns the number refused because
    /// there are too many.
    pub fn observe(&self, alerts: Vec<Alert>) -> usize {
        let now = (self.0.clock)();
        let mut table = self.0.table.lock();
        let refused = alerts
            .into_iter()
            .map(|alert| usize::from(!table.observe(now, alert)));
        let refused = refused.sum();
        drop(table);
        let most = self.0.settings.alerts;
        let why = Refused::TooManyAlerts(most);
        self.0.metrics.refused_many(&why, refused);
        if refused > 0 && !self.0.is_full.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                most,
                "there are too many alerts to forward; further ones are refused and only counted"
            );
        }
        self.0.news.notify_waiters();
        refused
    }

    /// Sends the alerts to one Alertmanager until `stop` is cancelled.
    pub async fn run(&self, alertmanager: impl Post, stop: CancellationToken) {
        stop.run_until_cancelled(task::run(&self.0, &alertmanager))
            .await;
    }
}
