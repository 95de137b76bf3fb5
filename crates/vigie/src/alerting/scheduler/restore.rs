//! Continues with the saved state.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::warn;
use vigie_alerts::engine::{Closed, Group};

use super::replace::{Waiting, end, publish_all};
use super::saver::{Saved, Saver};
use super::{EVALUATORS, Parts, Scheduler, Slot};
use crate::alerting::published::id;
use crate::alerting::sources::Recorded;
use crate::alerting::state::State;

impl Scheduler {
    /// A scheduler for these groups, which continue with the saved state. Blocks while it is read.
    pub(in crate::alerting) fn new(
        parts: Parts,
        groups: Vec<Group>,
        recorded: Recorded,
        mut state: State,
    ) -> Self {
        let Parts {
            shared,
            outlet,
            notifications,
        } = parts;
        let now = shared.clock.millis();
        let mut saved = BTreeMap::new();
        for group in state.load() {
            let (file, name) = group.id();
            saved.insert((file.to_owned(), name.to_owned()), group);
        }
        let mut closed = Closed::default();
        let mut slots = BTreeMap::new();
        let mut dropped = 0;
        for mut group in groups {
            let id = id(&group);
            if let Some(mut saved) = saved.remove(&id) {
                dropped += saved.truncate(shared.room.left());
                closed.extend(group.restore(saved, now));
                shared.room.replace(0, group.alert_count());
            }
            slots.insert(id, Slot::new(group, now));
        }
        for group in saved.into_values() {
            closed.extend(group.close(&shared.inputs.defaults, now));
        }
        if dropped > 0 {
            warn!(
                alerts = dropped,
                "the saved state has more alerts than alerts.max_alerts; these are dropped"
            );
            shared.recorder.refused(dropped);
        }
        let recorded = Arc::new(recorded);
        let saved = Saved::of(&slots);
        publish_all(&shared, &slots);
        end(&shared, &outlet, &recorded, closed);
        Self {
            shared: Arc::new(shared),
            outlet,
            notifications,
            slots,
            recorded,
            evaluators: Arc::new(Semaphore::new(EVALUATORS)),
            running: JoinSet::new(),
            reading: JoinSet::new(),
            waiting: Waiting::default(),
            changing: JoinSet::new(),
            saver: Saver::new(state, saved),
        }
    }
}
