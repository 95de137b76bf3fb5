//! The state of a group in a file.

mod alert;

use serde::{Deserialize, Serialize};
use vigie_promql::Labels;

use super::alerting::{Alerting, Outage};
use super::group::Group;
use super::recording::Recording;
use super::reload::{Closed, rename};
use super::rule::{Kind, Rule};
use super::{Defaults, Limits, Time};
use alert::SavedAlert;

/// The most series of a recording rule that are restored.
const MAX_SERIES: usize = 100_000;

type Pairs = Vec<(String, String)>;

/// The state of a group, to be saved after each evaluation that changed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedGroup {
    file: String,
    name: String,
    last: Option<Time>,
    /// The external labels with which its alerts were reported; earlier versions did not save them.
    #[serde(default)]
    external_labels: Option<Pairs>,
    /// The rules that have any state.
    rules: Vec<SavedRule>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SavedRule {
    name: String,
    labels: Pairs,
    state: SavedState,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum SavedState {
    Series(Vec<Pairs>),
    Alerts {
        alerts: Vec<SavedAlert>,
        outage: Option<(Time, Option<Time>)>,
    },
}

impl SavedGroup {
    /// The file and the name, which identify the group.
    #[must_use]
    pub fn id(&self) -> (&str, &str) {
        (&self.file, &self.name)
    }

    /// Drops the alerts beyond the first `most`; resolved ones do not count. Returns the number dropped.
    pub fn truncate(&mut self, most: usize) -> usize {
        let (mut kept, mut dropped) = (0, 0);
        for rule in &mut self.rules {
            let SavedState::Alerts { alerts, .. } = &mut rule.state else {
                continue;
            };
            alerts.retain(|alert| {
                let fits = !alert.is_current() || kept < most;
                kept += usize::from(alert.is_current() && fits);
                dropped += usize::from(!fits);
                fits
            });
        }
        dropped
    }

    /// Ends a saved group that no longer exists.
    #[must_use]
    pub fn close(self, defaults: &Defaults, at: Time) -> Closed {
        let external = self.external_labels(defaults);
        let mut closed = Closed::default();
        for rule in self.rules {
            closed.extend(rule.close(&external, at));
        }
        closed
    }

    /// The external labels with which its alerts were reported.
    fn external_labels(&self, defaults: &Defaults) -> Labels {
        match &self.external_labels {
            Some(pairs) => Labels::new(pairs.iter().map(|(name, value)| (&**name, &**value))),
            None => defaults.external_labels.clone(),
        }
    }
}

impl Group {
    /// The state, which [`Group::restore`] takes.
    #[must_use]
    pub fn save(&self) -> SavedGroup {
        SavedGroup {
            file: (*self.file).to_owned(),
            name: (*self.name).to_owned(),
            last: self.last,
            external_labels: Some(pairs(&self.defaults.external_labels)),
            rules: self.rules.iter().filter_map(SavedRule::of).collect(),
        }
    }

    /// Restores a saved state after a restart, before the first evaluation: firing alerts fire whatever their `for`,
    /// pending ones keep their start. Returns the remaining work for the saved rules that no longer exist, and for alerts that
    /// were reported with other external labels.
    ///
    /// Alerts that exceed the bounds are dropped.
    pub fn restore(&mut self, saved: SavedGroup, at: Time) -> Closed {
        let mut closed = Closed::default();
        let before = saved.external_labels(&self.defaults);
        self.last = saved.last;
        self.resumed = saved.last;
        let mut restored = vec![false; self.rules.len()];
        for saved in saved.rules {
            let mut rules = self.rules.iter_mut().zip(&mut restored);
            match rules.find(|(rule, restored)| !**restored && saved.is_of(rule)) {
                Some((rule, restored)) => {
                    *restored = true;
                    rule.kind.restore(saved.state, &self.defaults.limits);
                }
                None => closed.extend(saved.close(&before, at)),
            }
        }
        let after = &self.defaults.external_labels;
        closed.extend(rename(&mut self.rules, &before, after, at));
        closed
    }
}

impl SavedRule {
    fn of(rule: &Rule) -> Option<Self> {
        let state = match &rule.kind {
            Kind::Record(recording) => {
                let mut series: Vec<_> = recording.series.iter().map(pairs).collect();
                series.sort();
                (!series.is_empty()).then_some(SavedState::Series(series))
            }
            Kind::Alert(alerting) => {
                let alerts = alerting.alerts.iter();
                let alerts: Vec<_> = alerts
                    .map(|(labels, alert)| SavedAlert::of(labels, alert))
                    .collect();
                let outage = alerting.outage.map(|outage| (outage.since, outage.until));
                (!alerts.is_empty()).then_some(SavedState::Alerts { alerts, outage })
            }
        };
        let labels = rule
            .labels()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some(Self {
            name: rule.name().to_owned(),
            labels: labels.collect(),
            state: state?,
        })
    }

    fn is_of(&self, rule: &Rule) -> bool {
        let labels = self.labels.iter().map(|(name, value)| (&**name, &**value));
        rule.is_alert() == matches!(self.state, SavedState::Alerts { .. })
            && rule.name() == self.name
            && rule.labels().eq(labels)
    }

    fn close(self, external: &Labels, at: Time) -> Closed {
        match self.state {
            SavedState::Series(series) => Closed::series(series.into_iter().map(Labels::new), at),
            SavedState::Alerts { alerts, .. } => Closed::alerts(
                alerts.into_iter().map(SavedAlert::into_alert),
                external,
                &"".into(),
                at,
            ),
        }
    }
}

impl Kind {
    fn restore(&mut self, saved: SavedState, limits: &Limits) {
        match (self, saved) {
            (Self::Record(recording), SavedState::Series(series)) => {
                let series = series.into_iter().take(MAX_SERIES).map(Labels::new);
                *recording = Recording {
                    series: series.collect(),
                };
            }
            (Self::Alert(alerting), SavedState::Alerts { alerts, outage }) => {
                alerting.restore(alerts, outage, limits);
            }
            _ => {}
        }
    }
}

impl Alerting {
    fn restore(
        &mut self,
        saved: Vec<SavedAlert>,
        outage: Option<(Time, Option<Time>)>,
        limits: &Limits,
    ) {
        let fits = |alert: &SavedAlert| bytes(&alert.labels) <= limits.label_bytes;
        let alerts = saved.into_iter().filter(fits).take(limits.alerts);
        self.alerts = alerts.map(SavedAlert::into_alert).collect();
        self.outage = outage.map(|(since, until)| Outage { since, until });
    }
}

fn pairs(labels: &Labels) -> Pairs {
    let pairs = labels.iter();
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn bytes(pairs: &[(String, String)]) -> usize {
    pairs
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum()
}
