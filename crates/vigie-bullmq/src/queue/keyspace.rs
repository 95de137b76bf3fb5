//! The keyspaces that contain queues.

use std::sync::Arc;

use parking_lot::Mutex;
use vigie_redis::Slots;

use crate::protocol::key::QueueKey;
use crate::series::families::Families;

/// A keyspace in which a key identifies one queue: a database, or a whole cluster.
pub(crate) struct Keyspace {
    /// The database number, if several are watched.
    pub(crate) database: Option<u16>,
    pub(crate) is_cluster: bool,
    pub(crate) families: Arc<Families>,
    /// Slots of which all keys were scanned.
    swept: Mutex<Slots>,
}

impl Keyspace {
    pub(crate) fn new(database: Option<u16>, is_cluster: bool, families: Arc<Families>) -> Self {
        Self {
            database,
            is_cluster,
            families,
            swept: Mutex::new(Slots::none()),
        }
    }

    /// The slot of a queue; always 0 outside a cluster.
    pub(crate) fn slot(&self, queue: &QueueKey) -> u16 {
        match self.is_cluster {
            true => queue.slot(),
            false => 0,
        }
    }

    /// Whether a queue found in this slot now is new.
    pub(crate) fn was_swept(&self, slot: u16) -> bool {
        self.swept.lock().contains(slot)
    }

    pub(crate) fn swept(&self, slots: &Slots) {
        self.swept.lock().add_all(slots);
    }
}
