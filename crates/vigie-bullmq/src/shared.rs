//! What the two tasks and the handles know in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use parking_lot::{Mutex, RwLock};
use tokio::time::Instant;
use vigie_metrics::Registry;

use crate::Settings;
use crate::discovery::Found;
use crate::election::Tenure;
use crate::fold::{Fold, Limits};
use crate::key::QueueKey;
use crate::levels::Levels;
use crate::series::{Families, LevelSeries, Row, SignalSeries};
use crate::signals::Remembered;

/// A queue that is followed.
pub(crate) struct Queue {
    pub(crate) key: QueueKey,
    /// It did not exist when the first sweep began: all of its events are of our time.
    pub(crate) young: bool,
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
    pub(crate) remembered: Mutex<(u64, Vec<Remembered>)>,
}

/// The jobs of a queue, as they were counted.
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) at: Instant,
    pub(crate) levels: Levels,
    /// Whether to look for markers the next time.
    pub(crate) markers: bool,
}

/// What the follower of a queue's stream tells the one who counts its jobs.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    followed: AtomicBool,
    changed: AtomicBool,
}

impl Activity {
    /// Something happened, or may have.
    pub(crate) fn changed(&self) {
        self.changed.store(true, SeqCst);
    }

    /// Whether whatever happens from now on will be told by [`Activity::changed`]. What came before has been.
    pub(crate) fn follow(&self, followed: bool) {
        self.followed.store(followed, SeqCst);
    }

    pub(crate) fn is_followed(&self) -> bool {
        self.followed.load(SeqCst)
    }

    /// Whether nothing happened since this was last asked. To be asked before the jobs are counted: what
    /// happens meanwhile is then told the next time.
    pub(crate) fn was_quiet(&self) -> bool {
        let changed = self.changed.swap(false, SeqCst);
        self.is_followed() && !changed
    }
}

/// The queues that are followed, by name and then prefix. A new list is made when one comes or goes.
pub(crate) type Queues = Arc<[Arc<Queue>]>;

pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) families: Arc<Families>,
    queues: RwLock<Queues>,
    pub(crate) health: Mutex<Health>,
    pub(crate) tenure: Tenure,
}

/// How the last tries went.
#[derive(Default)]
pub(crate) struct Health {
    pub(crate) last_levels: Option<Instant>,
    pub(crate) error: Option<String>,
    pub(crate) events_error: Option<String>,
}

impl Shared {
    pub(crate) fn new(settings: Settings, registry: &Registry) -> Self {
        Self {
            families: Arc::new(Families::new(registry, &settings)),
            tenure: Tenure::of(settings.election.as_ref()),
            settings,
            queues: RwLock::new(Arc::new([])),
            health: Mutex::default(),
        }
    }

    /// Whether what is known is shown here, and not by another watcher of the same Redis.
    pub(crate) fn exports(&self) -> bool {
        self.settings.election.is_none() || self.tenure.holds(Instant::now())
    }

    pub(crate) fn queues(&self) -> Queues {
        Arc::clone(&self.queues.read())
    }

    /// Follows more queues, none of which was followed.
    pub(crate) fn adopt(&self, found: Vec<Found>, young: bool) {
        let mut queues = self.queues().to_vec();
        let limits = Limits {
            names: self.settings.max_names,
            jobs: self.settings.max_jobs,
        };
        for Found { key, events } in found {
            let of_name = queues.iter().find(|queue| queue.key.name() == key.name());
            let row = match of_name {
                Some(queue) => Arc::clone(&queue.row),
                None => Arc::new(Row::new(&self.families, key.name())),
            };
            if events {
                row.begin();
            }
            queues.push(Arc::new(Queue {
                series: LevelSeries::new(&self.families, &key),
                signals: SignalSeries::new(&self.families, &key),
                key,
                young,
                events,
                row,
                activity: Activity::default(),
                fold: Mutex::new(Fold::new(limits)),
                counted: Mutex::default(),
                remembered: Mutex::default(),
            }));
        }
        self.replace(queues);
    }

    /// Follows these queues no longer. What was counted of them goes with the follower's next look.
    pub(crate) fn drop_queues(&self, gone: impl Fn(&QueueKey) -> bool) {
        let queues = self.queues();
        let (gone, kept): (Vec<_>, Vec<_>) =
            queues.iter().cloned().partition(|queue| gone(&queue.key));
        if gone.is_empty() {
            return;
        }
        for queue in gone {
            let named = kept.iter().any(|kept| kept.key.name() == queue.key.name());
            self.families.remove_gauges(&queue.key, !named);
        }
        self.replace(kept);
    }

    fn replace(&self, mut queues: Vec<Arc<Queue>>) {
        queues.sort_by(|a, b| a.key.order().cmp(&b.key.order()));
        self.families.queues.set(queues.len() as f64);
        *self.queues.write() = queues.into();
    }
}
