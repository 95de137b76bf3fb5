//! Records what became of messages.

use super::notification::Outcome;
use super::{Dispatcher, GroupId};
use crate::Time;

impl Dispatcher {
    /// Records the outcome of a message. An unknown identifier is ignored. A message that was not delivered is sent again
    /// after `group_interval`, if it is still needed.
    pub fn outcome(&mut self, id: u64, outcome: Outcome) {
        self.settle(id, outcome, None);
    }

    /// Records that a message was not delivered. At `at`, the message that the group needs then is sent in its place.
    pub fn retry(&mut self, id: u64, outcome: Outcome, at: Time) {
        self.settle(id, outcome, Some(at));
    }

    fn settle(&mut self, id: u64, outcome: Outcome, retry: Option<Time>) {
        let Some((id, at)) = self.flights.remove(&id) else {
            return;
        };
        let options = self.plan.routes.options(id.route);
        if let Some(group) = self.groups.get_mut(&id) {
            group.outcome(at, outcome, retry, options);
            self.changes.groups.insert(id);
        }
    }

    /// Records that an attempt to deliver a message begins. The attempt must not begin before this is on disk.
    pub fn attempt(&mut self, id: u64) {
        let Some((id, at)) = self.flights.get(&id) else {
            return;
        };
        let group = self.groups.get_mut(id);
        if let Some(flight) = group.and_then(|group| group.logs[*at].flight.as_mut()) {
            flight.attempted = true;
            self.changes.groups.insert(id.clone());
        }
    }

    /// Ends the messages whose outcome is unknown, to be called after a restart: those for which an attempt may have begun
    /// may have been delivered. The messages that their groups need now become due.
    pub fn recover(&mut self, now: Time) {
        let attempted = |(id, at): &(GroupId, usize)| {
            let group = self.groups.get(id);
            let flight = group.and_then(|group| group.logs[*at].flight.as_ref());
            flight.is_some_and(|flight| flight.attempted)
        };
        let flights = self.flights.iter();
        let flights = flights.map(|(id, place)| (*id, attempted(place)));
        for (id, attempted) in flights.collect::<Vec<_>>() {
            let outcome = if attempted {
                Outcome::Unsure
            } else {
                Outcome::Failed
            };
            self.retry(id, outcome, now);
        }
    }

    /// The messages whose outcome is unknown.
    pub fn in_flight(&self) -> impl Iterator<Item = u64> {
        self.flights.keys().copied()
    }
}
