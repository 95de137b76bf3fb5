//! The parts of the configuration that dispatching needs.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use super::failing;
use super::mute::Mute;
use crate::Time;
use crate::config::{Config, InhibitRule};
use crate::interval::TimeIntervals;
use crate::route::{Options, Routes};
use vigie_promql::Labels;

/// The configuration of a [`super::Dispatcher`].
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) routes: Routes,
    /// One route for each receiver, for the alert about a receiver that fails.
    of_receivers: Vec<usize>,
    pub(super) inhibit_rules: Vec<InhibitRule>,
    intervals: HashMap<String, TimeIntervals>,
    targets: HashMap<Arc<str>, Arc<[Integration]>>,
    /// The integrations of all receivers.
    pub(super) all_targets: Arc<BTreeSet<Target>>,
}

/// An integration of a receiver.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The receiver.
    pub receiver: Arc<str>,
    /// The integration, as in `slack/0`.
    pub integration: Arc<str>,
}

impl Target {
    /// The values of the labels `receiver` and `integration`.
    pub(crate) fn labels(&self) -> [&str; 2] {
        [&self.receiver, &self.integration]
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.receiver, self.integration)
    }
}

/// The settings of an integration that dispatching needs.
#[derive(Debug)]
pub(super) struct Integration {
    pub(super) integration: Arc<str>,
    pub(super) send_resolved: bool,
}

impl Plan {
    /// That of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let intervals = config.time_intervals.iter();
        let intervals = intervals.map(|interval| (interval.name.clone(), interval.clone()));
        let targets = config.receivers.iter().map(|receiver| {
            let targets = receiver.integrations.iter().map(|integration| Integration {
                integration: Arc::from(&*integration.id),
                send_resolved: integration.send_resolved,
            });
            (Arc::from(&*receiver.name), targets.collect())
        });
        let targets: HashMap<Arc<str>, Arc<[Integration]>> = targets.collect();
        let all_targets = targets.iter().flat_map(|(receiver, integrations)| {
            integrations.iter().map(|one| Target {
                receiver: Arc::clone(receiver),
                integration: Arc::clone(&one.integration),
            })
        });
        let all_targets = Arc::new(all_targets.collect());
        let mut routes = Routes::new(&config.route);
        let receivers = config.receivers.iter();
        let receivers = receivers.filter(|receiver| !receiver.integrations.is_empty());
        let of_receivers =
            receivers.map(|receiver| routes.add_detached(&receiver.name, failing::KEY));
        Self {
            of_receivers: of_receivers.collect(),
            routes,
            inhibit_rules: config.inhibit_rules.clone(),
            intervals: intervals.collect(),
            targets,
            all_targets,
        }
    }

    /// The routes that an alert takes.
    pub(super) fn find(&self, labels: &Labels) -> Vec<usize> {
        match failing::target(labels) {
            Some((receiver, integration)) if self.knows(receiver, integration) => {
                self.of_receivers.clone()
            }
            _ => self.routes.find(labels),
        }
    }

    /// Whether a receiver has this integration.
    pub(super) fn knows(&self, receiver: &str, integration: &str) -> bool {
        let targets = self.targets.get(receiver);
        targets.is_some_and(|targets| {
            targets
                .iter()
                .any(|target| *target.integration == *integration)
        })
    }

    /// The integrations of a receiver.
    pub(super) fn targets(&self, receiver: &str) -> Arc<[Integration]> {
        let targets = self.targets.get(receiver).cloned();
        targets.unwrap_or_else(|| Arc::new([]))
    }

    /// The time interval that mutes a route now.
    pub(super) fn muted(&self, route: &Options, now: Time) -> Option<Mute> {
        let holds = |name: &&String| {
            let interval = self.intervals.get(*name);
            interval.is_some_and(|interval| interval.contains(now))
        };
        if let Some(name) = route.mute_time_intervals.iter().find(holds) {
            return Some(Mute::Interval(name.clone()));
        }
        let active = &route.active_time_intervals;
        let outside = !active.is_empty() && !active.iter().any(|name| holds(&name));
        outside.then(|| Mute::Outside(active.join(", ")))
    }
}
