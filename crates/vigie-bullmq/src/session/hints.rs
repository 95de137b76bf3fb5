//! Hints that the masters of a cluster have changed.

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::directory::node::WatchedNode;

/// Hints that the set of masters has changed.
#[derive(Default)]
pub(crate) struct Hints {
    last: Mutex<Option<Hint>>,
    given: Notify,
}

pub(crate) enum Hint {
    /// The node replied that it no longer holds a slot.
    Elsewhere(String),
    /// The node cannot be read.
    Broken(String),
}

impl Hints {
    /// Reports that a node replied that it no longer holds a slot.
    pub(crate) fn elsewhere(&self, node: &WatchedNode) {
        self.give(node, Hint::Elsewhere);
    }

    /// Reports that a node cannot be read.
    pub(crate) fn broken(&self, node: &WatchedNode) {
        self.give(node, Hint::Broken);
    }

    /// Waits for a hint.
    pub(crate) async fn given(&self) {
        self.given.notified().await;
    }

    /// Takes the last hint.
    pub(crate) fn take(&self) -> Option<Hint> {
        self.last.lock().take()
    }

    fn give(&self, node: &WatchedNode, hint: impl FnOnce(String) -> Hint) {
        if let (true, Some(name)) = (node.space.is_cluster, &node.name) {
            *self.last.lock() = Some(hint(name.clone()));
            self.given.notify_one();
        }
    }
}
