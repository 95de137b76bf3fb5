//! Passes the updates of the rule engine to the notification service, if this replica notifies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;
use tracing::info;
use vigie_alerts::engine::Update;
use vigie_election::Tenure;
use vigie_notify::Alert;
use vigie_notify::service::Gate;

use super::notifier::Notifier;

/// The way to the notification service. Clones share it.
#[derive(Clone)]
pub(super) struct Outlet {
    notifier: Notifier,
    /// `None`: there is no election, and every replica notifies.
    tenure: Option<Tenure>,
    /// Whether this replica notified at the last evaluation.
    notifies: Arc<AtomicBool>,
}

impl Outlet {
    pub(super) fn new(notifier: Notifier, tenure: Option<Tenure>) -> Self {
        Self {
            notifier,
            tenure,
            notifies: Arc::new(AtomicBool::new(false)),
        }
    }

    /// Whether this replica has begun to notify since the last call. Then all current alerts must be
    /// [passed](Self::pass_all): the service does not know them, and the replica that notified before may have been unable to
    /// announce the last ones.
    pub(super) fn begins(&self) -> bool {
        let notifies = self.notifies();
        let begins = !self.notifies.swap(notifies, Relaxed) && notifies;
        if begins && self.tenure.is_some() {
            info!("this replica is elected; it notifies, beginning with all current alerts");
        }
        begins
    }

    fn notifies(&self) -> bool {
        holds(self.tenure.as_ref())
    }

    /// Passes updates on, unless another replica notifies. Returns the number that the service refused.
    pub(super) fn pass(&self, updates: Vec<Update>) -> usize {
        match !updates.is_empty() && self.notifies() {
            true => self
                .notifier
                .observe(updates.into_iter().map(alert).collect()),
            false => 0,
        }
    }

    /// Passes all current alerts on. Other alerts of the rules that the service still has are resolved.
    pub(super) fn pass_all(&self, updates: Vec<Update>) -> usize {
        let alerts = updates.into_iter().map(alert).collect();
        match self.tenure {
            Some(_) => self.notifier.take_over(alerts),
            None => self.notifier.replace(alerts),
        }
    }

    /// Sets the longest interval of the rules, after a reload.
    pub(super) fn set_longest_interval(&self, longest: Option<Duration>) {
        self.notifier.set_longest_interval(longest);
    }
}

/// A gate that is open while this replica notifies.
pub(super) fn gate(tenure: Option<&Tenure>) -> Gate {
    let tenure = tenure.cloned();
    Gate::new(move || holds(tenure.as_ref()))
}

fn holds(tenure: Option<&Tenure>) -> bool {
    tenure.is_none_or(|tenure| tenure.holds(Instant::now()))
}

fn alert(update: Update) -> Alert {
    Alert {
        labels: update.labels,
        annotations: update.annotations,
        starts_at: update.starts_at,
        ends_at: update.ends_at,
        unknown_since: update.unknown_since,
        value: update.value,
        generator_url: update.generator_url,
    }
}
