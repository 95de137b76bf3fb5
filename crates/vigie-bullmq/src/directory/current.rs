//! The current snapshot of queues and nodes, and its changes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::{RwLock, RwLockUpgradableReadGuard};

use crate::directory::node::WatchedNode;
use crate::directory::snapshot::{Member, Snapshot};
use crate::events::fold::Fold;
use crate::events::jobs::Room;
use crate::failures::reasons::Reasons;
use crate::protocol::discovery::Found;
use crate::protocol::key::QueueKey;
use crate::queue::followed::{Queue, Queues};
use crate::queue::holder::NodeId;
use crate::queue::keyspace::Keyspace;
use crate::series::families::Families;
use crate::series::levels::Row;
use crate::settings::{RESERVED, Settings, Tick};

/// The followed queues and the watched nodes.
pub(crate) struct Directory {
    max_queues: usize,
    max_names: usize,
    /// Whether the reasons of failures are redacted.
    redacts: bool,
    tick: Option<Tick>,
    /// Limit on remembered jobs, shared by all queues.
    room: Room,
    /// Series that do not belong to a single queue or database.
    families: Arc<Families>,
    /// Readers clone it. A change holds an upgradable lock from the old snapshot to the new one, which excludes other
    /// changes but no readers.
    snapshot: RwLock<Arc<Snapshot>>,
}

/// Held while the snapshot is replaced.
type Change<'a> = RwLockUpgradableReadGuard<'a, Arc<Snapshot>>;

impl Directory {
    pub(crate) fn new(settings: &Settings, families: Arc<Families>, members: Vec<Member>) -> Self {
        Self {
            max_queues: settings.max_queues,
            max_names: settings.max_names,
            redacts: settings.redact,
            tick: settings.tick.clone(),
            room: Room::new(settings.max_jobs),
            families,
            snapshot: RwLock::new(Arc::new(Snapshot::new(members))),
        }
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read())
    }

    /// The queues of a node; none if it is no longer watched.
    pub(crate) fn queues_of(&self, node: &WatchedNode) -> Queues {
        self.snapshot.read().queues_of(node.id)
    }

    /// Replaces the watched nodes, and assigns each queue to the node that holds its slot.
    pub(crate) fn set_members(&self, members: Vec<Member>) {
        let change = self.snapshot.upgradable_read();
        let (next, holders) = change.with_members(members);
        self.replace(change, next, &holders);
    }

    /// Sets the reason for which the nodes cannot be read; `None`: they can be read.
    pub(crate) fn set_lost(&self, lost: Option<String>) {
        let mut change = self.snapshot.upgradable_read();
        let mut next = Snapshot::clone(&change);
        next.lost = lost;
        change.with_upgraded(|snapshot| *snapshot = Arc::new(next));
        drop(change);
        self.report();
    }

    /// Follows queues that are not followed yet. `is_new` returns whether a queue was created after the first sweep
    /// began.
    pub(crate) fn adopt(
        &self,
        space: &Arc<Keyspace>,
        found: Vec<Found>,
        is_new: impl Fn(&QueueKey) -> bool,
    ) {
        let change = self.snapshot.upgradable_read();
        let mut queues = change.queues.to_vec();
        let of_space = change.queues.iter();
        let of_space = of_space.filter(|queue| Arc::ptr_eq(&queue.space, space));
        let followed: HashSet<_> = of_space.map(|queue| &queue.key).collect();
        let rows = change.queues.iter();
        let rows = rows.map(|queue| (queue.key.name().to_owned(), Arc::clone(&queue.row)));
        let mut rows: HashMap<_, _> = rows.collect();
        for found in found {
            let name = found.key.name();
            let is_of_tick = self.tick.as_ref().is_some_and(|tick| tick.queue == name);
            let most = match is_of_tick {
                true => self.max_queues.saturating_add(RESERVED),
                false => self.max_queues,
            };
            // Checked again here: each node checks the limit independently.
            if followed.contains(&found.key) || queues.len() >= most {
                continue;
            }
            let row = rows.entry(name.to_owned());
            let row = row.or_insert_with(|| Arc::new(Row::new(&space.families, name)));
            let (row, fold) = (Arc::clone(row), self.fold(name));
            let is_new = is_new(&found.key);
            let reasons = Reasons::new(self.redacts);
            let queue = Queue::new(found, space, is_new, row, fold, reasons);
            queues.push(Arc::new(queue));
        }
        self.replace_queues(change, queues);
    }

    fn fold(&self, queue: &str) -> Fold {
        let tick = self.tick.as_ref().filter(|tick| tick.queue == queue);
        let tick = tick.and_then(|tick| tick.job.as_deref());
        Fold::new(self.max_names, tick, self.room.clone())
    }

    /// Stops following these queues of a node. Their counts are removed when the follower next updates its list.
    pub(crate) fn drop_queues(&self, node: &WatchedNode, gone: impl Fn(&QueueKey) -> bool) {
        let change = self.snapshot.upgradable_read();
        let is_gone = |queue: &&Arc<Queue>| queue.current().0 == Some(node.id) && gone(&queue.key);
        let (gone, kept): (Vec<_>, Vec<_>) = change.queues.iter().partition(is_gone);
        if gone.is_empty() {
            return;
        }
        let unread: Vec<_> = gone.iter().filter(|queue| queue.detach()).collect();
        let kept_names: HashSet<_> = kept.iter().map(|queue| queue.key.name()).collect();
        let names = gone.iter().map(|queue| queue.key.name());
        let rows = names.filter(|name| !kept_names.contains(name)).collect();
        // A node belongs to one keyspace.
        let families = &node.space.families;
        families.remove_gauges(&gone.iter().map(|queue| queue.key.order()).collect(), &rows);
        families.remove_counts(&unread.iter().map(|queue| queue.key.order()).collect());
        let kept = kept.into_iter().cloned().collect();
        self.replace_queues(change, kept);
    }

    fn replace_queues(&self, change: Change<'_>, queues: Vec<Arc<Queue>>) {
        let (next, holders) = change.with_queues(queues);
        self.families.queues.set(next.queues.len() as f64);
        self.replace(change, next, &holders);
    }

    /// Replaces the snapshot. Levels and signals of queues that move to another node are discarded.
    fn replace(&self, mut change: Change<'_>, next: Snapshot, holders: &[Option<NodeId>]) {
        let next = Arc::new(next);
        let assigned = next.queues.iter().zip(holders);
        let moved = assigned.filter(|(queue, holder)| queue.assign(**holder));
        let mut moved: Vec<_> = moved.map(|(queue, _)| queue.key.name()).collect();
        change.with_upgraded(|snapshot| *snapshot = Arc::clone(&next));
        moved.dedup();
        for name in moved {
            sum(&next, name);
        }
    }

    /// Publishes the sum of all queues with each name.
    pub(crate) fn sum<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let snapshot = self.snapshot();
        names.for_each(|name| sum(&snapshot, name));
    }

    /// Discards the levels and signals of the node's queues.
    pub(crate) fn forget(&self, node: &WatchedNode) {
        let snapshot = self.snapshot();
        let queues = snapshot.queues_of(node.id);
        for same_name in queues.chunk_by(|a, b| a.key.name() == b.key.name()) {
            for queue in same_name {
                queue.forget(node.id);
            }
            sum(&snapshot, same_name[0].key.name());
        }
    }

    /// Publishes whether all nodes can be read.
    pub(crate) fn report(&self) {
        let snapshot = self.snapshot();
        let (mut counts, mut follows) = (Vec::new(), Vec::new());
        for node in snapshot.nodes() {
            let health = node.health.lock();
            counts.push(health.counts());
            follows.push(health.follows());
        }
        let families = &self.families;
        for (up, nodes) in [(&families.redis_up, counts), (&families.events_up, follows)] {
            if snapshot.is_incomplete() || nodes.contains(&Some(false)) {
                up.set(0.0);
            } else if !nodes.is_empty() && nodes.iter().all(|up| *up == Some(true)) {
                up.set(1.0);
            }
        }
    }
}

/// Publishes the sum of all queues with this name, over all prefixes and databases.
fn sum(snapshot: &Snapshot, name: &str) {
    let queues = snapshot.same_name(name);
    if let Some(first) = queues.first() {
        let levels = |queue: &Arc<Queue>| queue.current().1.map(|counted| counted.levels);
        first.row.show(|| queues.iter().map(levels));
    }
}
