//! What is watched, in parts that have connections of their own: a server, a database of it, a master of a cluster.

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

/// A space of keys, in which a name stands for one queue: a database, or a whole cluster.
pub(crate) struct Keyspace {
    /// Its number, where several are watched.
    pub(crate) database: Option<u16>,
    pub(crate) is_cluster: bool,
    pub(crate) families: Arc<Families>,
    /// Slots all keys of which were walked.
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

    /// Where a queue is in it. Outside of a cluster all have the same place.
    pub(crate) fn slot(&self, queue: &QueueKey) -> u16 {
        match self.is_cluster {
            true => queue.slot(),
            false => 0,
        }
    }

    /// Whether what is found there now is new.
    pub(crate) fn was_swept(&self, slot: u16) -> bool {
        self.swept.lock().contains(slot)
    }

    pub(crate) fn swept(&self, slots: &Slots) {
        self.swept.lock().add_all(slots);
    }
}

/// A part that is watched by a session of its own.
pub(crate) struct Node {
    id: u64,
    /// What people call it; `None`: it is all there is.
    pub(crate) name: Option<String>,
    pub(crate) endpoint: Endpoint,
    pub(crate) space: Arc<Keyspace>,
    /// What it holds of the space.
    slots: RwLock<Arc<Slots>>,
    queues: RwLock<Queues>,
    pub(crate) health: Mutex<Health>,
    /// The commands that it does not answer.
    pub(crate) refusals: Arc<Refusals>,
}

/// How the last tries went.
#[derive(Default)]
pub(crate) struct Health {
    pub(crate) last_levels: Option<Instant>,
    pub(crate) error: Option<String>,
    /// Why some queues or levels are unknown, although the node answers.
    pub(crate) refused: Option<String>,
    /// Whether events are or were followed.
    pub(crate) followed: bool,
    pub(crate) events_error: Option<String>,
}

impl Health {
    /// Why some jobs or all of them cannot be counted now.
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

    /// No other node has the same, not even one of the same name before or after this.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The queues that it holds, in the order of all.
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

    /// An error, and whose it is where there are others.
    pub(crate) fn says(&self, error: impl std::fmt::Display) -> String {
        match &self.name {
            Some(name) => format!("{name}: {error}"),
            None => error.to_string(),
        }
    }
}

/// Watches a node until `stop` is cancelled. What is under way then is brought to its end, for what was read and not yet
/// counted would be counted by nobody.
pub(crate) async fn watch(shared: Arc<Shared>, node: Arc<Node>, stop: CancellationToken) {
    let control = Control::new(Arc::clone(&shared), Arc::clone(&node)).run();
    let follower = Follower::new(shared, node).run(&stop);
    let (_, ()) = tokio::join!(stop.run_until_cancelled(control), follower);
}
