//! The alerts of a group that one integration was notified of.

use serde::{Deserialize, Serialize};
use vigie_promql::Labels;

use super::view::View;
use crate::Time;
use crate::route::Options;

/// Whether an integration was notified that an alert fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Notified {
    /// No, or it was notified since that the alert resolved.
    #[default]
    No,
    /// No: the message failed.
    Failed,
    /// The outcome of the message is unsure.
    Unsure,
    /// Yes.
    Yes,
}

impl Notified {
    /// Whether a resolved message must follow.
    pub(super) fn is_notified(self) -> bool {
        matches!(self, Self::Unsure | Self::Yes)
    }
}

/// A message whose outcome is unknown. The labels are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) id: u64,
    pub(super) at: Time,
    /// Whether an attempt to deliver it may have begun.
    pub(super) attempted: bool,
    pub(super) firing: Vec<Labels>,
    pub(super) resolved: Vec<Labels>,
}

impl Flight {
    pub(super) fn holds(&self, labels: &Labels) -> bool {
        let mut lists = [&self.firing, &self.resolved].into_iter();
        lists.any(|list| list.binary_search(labels).is_ok())
    }
}

/// The messages to one integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Log {
    /// The time of the next check.
    pub(super) next: Time,
    /// The time of the last message.
    pub(super) attempt: Option<Time>,
    /// The time of the last message that was delivered.
    pub(super) sent: Option<Time>,
    /// The time of the first message that failed after it.
    pub(super) failing_since: Option<Time>,
    pub(super) flight: Option<Flight>,
}

impl Log {
    pub(super) fn new(next: Time) -> Self {
        Self {
            next,
            attempt: None,
            sent: None,
            failing_since: None,
            flight: None,
        }
    }

    pub(super) fn is_due(&self, now: Time) -> bool {
        self.flight.is_none() && self.next <= now
    }

    /// Whether the message that an alert resolved is given up, because it has failed for so long.
    pub(super) fn gives_up(&self, view: &View<'_>, patience: Time, now: Time) -> bool {
        let long_ago = |time: Time| time.saturating_add(patience) <= now;
        let resolved = view.alert.ends_at.is_some_and(long_ago);
        view.mute.is_none() && resolved && self.failing_since.is_some_and(long_ago)
    }

    /// The time at which the last message is repeated: exactly `repeat_interval` later, but at least `group_interval` after
    /// the last attempt.
    pub(super) fn repeat_at(&self, options: &Options) -> Option<Time> {
        let repeat = self.sent?.saturating_add(options.repeat_interval);
        let earliest = self.attempt?.saturating_add(options.group_interval);
        Some(repeat.max(earliest))
    }
}
