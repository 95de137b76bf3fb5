//! A reload of the rules: the state that groups keep, and the series and alerts that end.

use std::collections::HashMap;
use std::sync::Arc;

use vigie_promql::Labels;

use super::alerting::{Alert, Report, reported};
use super::group::Group;
use super::rule::{Kind, Rule, stale};
use super::{Sample, Time, Update};

/// The remaining work for rules that no longer exist.
#[derive(Debug, Default)]
pub struct Closed {
    /// Stale markers for their series.
    pub samples: Vec<Sample>,
    /// The resolutions of the alerts that were reported.
    pub updates: Vec<Update>,
}

impl Closed {
    /// The end of series.
    pub(super) fn series(series: impl IntoIterator<Item = Labels>, at: Time) -> Self {
        let mut series: Vec<_> = series.into_iter().collect();
        series.sort();
        Self {
            samples: series.into_iter().map(|labels| stale(labels, at)).collect(),
            updates: Vec::new(),
        }
    }

    /// The end of the alerts of a rule.
    pub(super) fn alerts(
        alerts: impl IntoIterator<Item = (Labels, Alert)>,
        external: &Labels,
        url: &Arc<str>,
        at: Time,
    ) -> Self {
        let mut gone = Vec::new();
        let mut updates = Vec::new();
        for (labels, mut alert) in alerts {
            alert.end_series(&labels, None, &mut gone);
            if alert.state.end(at) {
                updates.extend(alert.update(&labels, external, url));
            }
        }
        Self {
            updates,
            ..Self::series(gone, at)
        }
    }

    /// Adds what another one has.
    pub fn extend(&mut self, other: Self) {
        self.samples.extend(other.samples);
        self.updates.extend(other.updates);
    }
}

impl Group {
    /// Takes over the state of the rules that `old`, the group before a reload, has as well: those with the same name
    /// and labels. Returns the remaining work for its other rules.
    pub fn adopt(&mut self, mut old: Self, at: Time) -> Closed {
        let before = old.defaults.external_labels.clone();
        let mut closed = rename(&mut old.rules, &before, &self.defaults.external_labels, at);
        let mut candidates: HashMap<Arc<str>, Vec<Rule>> = HashMap::new();
        for rule in old.rules.drain(..).rev() {
            candidates
                .entry(Arc::clone(&rule.name))
                .or_default()
                .push(rule);
        }
        for rule in &mut self.rules {
            let Some(same) = candidates.get_mut(&rule.name) else {
                continue;
            };
            // The last one is the first in the file.
            if let Some(index) = same.iter().rposition(|candidate| candidate.is_same(rule)) {
                rule.adopt(same.remove(index));
            }
        }
        self.last = self.last.or(old.last);
        self.resumed = self.resumed.or(old.resumed);
        let at = old.query_time(at);
        for rule in candidates.into_values().flatten() {
            closed.extend(rule.close(&self.defaults.external_labels, at));
        }
        closed
    }

    /// Ends the group, which no longer exists after a reload.
    #[must_use]
    pub fn close(mut self, at: Time) -> Closed {
        let mut closed = Closed::default();
        let at = self.query_time(at);
        for rule in self.rules.drain(..) {
            closed.extend(rule.close(&self.defaults.external_labels, at));
        }
        closed
    }
}

/// Reports the alerts of these rules with the external labels `after` instead of `before`: for the notifier they are other
/// alerts then, so those with the labels before resolve.
pub(super) fn rename(rules: &mut [Rule], before: &Labels, after: &Labels, at: Time) -> Closed {
    let mut closed = Closed::default();
    if before == after {
        return closed;
    }
    for rule in rules {
        let url = Arc::clone(rule.generator_url());
        let Some(alerting) = rule.alerting_mut() else {
            continue;
        };
        for (labels, alert) in &mut alerting.alerts {
            // External labels are only added where absent.
            if reported(labels, before) == reported(labels, after) {
                continue;
            }
            let state = alert.state;
            alert.state.end(at);
            closed.updates.extend(alert.update(labels, before, &url));
            alert.state = state;
            match state.is_open() {
                true => closed.updates.extend(alert.update(labels, after, &url)),
                false => alert.state.report = Report::Silent,
            }
        }
    }
    closed
}

impl Rule {
    /// Takes over the state of the same rule before a reload.
    fn adopt(&mut self, old: Self) {
        match (&mut self.kind, old.kind) {
            (Kind::Record(new), Kind::Record(old)) => *new = old,
            (Kind::Alert(new), Kind::Alert(old)) => {
                new.alerts = old.alerts;
                new.outage = old.outage;
            }
            _ => {}
        }
        if self.query() == &*old.query {
            self.outcome = old.outcome;
        }
    }

    /// Stale markers and resolutions for a rule that no longer exists.
    fn close(self, external: &Labels, at: Time) -> Closed {
        match self.kind {
            Kind::Record(recording) => Closed::series(recording.series, at),
            Kind::Alert(alerting) => {
                Closed::alerts(alerting.alerts, external, &self.generator_url, at)
            }
        }
    }
}
