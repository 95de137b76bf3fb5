//! The state that the tasks and the handles share.

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
use crate::nodes::cluster::Signs;
use crate::nodes::node::{Keyspace, Node};
use crate::queues::discovery::Found;
use crate::queues::key::QueueKey;
use crate::queues::levels::Levels;
use crate::series::{Families, LevelSeries, Row, SignalSeries};
use crate::signals::Remembered;

/// A queue that is followed.
pub(crate) struct Queue {
    pub(crate) key: QueueKey,
    pub(crate) space: Arc<Keyspace>,
    pub(crate) slot: u16,
    /// It did not exist when the first sweep began: its stream is read from the first entry on.
    pub(crate) is_new: bool,
    /// Whether it has a stream of events; without one only its levels are known.
    pub(crate) events: bool,
    pub(crate) row: Arc<Row>,
    pub(crate) series: LevelSeries,
    pub(crate) signals: SignalSeries,
    pub(crate) activity: Activity,
    pub(crate) fold: Mutex<Fold>,
    /// `None`: not known.
    pub(crate) counted: Mutex<Option<Counted>>,
    /// Of the last look, and how many gaps there had been by then.
    pub(crate) remembered: Mutex<(u64, Remembered)>,
    /// How many jobs were in flight at the last look.
    pub(crate) census: Mutex<Option<Census>>,
    pub(crate) reading: Handover<Box<Reading>>,
    /// The node that holds it, by its id.
    holder: Mutex<Option<u64>>,
}

impl Queue {
    /// Does something unless the queue went to another node meanwhile.
    pub(crate) fn while_at(&self, node: &Node, act: impl FnOnce(&Self)) {
        let holder = self.holder.lock();
        if *holder == Some(node.id()) {
            act(self);
        }
    }

    /// Takes new levels, and adapts the signals to them until the next look.
    pub(crate) fn set_levels(&self, counted: Counted) {
        self.series.set(&counted.levels);
        let before = self.counted.lock().replace(counted);
        let before = before.map(|before| before.levels);
        let now = Instant::now().into_std();
        self.signals.adapt(before.as_ref(), &counted.levels, now);
    }

    /// Forgets the levels and signals, which are not known any more.
    pub(crate) fn forget(&self) {
        *self.counted.lock() = None;
        self.series.forget();
        self.signals.forget();
        self.signals.workers(None);
    }

    /// By name, prefix and database.
    fn order(&self) -> (&str, &str, Option<u16>) {
        let (name, prefix) = self.key.order();
        (name, prefix, self.space.database)
    }
}

/// The jobs of a queue, as they were counted.
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) at: Instant,
    pub(crate) levels: Levels,
    /// Whether to look for markers the next time.
    pub(crate) markers: bool,
}

/// How many jobs were in flight once.
#[derive(Clone, Copy)]
pub(crate) struct Census {
    pub(crate) in_flight: u64,
    /// When it was known, by the time of this process and by the clock of the server in milliseconds.
    pub(crate) at: Instant,
    pub(crate) now: u64,
}

/// The queues that are followed, by name and then prefix. A new list is made when one comes or goes.
pub(crate) type Queues = Arc<[Arc<Queue>]>;

/// Why nothing is known of a queue that no node holds.
const NOWHERE: &str = "no node of the cluster holds the slot";

pub(crate) struct Shared {
    pub(crate) settings: Settings,
    /// Of what is not of one queue.
    pub(crate) families: Arc<Families>,
    /// For the jobs of all queues.
    room: Room,
    nodes: RwLock<Nodes>,
    queues: RwLock<Queues>,
    /// Held while one of the two is changed.
    changing: Mutex<()>,
    /// Why it is not known which nodes a cluster has.
    lost: Mutex<Option<String>>,
    /// How many queues no node holds.
    stray: AtomicUsize,
    pub(crate) signs: Signs,
}

/// The nodes that are watched.
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
            stray: AtomicUsize::new(0),
            signs: Signs::default(),
        }
    }

    /// All queues.
    pub(crate) fn queues(&self) -> Queues {
        Arc::clone(&self.queues.read())
    }

    pub(crate) fn nodes(&self) -> Nodes {
        Arc::clone(&self.nodes.read())
    }

    /// Watches these nodes, which hold what they hold now. Queues go to their nodes.
    pub(crate) fn set_nodes(&self, nodes: Vec<Arc<Node>>) {
        let _changing = self.changing.lock();
        *self.nodes.write() = nodes.into();
        self.assign();
    }

    /// Follows more queues, unless they are followed; `is_new` tells which are known to be new.
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
            // Each node looks for room by itself.
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

    /// Follows these queues of a node no longer. What was counted of them goes with the follower's next look.
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
        // A node is of one space.
        let families = &node.space.families;
        families.remove_gauges(&gone.iter().map(|queue| queue.key.order()).collect(), &rows);
        gone.iter().for_each(|queue| *queue.holder.lock() = None);
        let unread = gone.iter().filter(|queue| queue.reading.end());
        families.remove_counts(&unread.map(|queue| queue.key.order()).collect());
        self.replace(kept);
    }

    /// Shows what the queues of a name, under whatever prefix and in whatever database, come to.
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

    /// Nothing is known of what the queues of a node are like now.
    pub(crate) fn forget(&self, node: &Node) {
        let queues = node.queues();
        for same_name in queues.chunk_by(|a, b| a.key.name() == b.key.name()) {
            for queue in same_name {
                queue.while_at(node, Queue::forget);
            }
            self.sum(same_name[0].key.name());
        }
    }

    /// Sets why it is not known which nodes there are; `None`: it is known.
    pub(crate) fn set_lost(&self, lost: Option<String>) {
        *self.lost.lock() = lost;
        self.report();
    }

    /// Shows whether all can be read.
    pub(crate) fn report(&self) {
        let nodes = self.nodes();
        let lost = self.lost.lock().is_some() || self.stray.load(Relaxed) > 0;
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

    /// The reasons why something cannot be read now: of each node the one that `of` gives.
    pub(crate) fn errors(&self, of: impl Fn(&Node) -> Option<String>) -> Option<String> {
        let nodes = self.nodes();
        let of_nodes = nodes.iter().filter_map(|node| of(node));
        let stray = self.stray.load(Relaxed);
        let stray = (stray > 0).then(|| format!("{NOWHERE} of some queues ({stray})"));
        let lost = self.lost.lock().clone();
        let errors: Vec<_> = lost.into_iter().chain(stray).chain(of_nodes).collect();
        (!errors.is_empty()).then(|| errors.join("; "))
    }

    /// Why nothing is known of a queue.
    pub(crate) fn error_of(&self, queue: &Queue, nodes: &Nodes) -> Option<String> {
        let holder = *queue.holder.lock();
        match nodes.iter().find(|node| Some(node.id()) == holder) {
            Some(node) => node.health.lock().error.clone(),
            None => Some(format!("{NOWHERE} of this queue")),
        }
    }

    fn replace(&self, mut queues: Vec<Arc<Queue>>) {
        queues.sort_by(|a, b| a.order().cmp(&b.order()));
        self.families.queues.set(queues.len() as f64);
        *self.queues.write() = queues.into();
        self.assign();
    }

    /// Gives every queue to the node that holds it. What was known of it elsewhere is forgotten.
    fn assign(&self) {
        let (queues, nodes) = (self.queues(), self.nodes());
        let slots: Vec<_> = nodes.iter().map(|node| node.slots()).collect();
        let mut parts = vec![Vec::new(); nodes.len()];
        let mut moved = Vec::new();
        let mut stray = 0;
        for queue in queues.iter() {
            let holds = |(node, slots): (&Arc<Node>, &Arc<Slots>)| {
                Arc::ptr_eq(&node.space, &queue.space) && slots.contains(queue.slot)
            };
            let at = nodes.iter().zip(&slots).position(holds);
            match at {
                Some(at) => parts[at].push(Arc::clone(queue)),
                None => stray += 1,
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
        self.stray.store(stray, Relaxed);
        moved.dedup();
        for name in moved {
            self.sum(name);
        }
    }
}
