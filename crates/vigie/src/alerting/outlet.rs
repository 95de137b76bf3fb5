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
use crate::admin::runbooks;

/// The annotation with the address of a runbook.
const RUNBOOK: &str = "runbook_url";

/// The way to the notification service. Clones share it.
#[derive(Clone)]
pub(super) struct Outlet {
    notifier: Notifier,
    /// `None`: there is no election, and every replica notifies.
    tenure: Option<Tenure>,
    /// Whether this replica notified at the last evaluation.
    notifies: Arc<AtomicBool>,
    /// The external address. Alerts link to the runbooks there instead of those in the project's documentation.
    address: Option<Arc<str>>,
}

impl Outlet {
    pub(super) fn new(
        notifier: Notifier,
        tenure: Option<Tenure>,
        address: Option<Arc<str>>,
    ) -> Self {
        Self {
            notifier,
            tenure,
            address,
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
            true => self.notifier.observe(self.alerts(updates)),
            false => 0,
        }
    }

    /// Passes all current alerts on. Other alerts of the rules that the service still has are resolved.
    pub(super) fn pass_all(&self, updates: Vec<Update>) -> usize {
        let alerts = self.alerts(updates);
        match self.tenure {
            Some(_) => self.notifier.take_over(alerts),
            None => self.notifier.replace(alerts),
        }
    }

    /// Sets the longest interval of the rules, after a reload.
    pub(super) fn set_longest_interval(&self, longest: Option<Duration>) {
        self.notifier.set_longest_interval(longest);
    }

    fn alerts(&self, updates: Vec<Update>) -> Vec<Alert> {
        let alerts = updates.into_iter().map(|update| {
            let mut alert = alert(update);
            if let Some(address) = &self.address {
                link_to_own(&mut alert.annotations, address);
            }
            alert
        });
        alerts.collect()
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

/// Lets an annotation that links to a runbook of the project link to the same one of this Vigie.
fn link_to_own(annotations: &mut Arc<[(Arc<str>, Arc<str>)]>, address: &str) {
    let linked = annotations
        .iter()
        .enumerate()
        .find_map(|(at, (name, value))| {
            let path = (**name == *RUNBOOK).then(|| runbooks::served(value))??;
            Some((at, path))
        });
    if let Some((at, path)) = linked
        && let Some((_, value)) = Arc::make_mut(annotations).get_mut(at)
    {
        *value = format!("{address}{path}").into();
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runbooks_of_the_project_are_those_of_this_vigie() {
        let project = "https://github.com/vigie-rs/vigie/blob";
        let own = "https://vigie.example.org/vigie";
        for (given, expected) in [
            ("main/docs/runbooks/SlowTick.md", Some("/runbooks/SlowTick")),
            ("v1.2/docs/runbooks/SlowTick.md", Some("/runbooks/SlowTick")),
            ("main/docs/runbooks/Missing.md", None),
            ("main/docs/runbooks/SlowTick", None),
            ("a/b/docs/runbooks/SlowTick.md", None),
        ] {
            let given = format!("{project}/{given}");
            let pair = |name: &str, value: &str| (Arc::from(name), Arc::from(value));
            let mut annotations: Arc<[(Arc<str>, Arc<str>)]> =
                Arc::new([pair("description", &given), pair(RUNBOOK, &given)]);
            let shared = Arc::clone(&annotations);
            link_to_own(&mut annotations, own);
            let expected = expected.map_or(given.clone(), |path| format!("{own}{path}"));
            assert_eq!(*annotations[1].1, *expected);
            // Other annotations, and those of the rule itself, stay as written.
            assert_eq!(*annotations[0].1, *given);
            assert_eq!(*shared[1].1, *given);
        }
    }
}
