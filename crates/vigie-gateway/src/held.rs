//! The place of a client connection among those that are allowed.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use vigie_metrics::{Gauge, Series};

/// The resources of an open client connection.
pub(crate) struct Held {
    connections: Arc<Series<Gauge, 0>>,
    _permit: OwnedSemaphorePermit,
}

impl Held {
    pub(crate) fn new(permit: OwnedSemaphorePermit, connections: &Arc<Series<Gauge, 0>>) -> Self {
        connections.add(1.0);
        Self {
            connections: Arc::clone(connections),
            _permit: permit,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.connections.add(-1.0);
    }
}
