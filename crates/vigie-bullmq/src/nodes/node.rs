//! A unit with connections of its own: a server, a database, or a master of a cluster.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::{Mutex, RwLock};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use vigie_redis::{Endpoint, Slots};

use crate::events::follower::Follower;
use crate::nodes::refusals::Refusals;
use crate::queues::control::Control;
use crate::queues::key::QueueKey;
use crate::series::Families;
use crate::shared::{Queues, Shared};

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

/// A unit watched by a session of its own.
pub(crate) struct Node {
    id: u64,
    /// Display name; `None` if there is only one node.
    pub(crate) name: Option<String>,
    pub(crate) endpoint: Endpoint,
    pub(crate) space: Arc<Keyspace>,
    /// The slots of the keyspace that it holds.
    slots: RwLock<Arc<Slots>>,
    queues: RwLock<Queues>,
    pub(crate) health: Mutex<Health>,
    /// The commands that it refuses.
    pub(crate) refusals: Arc<Refusals>,
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

impl Node {
    pub(crate) fn new(
        name: Option<String>,
        endpoint: Endpoint,
        space: Arc<Keyspace>,
        slots: Slots,
    ) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(1);
        Self {
            id: IDS.fetch_add(1, Relaxed),
            name,
            endpoint,
            space,
            slots: RwLock::new(Arc::new(slots)),
            queues: RwLock::new(Arc::new([])),
            health: Mutex::default(),
            refusals: Arc::default(),
        }
    }

    /// A unique id, even among nodes of the same name over time.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The queues that it holds, in the global order.
    pub(crate) fn queues(&self) -> Queues {
        Arc::clone(&self.queues.read())
    }

    pub(crate) fn set_queues(&self, queues: Queues) {
        *self.queues.write() = queues;
    }

    pub(crate) fn slots(&self) -> Arc<Slots> {
        Arc::clone(&self.slots.read())
    }

    pub(crate) fn set_slots(&self, slots: Slots) {
        *self.slots.write() = Arc::new(slots);
    }

    /// Formats an error, prefixed with the node's name if it has one.
    pub(crate) fn describe(&self, error: impl std::fmt::Display) -> String {
        match &self.name {
            Some(name) => format!("{name}: {error}"),
            None => error.to_string(),
        }
    }
}

/// Watches a node until `stop` is cancelled. A read in progress is completed, because entries that were read but not
/// counted would be lost.
pub(crate) async fn watch(shared: Arc<Shared>, node: Arc<Node>, stop: CancellationToken) {
    let control = Control::new(Arc::clone(&shared), Arc::clone(&node)).run();
    let follower = Follower::new(shared, node).run(&stop);
    let (_, ()) = tokio::join!(stop.run_until_cancelled(control), follower);
}
