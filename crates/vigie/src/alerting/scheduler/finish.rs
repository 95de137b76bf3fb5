//! The end of an evaluation: its result is published, passed to the notifier and saved.

use std::time::Duration;

use tokio::task::JoinError;
use tracing::error;
use vigie_alerts::engine::Time;

use super::evaluation::Done;
use super::{Scheduler, Slot, late_from};
use crate::alerting::recorder::Outcome;

/// The number of missed evaluations after which a group is late.
const LATE_INTERVALS: u32 = 3;

impl Scheduler {
    /// Publishes the result of an evaluation, passes it on and saves it.
    pub(super) fn finish(&mut self, done: Result<Done, JoinError>) {
        let done = match done {
            Ok(done) => done,
            Err(error) => {
                error!(%error, "an evaluation of rules ended unexpectedly; its group is not evaluated any more");
                return;
            }
        };
        let Done {
            id,
            group,
            at,
            took,
            missed,
            evaluation,
            shown,
            saved,
        } = done;
        let Some(slot) = self.slots.get_mut(&id) else {
            return;
        };
        let rules = group.rules().len();
        slot.group = Some(group);
        slot.evaluated = at;
        let unpassed = self.outlet.pass(evaluation.updates);
        let outcome = Outcome {
            at,
            took,
            missed,
            rules,
            failures: evaluation.failures,
            template_failures: evaluation.template_failures,
            refused: evaluation.refused + unpassed,
        };
        self.shared.published.set(id.clone(), shown);
        let alerts = self.shared.published.alerts();
        self.shared.recorder.evaluated(&id, &outcome, alerts);
        self.shared.late_from.send_replace(late_from(&self.slots));
        if let Some(saved) = saved {
            self.saver.set(saved);
            self.saver.start();
        }
        self.shared.recorder.state_is_up(self.saver.is_up());
    }
}

impl Slot {
    /// The time from which the group is late.
    pub(super) fn late_from(&self) -> Time {
        let after: Duration = self.interval.saturating_mul(LATE_INTERVALS);
        let after = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        self.evaluated.saturating_add(after)
    }
}
