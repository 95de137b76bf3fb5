//! Alerts as notification sees them.

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
    /// When it began to fire.
    pub starts_at: Time,
    /// When it is over, in the past or in the future; `None` while that is not known.
    pub ends_at: Option<Time>,
    /// Since when its state cannot be known, because its source cannot be read.
    pub unknown_since: Option<Time>,
    /// The value of its expression, the last one known.
    #[serde(with = "saved::bits")]
    pub value: Option<f64>,
    /// Where its expression can be seen.
    #[serde(with = "saved::text")]
    pub generator_url: Arc<str>,
}

/// The state of an alert at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its condition holds.
    Firing,
    /// Its condition held before its source could not be read any more: it is neither over nor known to last.
    Unknown,
    /// Its condition does not hold any more.
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

    /// Its state now. An end does not count while the source cannot be read.
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
