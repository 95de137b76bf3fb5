//! Bounds, and alerts refused by them.

use crate::silence;

/// The bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many alerts there may be at once.
    pub alerts: usize,
    /// How many groups there may be at once.
    pub groups: usize,
    /// How many bytes the texts of an alert may take.
    pub alert_bytes: usize,
    /// Those of silences.
    pub silences: silence::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            alerts: 10_000,
            groups: 20_000,
            alert_bytes: 64 * 1024,
            silences: silence::Limits::default(),
        }
    }
}

/// Why an alert is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its texts are too large.
    #[error("the alert has {found} bytes; at most {most} are accepted")]
    TooLarge {
        /// What they take.
        found: usize,
        /// What they may take.
        most: usize,
    },
    /// There are too many alerts.
    #[error("there are {0} alerts already; no more are accepted")]
    TooManyAlerts(usize),
    /// There are too many groups.
    #[error("there are {0} groups of alerts already; no more are accepted")]
    TooManyGroups(usize),
}
