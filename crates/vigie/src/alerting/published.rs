//! The rules as of their last evaluation, for `/api/v1/rules` and the metrics.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use vigie_alerts::engine::{self, ActiveAlert, AlertState, Group, Time};
use vigie_api::rules::{Alert, Alerting, Health, Rule, RuleGroup};
use vigie_promql::Labels;

/// The file and the name of a group.
pub(super) type Id = (String, String);

/// The file and the name of this group.
pub(super) fn id(group: &Group) -> Id {
    let (file, name) = group.id();
    (file.to_owned(), name.to_owned())
}

/// The published groups. Clones share them. Readers do not wait for evaluations.
#[derive(Clone, Default)]
pub(crate) struct Published(Arc<RwLock<BTreeMap<Id, Shown>>>);

/// A group as it is shown.
pub(super) struct Shown {
    group: Arc<RuleGroup>,
    alerts: Counts,
}

impl Shown {
    /// A group as of its last evaluation. With many alerts this takes a while.
    pub(super) fn of(group: &Group, at: Option<Time>, took: Duration) -> Self {
        Self {
            group: Arc::new(shown(&id(group), group, at, took)),
            alerts: count(group),
        }
    }
}

/// The number of alerts by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) pending: usize,
    pub(crate) firing: usize,
    pub(crate) unknown: usize,
}

impl Published {
    /// The groups.
    pub(crate) fn groups(&self) -> Vec<Arc<RuleGroup>> {
        let groups = self.0.read();
        groups
            .values()
            .map(|shown| Arc::clone(&shown.group))
            .collect()
    }

    /// The number of alerts of all groups.
    pub(crate) fn alerts(&self) -> Counts {
        let groups = self.0.read();
        let mut sum = Counts::default();
        for Shown { alerts, .. } in groups.values() {
            sum.pending += alerts.pending;
            sum.firing += alerts.firing;
            sum.unknown += alerts.unknown;
        }
        sum
    }

    /// Publishes a group.
    pub(super) fn set(&self, id: Id, shown: Shown) {
        self.0.write().insert(id, shown);
    }

    /// Removes the groups that `keep` does not contain.
    pub(super) fn retain(&self, keep: impl Fn(&Id) -> bool) {
        self.0.write().retain(|id, _| keep(id));
    }
}

fn count(group: &Group) -> Counts {
    let mut counts = Counts::default();
    for alert in group.rules().flat_map(engine::Rule::alerts) {
        let count = match (alert.unknown_since, alert.state) {
            (Some(_), _) | (None, None) => &mut counts.unknown,
            (None, Some(AlertState::Pending)) => &mut counts.pending,
            (None, Some(AlertState::Firing)) => &mut counts.firing,
        };
        *count += 1;
    }
    counts
}

fn shown((file, name): &Id, group: &Group, at: Option<Time>, took: Duration) -> RuleGroup {
    RuleGroup {
        file: file.clone(),
        name: name.clone(),
        interval: group.interval(),
        limit: group.limit(),
        evaluation_time: took,
        last_evaluation: at,
        rules: group.rules().map(rule).collect(),
    }
}

fn rule(rule: &engine::Rule) -> Rule {
    let alerting = rule.is_alert().then(|| Alerting {
        hold: rule.hold(),
        keep_firing: rule.keep_firing(),
        annotations: Labels::new(rule.annotations()),
        alerts: rule.alerts().filter_map(|one| alert(&one)).collect(),
    });
    let unmatched = rule.unmatched_selectors().map(str::to_owned);
    Rule {
        name: rule.name().to_owned(),
        query: rule.query().to_owned(),
        labels: Labels::new(rule.labels()),
        health: match rule.health() {
            engine::Health::Unknown => Health::Unknown,
            engine::Health::Good => Health::Good,
            engine::Health::Bad => Health::Bad,
        },
        last_error: rule.last_error().map(str::to_owned),
        evaluation_time: rule.evaluation_duration(),
        last_evaluation: rule.last_evaluation(),
        selects_nothing: unmatched.collect(),
        alerting,
    }
}

/// An alert that only the notifier still counts as firing, because its source cannot be read, is shown as firing: clients
/// of Prometheus know no other state.
fn alert(alert: &ActiveAlert<'_>) -> Option<Alert> {
    let is_firing = match (alert.state, alert.unknown_since) {
        (Some(AlertState::Pending), None) => false,
        (Some(AlertState::Firing), _) | (_, Some(_)) => true,
        (None, None) => return None,
    };
    Some(Alert {
        labels: alert.labels.clone(),
        annotations: Arc::clone(alert.annotations),
        is_firing,
        active_at: alert.active_at,
        keep_firing_since: alert.keep_firing_since,
        unknown_since: alert.unknown_since,
        value: alert.value,
    })
}
