//! The reasons for which alerts are muted.

use std::fmt;

use serde::{Deserialize, Serialize};
use vigie_promql::Labels;

use super::Entry;
use crate::alert::State;
use crate::inhibit::Inhibition;
use crate::silence::Silences;
use crate::{Time, config};

/// The reason for which an alert is muted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mute {
    /// The silence with this identifier.
    Silence(String),
    /// A firing alert with these labels inhibits it.
    Inhibited(Labels),
    /// This user acknowledged it.
    Acknowledged(String),
    /// This time interval mutes its route.
    Interval(String),
    /// Its route is active only during these time intervals.
    Outside(String),
}

impl fmt::Display for Mute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence(id) => write!(f, "muted by the silence {id}"),
            Self::Inhibited(by) => write!(f, "inhibited by {by}"),
            Self::Acknowledged(by) => write!(f, "acknowledged by {by}"),
            Self::Interval(name) => write!(f, "muted during {name}"),
            Self::Outside(names) => write!(f, "muted outside of {names}"),
        }
    }
}

/// The acknowledgement of an alert, which mutes it until it resolves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The user.
    pub by: String,
    /// The time.
    pub at: Time,
    /// The user's comment.
    pub comment: String,
}

/// Everything that mutes alerts now.
pub(super) struct Mutes<'a> {
    inhibition: Inhibition<'a>,
    silences: &'a Silences,
    now: Time,
}

impl<'a> Mutes<'a> {
    pub(super) fn new(
        rules: &'a [config::InhibitRule],
        alerts: impl Iterator<Item = &'a Entry> + Clone,
        silences: &'a Silences,
        now: Time,
    ) -> Self {
        let firing = alerts.filter(move |entry| entry.alert.state(now) != State::Resolved);
        let firing = firing.map(|entry| &entry.alert.labels);
        Self {
            inhibition: Inhibition::new(rules, firing),
            silences,
            now,
        }
    }

    pub(super) fn of(&self, entry: &'a Entry) -> Option<Mute> {
        let resolved = entry.alert.state(self.now) == State::Resolved;
        if let Some(acknowledged) = entry.acknowledged.as_ref().filter(|_| !resolved) {
            return Some(Mute::Acknowledged(acknowledged.by.clone()));
        }
        let labels = &entry.alert.labels;
        if let Some(silence) = self.silences.mutes(labels, self.now).next() {
            return Some(Mute::Silence(silence.id.clone()));
        }
        let by = self.inhibited_by(labels)?;
        Some(Mute::Inhibited(by.clone()))
    }

    /// A firing alert that inhibits the one with these labels.
    pub(super) fn inhibited_by(&self, labels: &'a Labels) -> Option<&'a Labels> {
        self.inhibition.by(labels)
    }
}
