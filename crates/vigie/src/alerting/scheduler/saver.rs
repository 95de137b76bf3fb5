//! Writes the state of the groups.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;
use vigie_alerts::engine::SavedGroup;

use super::{Slots, idle};
use crate::alerting::published::{self, Id};
use crate::alerting::state::State;

/// The state of all groups.
pub(super) struct Saved(BTreeMap<Id, Arc<SavedGroup>>);

impl Saved {
    /// The state of the groups that are not being evaluated.
    pub(super) fn of(slots: &Slots) -> Self {
        let groups = idle(slots).map(|group| (published::id(group), Arc::new(group.save())));
        Self(groups.collect())
    }
}

/// Writes the state on a blocking thread, one write at a time: while one is running, changes wait for the next.
pub(super) struct Saver {
    groups: Saved,
    is_dirty: bool,
    /// `None` while it is being written.
    state: Option<State>,
    is_up: Option<bool>,
    writing: JoinSet<State>,
}

impl Saver {
    /// The state of `groups` is written with the next change.
    pub(super) fn new(state: State, groups: Saved) -> Self {
        Self {
            groups,
            is_dirty: true,
            is_up: state.is_up(),
            state: Some(state),
            writing: JoinSet::new(),
        }
    }

    pub(super) fn is_up(&self) -> Option<bool> {
        self.is_up
    }

    /// Sets the state of all groups.
    pub(super) fn replace(&mut self, groups: Saved) {
        self.groups = groups;
        self.is_dirty = true;
    }

    pub(super) fn set(&mut self, group: SavedGroup) {
        let (file, name) = group.id();
        let id = (file.to_owned(), name.to_owned());
        self.groups.0.insert(id, Arc::new(group));
        self.is_dirty = true;
    }

    /// Starts a write, unless one is running.
    pub(super) fn start(&mut self) {
        let Some(mut state) = self.state.take_if(|_| self.is_dirty) else {
            return;
        };
        self.is_dirty = false;
        let groups: Vec<_> = self.groups.0.values().cloned().collect();
        self.writing.spawn_blocking(move || {
            state.save(&groups);
            state
        });
    }

    /// Waits for the running write; forever if there is none. Cancelling it loses nothing.
    pub(super) async fn written(&mut self) {
        match self.writing.join_next().await {
            Some(Ok(state)) => {
                self.is_up = state.is_up();
                self.state = Some(state);
                self.start();
            }
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => std::future::pending().await,
        }
    }

    /// Writes the last state.
    pub(super) async fn finish(&mut self) {
        self.start();
        while !self.writing.is_empty() {
            self.written().await;
        }
    }
}
