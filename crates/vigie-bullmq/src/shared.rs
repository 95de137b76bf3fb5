//! State shared by the tasks and the public handles.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::{Mutex, RwLock};
use tokio::time::Instant;
use vigie_metrics::Registry;
use vigie_redis::Slots;

use crate::Settings;
use crate::events::activity::Activity;
use crate::events::fold::Fold;
use crate::events::jobs::Room;
use crate::events::reading::{Handover, Reading};
use crate::nodes::cluster::Hints;
use crate::nodes::node::{Keyspace, Node};
use crate::queues::discovery::Found;
use crate::queues::key::QueueKey;
use crate::queues::levels::Levels;
use crate::series::{Families, LevelSeries, Row, SignalSeries};
use crate::signals::Remembered;

/// A followed queue.
pub(crate) struct Queue {
    pub(crate) key: QueueKey,
    pub(crate) space: Arc<Keyspace>,
    pub(crate) slot: u16,
    /// Whether the queue was created after the first sweep began; its stream is then read from the first entry.
    pub(crate) is_new: bool,
    /// Whether the queue has an event stream; without one, only its levels are measured.
    pub(crate) events: bool,
    pub(crate) row: Arc<Row>,
    pub(crate) series: LevelSeries,
    pub(crate) signals: SignalSeries,
    pub(crate) activity: Activity,
    pub(crate) fold: Mutex<Fold>,
    /// `None`: unknown.
    pub(crate) counted: Mutex<Option<Counted>>,
    /// State kept from the last inspection, and the number of gaps at that time.
    pub(crate) remembered: Mutex<(u64, Remembered)>,
    /// The number of jobs in flight at the last inspection.
    pub(crate) census: Mutex<Option<Census>>,
    pub(crate) reading: Handover<Box<Reading>>,
    /// The id of the node that holds the queue.
    holder: Mutex<Option<u64>>,
}

impl Queue {
    /// Runs `act` unless the queue has moved to another node meanwhile.
    pub(crate) fn if_held_by(&self, node: &Node, act: impl FnOnce(&Self)) {
        let holder = self.holder.lock();
        if *holder == Some(node.id()) {
            act(self);
        }
    }

    /// Stores new levels, and adapts the signals to them until the next inspection.
    pub(crate) fn set_levels(&self, counted: Counted) {
        self.series.set(&counted.levels);
        let before = self.counted.lock().replace(counted);
        let before = before.map(|before| before.levels);
        let now = Instant::now().into_std();
        self.signals.adapt(before.as_ref(), &counted.levels, now);
    }

    /// Discards the levels and signals, which are no longer known.
    pub(crate) fn forget(&self) {
        *self.counted.lock() = None;
        self.series.forget();
        self.signals.forget();
        self.signals.workers(None);
    }

    /// Sort order: name, prefix, database.
    fn order(&self) -> (&str, &str, Option<u16>) {
        let (name, prefix) = self.key.order();
        (name, prefix, self.space.database)
    }
}

/// The job counts of a queue at one time.
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) at: Instant,
    pub(crate) levels: Levels,
    /// Whether the next count has to search for markers.
    pub(crate) markers: bool,
}

/// The number of jobs in flight at one time.
#[derive(Clone, Copy)]
pub(crate) struct Census {
    pub(crate) in_flight: u64,
    /// The time of the count: by the clock of this process (`at`), and by the server's clock in milliseconds (`now`).
    pub(crate) at: Instant,
    pub(crate) now: u64,
}

/// The followed queues, sorted by name and then prefix. Replaced as a whole when a queue is added or removed.
pub(crate) type Queues = Arc<[Arc<Queue>]>;

/// Error for queues whose slot is not assigned to any node.
const UNASSIGNED: &str = "no node of the cluster holds the slot";

pub(crate) struct Shared {
    pub(crate) settings: Settings,
    /// Series that do not belong to a single queue or database.
    pub(crate) families: Arc<Families>,
    /// Limit on remembered jobs, shared by all queues.
    room: Room,
    nodes: RwLock<Nodes>,
    queues: RwLock<Queues>,
    /// Held while `nodes` or `queues` is replaced.
    changing: Mutex<()>,
    /// Why the nodes of a cluster cannot be read.
    lost: Mutex<Option<String>>,
    /// The number of queues that are on no node.
    unassigned: AtomicUsize,
    pub(crate) hints: Hints,
}

/// The watched nodes.
pub(crate) type Nodes = Arc<[Arc<Node>]>;

impl Shared {
    pub(crate) fn new(mut settings: Settings, registry: &Registry) -> Self {
        let families = Arc::new(Families::new(registry, &settings));
        let space = |database, is_cluster, families| {
            Arc::new(Keyspace::new(database, is_cluster, families))
        };
        let redis = settings.redis.clone();
        if redis.is_cluster() {
            settings.databases.clear();
        }
        let mut nodes = Vec::new();
        for database in &settings.databases {
            let registry = registry.scoped(&database.to_string());
            let families = Arc::new(Families::new(&registry, &settings));
            let space = space(Some(*database), false, families);
            let endpoint = redis.clone().in_database(*database);
            let name = Some(format!("database {database}"));
            nodes.push(Node::new(name, endpoint, space, Slots::all()));
        }
        settings.redis = redis
            .clone()
            .or_in_database(settings.databases.first().copied());
        if settings.databases.is_empty() && !redis.is_cluster() {
            let space = space(None, false, Arc::clone(&families));
            nodes.push(Node::new(None, redis, space, Slots::all()));
        }
        Self {
            families,
            room: Room::new(settings.max_jobs),
            settings,
            nodes: RwLock::new(nodes.into_iter().map(Arc::new).collect()),
            queues: RwLock::new(Arc::new([])),
            changing: Mutex::default(),
            lost: Mutex::default(),
            unassigned: AtomicUsize::new(0),
            hints: Hints::default(),
        }
    }

    pub(crate) fn queues(&self) -> Queues {
        Arc::clone(&self.queues.read())
    }

    pub(crate) fn nodes(&self) -> Nodes {
        Arc::clone(&self.nodes.read())
    }

    /// Replaces the watched nodes, and assigns each queue to the node that holds its slot.
    pub(crate) fn set_nodes(&self, nodes: Vec<Arc<Node>>) {
        let _changing = self.changing.lock();
        *self.nodes.write() = nodes.into();
        self.assign();
    }

    /// Follows queues that are not followed yet. `is_new` returns whether a queue was created after the first sweep
    /// began.
    pub(crate) fn adopt(
        &self,
        space: &Arc<Keyspace>,
        found: Vec<Found>,
        is_new: impl Fn(&QueueKey) -> bool,
    ) {
        let _changing = self.changing.lock();
        let known = self.queues();
        let mut queues = known.to_vec();
        let of_space = known
            .iter()
            .filter(|queue| Arc::ptr_eq(&queue.space, space));
        let known: HashSet<_> = of_space.map(|queue| &queue.key).collect();
        let rows = queues.iter().map(|queue| (queue.key.name(), &queue.row));
        let mut rows: HashMap<_, _> = rows
            .map(|(name, row)| (name.to_owned(), Arc::clone(row)))
            .collect();
        let families = &space.families;
        for Found { key, events } in found {
            // Checked again here: each node checks the limit independently.
            if known.contains(&key) || queues.len() >= self.settings.max_queues {
                continue;
            }
            let row = rows.entry(key.name().to_owned());
            let row = Arc::clone(row.or_insert_with(|| Arc::new(Row::new(families, key.name()))));
            if events {
                row.begin();
            }
            let tick = self.settings.tick.as_ref();
            let tick = tick.filter(|tick| tick.queue == key.name());
            let tick = tick.and_then(|tick| tick.job.as_deref());
            let fold = Fold::new(self.settings.max_names, tick, self.room.clone());
            queues.push(Arc::new(Queue {
                series: LevelSeries::new(families, &key),
                signals: SignalSeries::new(families, &key),
                space: Arc::clone(space),
                slot: space.slot(&key),
                is_new: is_new(&key),
                key,
                events,
                row,
                activity: Activity::default(),
                fold: Mutex::new(fold),
                counted: Mutex::default(),
                remembered: Mutex::default(),
                census: Mutex::default(),
                reading: Handover::default(),
                holder: Mutex::default(),
            }));
        }
        self.replace(queues);
    }

    /// Stops following these queues of a node. Their counts are removed when the follower next updates its list.
    pub(crate) fn drop_queues(&self, node: &Node, gone: impl Fn(&QueueKey) -> bool) {
        let _changing = self.changing.lock();
        let queues = self.queues();
        let is_gone =
            |queue: &&Arc<Queue>| *queue.holder.lock() == Some(node.id()) && gone(&queue.key);
        let (gone, kept): (Vec<_>, Vec<_>) = queues.iter().partition(is_gone);
        if gone.is_empty() {
            return;
        }
        let kept: Vec<_> = kept.into_iter().cloned().collect();
        let kept_names: HashSet<_> = kept.iter().map(|queue| queue.key.name()).collect();
        let names = gone.iter().map(|queue| queue.key.name());
        let rows = names.filter(|name| !kept_names.contains(name)).collect();
        // A node belongs to one keyspace.
        let families = &node.space.families;
        families.remove_gauges(&gone.iter().map(|queue| queue.key.order()).collect(), &rows);
        gone.iter().for_each(|queue| *queue.holder.lock() = None);
        let unread = gone.iter().filter(|queue| queue.reading.end());
        families.remove_counts(&unread.map(|queue| queue.key.order()).collect());
        self.replace(kept);
    }

    /// Publishes the sum of all queues with this name, over all prefixes and databases.
    pub(crate) fn sum(&self, name: &str) {
        let queues = self.queues();
        let first = queues.partition_point(|queue| queue.key.name() < name);
        let rest = queues[first..].iter();
        let same_name = rest.take_while(|queue| queue.key.name() == name);
        if let Some(queue) = same_name.clone().next() {
            let levels =
                || same_name.map(|queue| queue.counted.lock().map(|counted| counted.levels));
            queue.row.show(levels);
        }
    }

    /// Discards the levels and signals of the node's queues.
    pub(crate) fn forget(&self, node: &Node) {
        let queues = node.queues();
        for same_name in queues.chunk_by(|a, b| a.key.name() == b.key.name()) {
            for queue in same_name {
                queue.if_held_by(node, Queue::forget);
            }
            self.sum(same_name[0].key.name());
        }
    }

    /// Sets why the nodes cannot be read; `None`: they can.
    pub(crate) fn set_lost(&self, lost: Option<String>) {
        *self.lost.lock() = lost;
        self.report();
    }

    /// Publishes whether all nodes can be read.
    pub(crate) fn report(&self) {
        let nodes = self.nodes();
        let lost = self.lost.lock().is_some() || self.unassigned.load(Relaxed) > 0;
        let (mut counts, mut follows) = (Vec::new(), Vec::new());
        for node in nodes.iter() {
            let health = node.health.lock();
            counts.push(health.counts());
            follows.push(health.follows());
        }
        let families = &self.families;
        for (up, nodes) in [(&families.redis_up, counts), (&families.events_up, follows)] {
            if lost || nodes.contains(&Some(false)) {
                up.set(0.0);
            } else if !nodes.is_empty() && nodes.iter().all(|up| *up == Some(true)) {
                up.set(1.0);
            }
        }
    }

    /// The errors of all nodes, as returned by `of`, with the names of the nodes.
    pub(crate) fn errors(&self, of: impl Fn(&Node) -> Option<String>) -> Option<String> {
        let nodes = self.nodes();
        let of_nodes = nodes.iter().filter_map(|node| of(node));
        let unassigned = self.unassigned.load(Relaxed);
        let unassigned =
            (unassigned > 0).then(|| format!("{UNASSIGNED} of some queues ({unassigned})"));
        let lost = self.lost.lock().clone();
        let errors: Vec<_> = lost.into_iter().chain(unassigned).chain(of_nodes).collect();
        (!errors.is_empty()).then(|| errors.join("; "))
    }

    /// Why the levels of a queue are unknown.
    pub(crate) fn error_of(&self, queue: &Queue, nodes: &Nodes) -> Option<String> {
        let holder = *queue.holder.lock();
        match nodes.iter().find(|node| Some(node.id()) == holder) {
            Some(node) => node.health.lock().error.clone(),
            None => Some(format!("{UNASSIGNED} of this queue")),
        }
    }

    fn replace(&self, mut queues: Vec<Arc<Queue>>) {
        queues.sort_by(|a, b| a.order().cmp(&b.order()));
        self.families.queues.set(queues.len() as f64);
        *self.queues.write() = queues.into();
        self.assign();
    }

    /// Assigns each queue to the node that holds its slot. Levels and signals from the previous node are discarded.
    fn assign(&self) {
        let (queues, nodes) = (self.queues(), self.nodes());
        let slots: Vec<_> = nodes.iter().map(|node| node.slots()).collect();
        let mut parts = vec![Vec::new(); nodes.len()];
        let mut moved = Vec::new();
        let mut unassigned = 0;
        for queue in queues.iter() {
            let holds = |(node, slots): (&Arc<Node>, &Arc<Slots>)| {
                Arc::ptr_eq(&node.space, &queue.space) && slots.contains(queue.slot)
            };
            let at = nodes.iter().zip(&slots).position(holds);
            match at {
                Some(at) => parts[at].push(Arc::clone(queue)),
                None => unassigned += 1,
            }
            let id = at.map(|at| nodes[at].id());
            let mut holder = queue.holder.lock();
            if *holder != id {
                if holder.is_some() {
                    moved.push(queue.key.name());
                }
                *holder = id;
                queue.forget();
            }
        }
        for (node, part) in nodes.iter().zip(parts) {
            let known = node.queues();
            let same = known.len() == part.len()
                && known.iter().zip(&part).all(|(a, b)| Arc::ptr_eq(a, b));
            match (same, part.len() == queues.len()) {
                (true, _) => {}
                (false, true) => node.set_queues(Arc::clone(&queues)),
                (false, false) => node.set_queues(part.into()),
            }
        }
        self.unassigned.store(unassigned, Relaxed);
        moved.dedup();
        for name in moved {
            self.sum(name);
        }
    }
}
