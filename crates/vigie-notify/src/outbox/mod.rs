//! The messages on their way to receivers: their order, the waits after failures, and the bound on messages per minute.
//!
//! It is driven by times and results. Each integration of a receiver has a lane of its own, so that one that fails delays no
//! other, and gets one message at a time. A message that cannot be sent now is handed back with the time at which the
//! dispatcher decides anew, so that it has the alerts of that time. The dispatcher's state is thereby the only record of
//! messages, and what is on disk is enough to send them after a restart.
//!
//! * If a receiver fails, all of its messages wait. The waits grow; `Retry-After` is honoured.
//! * If a receiver refuses one message, or its template fails, only messages of that group wait.
//! * If there are more messages than the limit per minute allows, they become one summary.

mod lane;
mod summary;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use vigie_promql::Labels;

pub use crate::dispatch::Target;
pub use lane::Failing;

use crate::deliver::{Cause, Failure};
use crate::dispatch::{Notification, Outcome};
use crate::{Message, Time};
use lane::{Lane, Next};

/// A message to send now, and the notifications that it stands for.
#[derive(Clone, Debug)]
pub struct Sending {
    /// The recipient.
    pub target: Target,
    /// The identifiers of the notifications; several for a summary.
    pub ids: Vec<u64>,
    /// The message.
    pub message: Message,
}

/// The result of the notifications of a message, for the dispatcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The identifiers of the notifications.
    pub ids: Vec<u64>,
    /// Their outcome.
    pub outcome: Outcome,
    /// The time at which to decide anew; none if they were delivered.
    pub retry: Option<Time>,
}

/// The messages on their way.
#[derive(Debug)]
pub struct Outbox {
    lanes: BTreeMap<Target, Lane>,
    /// The most messages to a receiver in a minute.
    per_minute: usize,
}

impl Outbox {
    /// An empty outbox. `per_minute` is the most messages that an integration gets in a minute, at least one.
    #[must_use]
    pub fn new(per_minute: usize) -> Self {
        Self {
            lanes: BTreeMap::new(),
            per_minute: per_minute.max(1),
        }
    }

    /// Adds a message.
    pub fn push(&mut self, notification: Notification) {
        let target = Target {
            receiver: Arc::clone(&notification.receiver),
            integration: Arc::clone(&notification.integration),
        };
        let lane = self.lanes.entry(target).or_default();
        lane.push(notification);
    }

    /// The messages to send now, and those that are handed back. `inhibitors` returns the number of alerts that each firing
    /// alert inhibits; it is called for a summary.
    pub fn next(
        &mut self,
        now: Time,
        inhibitors: impl Fn() -> BTreeMap<Labels, usize>,
    ) -> (Vec<Sending>, Vec<Settled>) {
        let (mut sending, mut settled) = (Vec::new(), Vec::new());
        for (target, lane) in &mut self.lanes {
            match lane.next(now, self.per_minute) {
                Next::Nothing => {}
                Next::Later(ids, at) => settled.push(Settled {
                    ids,
                    outcome: Outcome::Failed,
                    retry: Some(at),
                }),
                Next::Send(notifications) => {
                    let ids = notifications.iter().map(|one| one.id).collect();
                    let message = match &notifications[..] {
                        [one] => Message::from(one),
                        many => summary::message(many, &inhibitors()),
                    };
                    sending.push(Sending {
                        target: target.clone(),
                        ids,
                        message,
                    });
                }
            }
        }
        (sending, settled)
    }

    /// Removes the messages that are not being sent. Returns their identifiers.
    pub fn take_waiting(&mut self) -> Vec<u64> {
        let lanes = self.lanes.values_mut();
        lanes.flat_map(Lane::take_waiting).collect()
    }

    /// Records the result of a message. `jitter` is a random number from 0 to 1. An unknown target is ignored.
    pub fn finish(
        &mut self,
        now: Time,
        target: &Target,
        result: Result<(), &Failure>,
        jitter: f64,
    ) -> Option<Settled> {
        let (ids, retry) = self.lanes.get_mut(target)?.finish(now, result, jitter)?;
        let outcome = match result {
            Ok(()) => Outcome::Delivered,
            Err(failure) if failure.cause.is_unsure() => Outcome::Unsure,
            Err(_) => Outcome::Failed,
        };
        Some(Settled {
            ids,
            outcome,
            retry,
        })
    }

    /// Marks an integration as failing, as it was before a restart.
    pub fn restore(&mut self, now: Time, target: Target, failing: Failing) {
        let lane = self.lanes.entry(target).or_default();
        lane.restore(now, failing);
    }

    /// Forgets the integrations that no longer exist. Their messages are gone with the groups of the dispatcher.
    pub fn retain(&mut self, exists: impl Fn(&Target) -> bool) {
        self.lanes.retain(|target, _| exists(target));
    }

    /// The integrations that do not deliver. Temporary failures that were long ago, and refused messages that are no longer
    /// needed, do not count.
    pub fn failing(&mut self, now: Time) -> BTreeMap<Target, Failing> {
        let lanes = self.lanes.iter_mut();
        let failing = lanes.filter_map(|(target, lane)| {
            let failing = lane.failing(now)?;
            Some((target.clone(), failing))
        });
        failing.collect()
    }
}

/// Whether a failure concerns only the message, so that another message may be delivered.
fn is_of_the_message(cause: Cause) -> bool {
    matches!(cause, Cause::Refused | Cause::Template)
}
