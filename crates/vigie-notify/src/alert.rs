//! Alerts and their states.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vigie_promql::Labels;

use crate::{Time, saved};

/// An alert. Its labels are its identity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Alert {
    /// The labels, with the name of the alert.
    #[serde(with = "saved::labels")]
    pub labels: Labels,
    /// The annotations.
    #[serde(with = "saved::pairs")]
    pub annotations: Arc<[(Arc<str>, Arc<str>)]>,
    /// The time it began to fire.
    pub starts_at: Time,
    /// The time it resolved or will resolve; `None` while it has no end.
    pub ends_at: Option<Time>,
    /// The time since which its state is unknown, because its source cannot be read.
    pub unknown_since: Option<Time>,
    /// The value of its expression, the last one known.
    #[serde(with = "saved::bits")]
    pub value: Option<f64>,
    /// The URL that shows its expression.
    #[serde(with = "saved::text")]
    pub generator_url: Arc<str>,
}

/// The state of an alert at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its condition holds.
    Firing,
    /// It fired before its source became unreadable. It counts as firing and is marked.
    Unknown,
    /// Its condition no longer holds.
    Resolved,
}

impl Alert {
    /// An alert that fires, without annotations.
    #[must_use]
    pub fn firing(labels: Labels, starts_at: Time) -> Self {
        Self {
            labels,
            annotations: Arc::new([]),
            starts_at,
            ends_at: None,
            unknown_since: None,
            value: None,
            generator_url: "".into(),
        }
    }

    /// Its state at `now`. Its end is ignored while its source cannot be read.
    #[must_use]
    pub fn state(&self, now: Time) -> State {
        match (self.unknown_since, self.ends_at) {
            (Some(_), _) => State::Unknown,
            (None, Some(end)) if end <= now => State::Resolved,
            _ => State::Firing,
        }
    }

    /// Roughly the bytes that its texts take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let annotations = self.annotations.iter();
        let annotations = annotations.map(|(name, value)| name.len() + value.len());
        let labels = self.labels.iter();
        let labels = labels.map(|(name, value)| name.len() + value.len());
        labels.chain(annotations).sum::<usize>() + self.generator_url.len()
    }
}
