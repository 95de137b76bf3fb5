//! Bounds, and alerts refused by them.

use crate::{Time, silence};

/// The bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most alerts at a time. A quarter of them, and of the groups, is reserved for alerts without an end.
    pub alerts: usize,
    /// The most groups at a time.
    pub groups: usize,
    /// The most bytes of text in one alert.
    pub alert_bytes: usize,
    /// The time after which a resolved message that fails is given up, in milliseconds.
    pub patience: Time,
    /// The bounds of silences.
    pub silences: silence::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            alerts: 10_000,
            groups: 20_000,
            alert_bytes: 64 * 1024,
            patience: 24 * 3_600_000,
            silences: silence::Limits::default(),
        }
    }
}

/// The bound that an alert exceeds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The bytes of its texts.
    #[error("the alert has {found} bytes; at most {most} are accepted")]
    TooLarge {
        /// The bytes of the alert.
        found: usize,
        /// The bytes accepted.
        most: usize,
    },
    /// The number of alerts.
    #[error("there are {0} alerts already; no more are accepted")]
    TooManyAlerts(usize),
    /// The number of groups.
    #[error("there are {0} groups of alerts already; no more are accepted")]
    TooManyGroups(usize),
}

impl Refused {
    /// The values of the label `reason`.
    pub(crate) const NAMES: [&str; 3] = ["too_large", "alerts", "groups"];

    /// Its value of the label `reason`.
    pub(crate) fn name(&self) -> &'static str {
        let [too_large, alerts, groups] = Self::NAMES;
        match self {
            Self::TooLarge { .. } => too_large,
            Self::TooManyAlerts(_) => alerts,
            Self::TooManyGroups(_) => groups,
        }
    }
}
