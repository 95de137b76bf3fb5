//! A watched node: a server, a database, or a master of a cluster.

use std::fmt::Display;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;
use vigie_redis::Endpoint;

use crate::queue::holder::NodeId;
use crate::queue::keyspace::Keyspace;

/// A server, a database, or a master of a cluster, which has a session of its own.
pub(crate) struct WatchedNode {
    pub(crate) id: NodeId,
    /// Display name; `None` if there is only one node.
    pub(crate) name: Option<String>,
    pub(crate) endpoint: Endpoint,
    pub(crate) space: Arc<Keyspace>,
    pub(crate) health: Mutex<Health>,
}

/// The results of the last attempts.
#[derive(Default)]
pub(crate) struct Health {
    pub(crate) last_levels: Option<Instant>,
    pub(crate) error: Option<String>,
    /// Why some queues or levels are unknown although the connection works.
    pub(crate) refused: Option<String>,
    /// Whether events have been followed.
    pub(crate) followed: bool,
    pub(crate) events_error: Option<String>,
}

impl Health {
    /// Why some or all jobs cannot be counted now.
    pub(crate) fn problem(&self) -> Option<&String> {
        self.error.as_ref().or(self.refused.as_ref())
    }

    /// Whether jobs can be counted; `None`: not tried yet.
    pub(crate) fn counts(&self) -> Option<bool> {
        match self.problem() {
            Some(_) => Some(false),
            None => self.last_levels.map(|_| true),
        }
    }

    /// Whether events can be followed; `None`: not tried yet.
    pub(crate) fn follows(&self) -> Option<bool> {
        match &self.events_error {
            Some(_) => Some(false),
            None => self.followed.then_some(true),
        }
    }
}

impl WatchedNode {
    pub(crate) fn new(name: Option<String>, endpoint: Endpoint, space: Arc<Keyspace>) -> Self {
        Self {
            id: NodeId::unique(),
            name,
            endpoint,
            space,
            health: Mutex::default(),
        }
    }

    /// Formats an error, prefixed with the node's name if it has one.
    pub(crate) fn describe(&self, error: impl Display) -> String {
        match &self.name {
            Some(name) => format!("{name}: {error}"),
            None => error.to_string(),
        }
    }
}
