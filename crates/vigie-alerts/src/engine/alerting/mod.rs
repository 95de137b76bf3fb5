//! Alerting rules.
//!
//! ```text
//! fresh: the alerts that the expression returns ─► state: verdict and report ─► alert: ALERTS, Update
//! ```

mod alert;
mod fresh;
mod observe;
mod outage;
mod state;

use std::collections::BTreeMap;
use std::sync::Arc;

use vigie_promql::{Labels, METRIC_NAME};

use super::rule::{Pass, Produced, Produces, vector};
use super::text::Text;
use super::{Context, Evaluation, RESOLVED_RETENTION, Update};
pub use alert::{ActiveAlert, AlertState};
pub(super) use alert::{Alert, reported};
use fresh::Fresh;
use observe::Observed;
pub(super) use outage::Outage;
pub(super) use state::{Active, Durations, Report, State};

/// The label that holds the name of the alert.
const ALERT_NAME: &str = "alertname";

/// The state of an alerting rule.
#[derive(Debug)]
pub(super) struct Alerting {
    pub(super) durations: Durations,
    pub(super) annotations: Vec<(Arc<str>, Text)>,
    pub(super) alerts: BTreeMap<Labels, Alert>,
    /// The outage of the metrics, while a reported alert is missing.
    pub(super) outage: Option<Outage>,
}

impl Alerting {
    /// An alerting rule without alerts.
    pub(super) fn new(durations: Durations, annotations: Vec<(Arc<str>, Text)>) -> Self {
        Self {
            durations,
            annotations,
            alerts: BTreeMap::new(),
            outage: None,
        }
    }

    /// Evaluates the expression and advances all alerts. After an error they are as before.
    pub(super) fn evaluate(
        &mut self,
        rule: &Produces<'_>,
        pass: &Pass<'_>,
        context: &dyn Context,
        out: &mut Evaluation,
    ) -> Result<Produced, String> {
        let (fresh, refused) = self.fresh(rule, pass, context, out)?;
        out.refused += refused;
        self.merge(fresh);
        let missing = |alert: &Alert| alert.state.is_open() && !alert.returned;
        self.outage = match self.alerts.values().any(missing) {
            true => {
                let unreadable = rule.unreadable_since(context, pass.query_at);
                Outage::after(self.outage, pass.query_at, unreadable, rule.window)
            }
            false => None,
        };
        let unreadable = self.outage.map(|outage| outage.since);
        let advanced = |alert: &Alert| {
            let mut state = alert.state;
            state.advance(pass.at, alert.returned, self.durations, unreadable);
            state
        };
        if pass.limit > 0 {
            let active = |alert: &&Alert| advanced(alert).active.is_some();
            let active = self.alerts.values().filter(active).count() + refused;
            if active as u64 > pass.limit {
                self.clear();
                return Err(format!(
                    "exceeded limit of {} with {active} alerts",
                    pass.limit
                ));
            }
        }
        let mut produced = Produced::default();
        let mut updated = Vec::new();
        let mut resolved = false;
        for (labels, alert) in &mut self.alerts {
            let before = alert.state;
            alert
                .state
                .advance(pass.at, alert.returned, self.durations, unreadable);
            produced.changed |= alert.state != before;
            let told = alert.state.report != before.report && alert.state.report != Report::Silent;
            if told || (alert.state.is_open() && alert.refreshed) {
                updated.push(labels.clone());
                alert.resolved_value = None;
                resolved |= !alert.state.is_open();
            }
            alert.write(labels, pass.query_at, &mut produced);
        }
        if resolved {
            self.observe(rule, pass, context, &updated);
        }
        for labels in updated {
            if let Some(update) = self.update(&labels, rule, pass) {
                out.updates.push(update);
            }
        }
        self.forget(pass);
        match refused {
            0 => Ok(produced),
            count => {
                produced.problem =
                    Some(format!("{count} alerts exceed the bounds and are ignored"));
                Ok(produced)
            }
        }
    }

    fn merge(&mut self, fresh: BTreeMap<Labels, Fresh>) {
        for alert in self.alerts.values_mut() {
            (alert.returned, alert.refreshed) = (false, false);
        }
        for (labels, fresh) in fresh {
            let alert = self.alerts.entry(labels).or_insert_with(|| Alert {
                state: State::NEW,
                annotations: Arc::default(),
                value: fresh.value,
                resolved_value: None,
                written: None,
                returned: true,
                refreshed: true,
            });
            alert.returned = true;
            if alert.annotations != fresh.annotations {
                alert.annotations = fresh.annotations;
                alert.refreshed = true;
            }
            alert.refreshed |= alert.value.to_bits() != fresh.value.to_bits();
            alert.value = fresh.value;
        }
    }

    /// Looks up the values of the alerts that resolved.
    fn observe(
        &mut self,
        rule: &Produces<'_>,
        pass: &Pass<'_>,
        context: &dyn Context,
        updated: &[Labels],
    ) {
        let Some(operand) = observe::operand(rule.expr) else {
            return;
        };
        let found = context.query(operand, pass.query_at).and_then(vector);
        // The value is additional; without it the alert resolves as well.
        let Ok(samples) = found else {
            return;
        };
        let set = |name: &str| {
            let mut labels = rule.labels.iter();
            name == METRIC_NAME || name == ALERT_NAME || labels.any(|(set, _)| **set == *name)
        };
        let observed = Observed::new(&samples, &set);
        for labels in updated {
            if let Some(alert) = self.alerts.get_mut(labels)
                && !alert.state.is_open()
            {
                alert.resolved_value = observed.value(labels);
            }
        }
    }

    fn update(&self, labels: &Labels, rule: &Produces<'_>, pass: &Pass<'_>) -> Option<Update> {
        let alert = self.alerts.get(labels)?;
        alert.update(labels, &pass.defaults.external_labels, rule.generator_url)
    }

    /// All current updates: of alerts that fire, are unknown, or resolved recently.
    pub(super) fn updates<'a>(
        &'a self,
        external: &'a Labels,
        url: &'a Arc<str>,
    ) -> impl Iterator<Item = Update> + 'a {
        let alerts = self.alerts.iter();
        alerts.filter_map(move |(labels, alert)| alert.update(labels, external, url))
    }

    /// Makes the reported alerts unknown after an error.
    pub(super) fn fail(&mut self, rule: &Produces<'_>, pass: &Pass<'_>, out: &mut Evaluation) {
        for (labels, alert) in &mut self.alerts {
            let before = alert.state;
            alert.state.fail(pass.at);
            if alert.state != before {
                out.changed = true;
                let external = &pass.defaults.external_labels;
                out.updates
                    .extend(alert.update(labels, external, rule.generator_url));
            }
        }
        self.forget(pass);
    }

    /// Drops the verdicts, as Prometheus does when the limit is exceeded. Reported alerts stay reported.
    fn clear(&mut self) {
        for alert in self.alerts.values_mut() {
            alert.state.active = None;
        }
    }

    fn forget(&mut self, pass: &Pass<'_>) {
        let retention = super::millis(RESOLVED_RETENTION);
        let most = pass.defaults.limits.alerts.saturating_mul(2);
        let crowded = self.alerts.len() > most;
        self.alerts.retain(|_, alert| {
            let recent = match alert.state.report {
                Report::Closed { ends_at, .. } => {
                    !crowded && pass.at.saturating_sub(ends_at) <= retention
                }
                _ => false,
            };
            alert.is_current() || alert.written.is_some() || recent
        });
    }

    pub(super) fn active(&self) -> impl Iterator<Item = ActiveAlert<'_>> {
        let alerts = self.alerts.iter();
        alerts.filter_map(|(labels, alert)| alert.shown(labels))
    }
}
