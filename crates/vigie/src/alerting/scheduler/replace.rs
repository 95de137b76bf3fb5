//! Changes of all groups at once: a reload, and the time at which this replica begins to notify.
//!
//! With thousands of rules such a change takes long, so it takes all groups to a blocking thread and brings them back.

use std::sync::Arc;

use tokio::task::JoinError;
use tracing::info;
use vigie_alerts::engine::{Closed, Context as _, Group, Time};

use super::reading::Fresh;
use super::saver::Saved;
use super::{SHORTEST_TIMEOUT, Scheduler, Shared, Slot, Slots, idle, late_from};
use crate::alerting::context::Context;
use crate::alerting::outlet::Outlet;
use crate::alerting::published::{Shown, id};
use crate::alerting::receiving::Receiving;
use crate::alerting::reloader::Request;
use crate::alerting::sources::Recorded;

/// The changes that wait until no group is evaluated. Meanwhile no evaluation starts.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) files: Option<(Request, Fresh)>,
    tells_all: bool,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_none() && !self.tells_all
    }
}

/// A change, with all groups.
struct Change {
    shared: Arc<Shared>,
    outlet: Outlet,
    notifications: Receiving,
    slots: Slots,
    recorded: Arc<Recorded>,
    tells_all: bool,
}

/// The groups after a change.
pub(super) struct Changed {
    slots: Slots,
    recorded: Arc<Recorded>,
    /// The state of the groups and the time, if the files were read again.
    reloaded: Option<(Request, Saved, Time)>,
}

impl Scheduler {
    /// All alerts are passed to the notifier when this replica begins to notify.
    pub(super) fn look_whether_elected(&mut self) {
        self.waiting.tells_all |= self.outlet.begins();
    }

    /// Begins the changes that wait. No group is being evaluated.
    pub(super) fn change_all(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let Waiting { files, tells_all } = std::mem::take(&mut self.waiting);
        let mut change = Change {
            shared: Arc::clone(&self.shared),
            outlet: self.outlet.clone(),
            notifications: self.notifications.clone(),
            slots: std::mem::take(&mut self.slots),
            recorded: Arc::clone(&self.recorded),
            tells_all,
        };
        self.changing.spawn_blocking(move || {
            let reloaded = files.map(|(request, fresh)| {
                let (saved, now) = change.reload(fresh);
                (request, saved, now)
            });
            change.tell_all();
            Changed {
                slots: change.slots,
                recorded: change.recorded,
                reloaded,
            }
        });
    }

    /// Continues with the groups after a change.
    pub(super) fn take_changed(&mut self, changed: Result<Changed, JoinError>) {
        let Changed {
            slots,
            recorded,
            reloaded,
        } = match changed {
            Ok(changed) => changed,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        self.slots = slots;
        self.recorded = recorded;
        let Some((request, saved, now)) = reloaded else {
            return;
        };
        self.saver.replace(saved);
        self.saver.start();
        let late_from = late_from(&self.slots);
        // Before the first evaluation there is nothing to be late.
        self.shared.late_from.send_if_modified(|current| {
            let has_begun = current.is_some();
            if has_begun {
                *current = late_from;
            }
            has_begun
        });
        let groups = self.slots.len();
        info!(groups, "the rule files and the receivers were read again");
        self.shared.recorder.reloaded(Some(now));
        request.answer(Ok(()));
    }
}

impl Change {
    /// Continues with other files. Returns the state of the groups, and the time.
    fn reload(&mut self, fresh: Fresh) -> (Saved, Time) {
        let now = self.shared.clock.millis();
        self.recorded = Arc::new(fresh.recorded);
        let closed = self.replace(fresh.groups, now);
        self.shared
            .room
            .set(idle(&self.slots).map(Group::alert_count).sum());
        publish_all(&self.shared, &self.slots);
        end(&self.shared, &self.outlet, &self.recorded, closed);
        let longest = idle(&self.slots).map(Group::interval).max();
        self.outlet.set_longest_interval(longest);
        self.notifications.replace(fresh.notifications);
        (Saved::of(&self.slots), now)
    }

    /// Replaces the groups. Rules that exist before and after keep their state; the alerts of others resolve.
    fn replace(&mut self, groups: Vec<Group>, now: Time) -> Closed {
        let mut old = std::mem::take(&mut self.slots);
        let mut closed = Closed::default();
        for mut group in groups {
            let id = id(&group);
            let before = old.remove(&id);
            let last = before.as_ref().map_or(now, |slot| slot.last);
            if let Some(before) = before.and_then(|slot| slot.group) {
                closed.extend(group.adopt(before, now));
            }
            self.slots.insert(id, Slot::new(group, last));
        }
        self.shared.recorder.forget(old.keys());
        for group in old.into_values().filter_map(|slot| slot.group) {
            closed.extend(group.close(now));
        }
        closed
    }

    /// Passes all alerts to the notifier, if this replica begins to notify.
    fn tell_all(&self) {
        if self.tells_all {
            let updates = idle(&self.slots).flat_map(Group::updates).collect();
            let refused = self.outlet.pass_all(updates);
            self.shared.recorder.refused(refused);
        }
    }
}

/// Publishes all groups, and no others.
pub(super) fn publish_all(shared: &Shared, slots: &Slots) {
    let published = &shared.published;
    published.retain(|id| slots.contains_key(id));
    for group in idle(slots) {
        let (at, took) = (group.last_evaluation(), group.evaluation_duration());
        published.set(id(group), Shown::of(group, at, took));
        let interval = group.interval();
        shared.recorder.interval(&id(group), interval);
    }
}

/// Ends the series of rules that no longer exist, and resolves their alerts.
pub(super) fn end(shared: &Shared, outlet: &Outlet, recorded: &Arc<Recorded>, closed: Closed) {
    let refused = outlet.pass(closed.updates);
    shared.recorder.refused(refused);
    let Some(history) = shared.history.loaded() else {
        return;
    };
    let mut context = Context::new(
        &shared.settings,
        recorded,
        &history,
        shared.clock.millis(),
        SHORTEST_TIMEOUT,
        &shared.room,
    );
    // A marker that is refused ends nothing: the series has a later sample.
    let _ = context.write(&closed.samples);
}
