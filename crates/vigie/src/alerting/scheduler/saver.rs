//! Writes the state of the groups.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;
use vigie_alerts::engine::SavedGroup;

use crate::alerting::published::Id;
use crate::alerting::state::State;

/// Writes the state on a blocking thread, one write at a time: while one is running, changes wait for the next.
pub(super) struct Saver {
    groups: BTreeMap<Id, Arc<SavedGroup>>,
    is_dirty: bool,
    /// `None` while it is being written.
    state: Option<State>,
    is_up: Option<bool>,
    writing: JoinSet<State>,
}

impl Saver {
    pub(super) fn new(state: State) -> Self {
        Self {
            groups: BTreeMap::new(),
            is_dirty: false,
            is_up: state.is_up(),
            state: Some(state),
            writing: JoinSet::new(),
        }
    }

    pub(super) fn is_up(&self) -> Option<bool> {
        self.is_up
    }

    pub(super) fn clear(&mut self) {
        self.groups.clear();
    }

    pub(super) fn set(&mut self, group: SavedGroup) {
        let (file, name) = group.id();
        let id = (file.to_owned(), name.to_owned());
        self.groups.insert(id, Arc::new(group));
        self.is_dirty = true;
    }

    /// Starts a write, unless one is running.
    pub(super) fn start(&mut self) {
        let Some(mut state) = self.state.take_if(|_| self.is_dirty) else {
            return;
        };
        self.is_dirty = false;
        let groups: Vec<_> = self.groups.values().cloned().collect();
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
