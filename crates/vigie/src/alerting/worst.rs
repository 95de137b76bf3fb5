//! The most severe state of all alerts, without what they are about.

use serde::Serialize;
use vigie_notify::State;
use vigie_promql::Labels;

use super::published::Published;
use super::routes::Routes;

/// The most severe state of all alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Worst {
    /// No alert fires.
    None,
    /// The source of an alert that fired cannot be read.
    Unknown,
    /// An alert fires.
    Firing,
    /// An alert with `severity: critical` fires.
    Critical,
}

impl Worst {
    fn of(labels: &Labels, is_unknown: bool) -> Self {
        match labels.get("severity") {
            _ if is_unknown => Self::Unknown,
            "critical" => Self::Critical,
            _ => Self::Firing,
        }
    }
}

/// The alerts of the rules, those that were posted, and those about receivers. Clones share them.
#[derive(Clone)]
pub(crate) struct Alerts {
    published: Published,
    routes: Routes,
}

impl Alerts {
    pub(super) fn new(published: Published, routes: Routes) -> Self {
        Self { published, routes }
    }

    /// The most severe state now. It takes a look at each alert, of which there is a limited number.
    pub(crate) fn worst(&self) -> Worst {
        let groups = self.published.groups();
        let rules = groups.iter().flat_map(|group| &group.rules);
        let alerts = rules.filter_map(|rule| rule.alerting.as_ref());
        let of_rules = alerts
            .flat_map(|alerting| &alerting.alerts)
            .filter(|alert| alert.is_firing)
            .map(|alert| Worst::of(&alert.labels, alert.unknown_since.is_some()));
        let of_service = self.routes.service().and_then(|service| {
            service.read(|dispatcher, now| {
                let alerts = dispatcher.alerts().map(|(alert, _)| alert);
                let states = alerts.filter_map(|alert| match alert.state(now) {
                    State::Resolved => None,
                    state => Some(Worst::of(&alert.labels, state == State::Unknown)),
                });
                states.max()
            })
        });
        of_rules.chain(of_service).max().unwrap_or(Worst::None)
    }
}
