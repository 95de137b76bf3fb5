//! The parts of the configuration that dispatching needs.

use std::collections::HashMap;
use std::sync::Arc;

use super::mute::Mute;
use crate::Time;
use crate::config::{Config, InhibitRule};
use crate::interval::TimeIntervals;
use crate::route::{Options, Routes};

/// The configuration of a [`super::Dispatcher`].
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) routes: Routes,
    pub(super) inhibit_rules: Vec<InhibitRule>,
    intervals: HashMap<String, TimeIntervals>,
    targets: HashMap<Arc<str>, Arc<[Target]>>,
}

/// An integration of a receiver.
#[derive(Debug)]
pub(super) struct Target {
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
            let targets = receiver.integrations.iter().map(|integration| Target {
                integration: Arc::from(&*integration.id),
                send_resolved: integration.send_resolved,
            });
            (Arc::from(&*receiver.name), targets.collect())
        });
        Self {
            routes: Routes::new(&config.route),
            inhibit_rules: config.inhibit_rules.clone(),
            intervals: intervals.collect(),
            targets: targets.collect(),
        }
    }

    /// The integrations of a receiver.
    pub(super) fn targets(&self, receiver: &str) -> Arc<[Target]> {
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
