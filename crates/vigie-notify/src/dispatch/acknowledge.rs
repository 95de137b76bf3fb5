//! Acknowledgements, which mute an alert until it resolves.

use vigie_promql::Labels;

use super::{Acknowledgement, Dispatcher};
use crate::Time;
use crate::alert::State;

/// No firing alert has these labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such alert is firing")]
pub struct NotFiring;

impl Dispatcher {
    /// Mutes an alert until it resolves.
    ///
    /// # Errors
    /// If it is not firing.
    pub fn acknowledge(
        &mut self,
        now: Time,
        labels: &Labels,
        acknowledgement: Acknowledgement,
    ) -> Result<(), NotFiring> {
        self.set_acknowledgement(now, labels, Some(acknowledgement))
    }

    /// Ends the acknowledgement of an alert.
    ///
    /// # Errors
    /// If it is not firing.
    pub fn unacknowledge(&mut self, now: Time, labels: &Labels) -> Result<(), NotFiring> {
        self.set_acknowledgement(now, labels, None)
    }

    fn set_acknowledgement(
        &mut self,
        now: Time,
        labels: &Labels,
        acknowledgement: Option<Acknowledgement>,
    ) -> Result<(), NotFiring> {
        let entry = self.alerts.get_mut(labels);
        let entry = entry.filter(|entry| entry.alert.state(now) != State::Resolved);
        entry.ok_or(NotFiring)?.acknowledged = acknowledgement;
        self.changes.alerts.insert(labels.clone());
        Ok(())
    }
}
