#![allow(clippy::unwrap_used)]
use super::*;
use crate::events::jobs::Room;
use crate::protocol::entry::StreamInfo;
use crate::protocol::levels::State as JobState;
use crate::protocol::testing::bulk;
use crate::series::families::Families;
use crate::settings::Settings;
use vigie_metrics::{Family, Registry};

struct Stage {
    registry: Registry,
    queue: Queue,
}

/// A queue of BullMQ whose stream is read from the start.
fn stage() -> Stage {
    let registry = Registry::new();
    let settings = Settings::new(redis::Client::open("redis://127.0.0.1").unwrap());
    let families = Arc::new(Families::new(&registry, &settings));
    let space = Arc::new(Keyspace::new(None, false, Arc::clone(&families)));
    let found = Found {
        key: QueueKey::new("bull", "q"),
        events: true,
    };
    let fold = Fold::new(100, None, Room::new(100));
    let row = Arc::new(Row::new(&families, "q"));
    let queue = Queue::new(found, &space, true, row, fold, Reasons::new(true));
    Stage { registry, queue }
}

fn counted(waiting: u64) -> Counted {
    let mut levels = Levels::NONE;
    levels.states[JobState::Waiting as usize] = Some(waiting);
    let (at, markers) = (Instant::now(), false);
    Counted {
        at,
        levels,
        markers,
    }
}

fn now() -> StdInstant {
    Instant::now().into_std()
}

impl Stage {
    fn waiting(&self) -> Option<f64> {
        let levels = self.registry.family(&crate::metrics::BULLMQ_JOBS);
        levels.series(["bull", "q", "waiting"]).get()
    }

    fn finished(&self, name: &str) -> u64 {
        let family: Family<_, 4> = self.registry.family(&crate::metrics::BULLMQ_JOBS_FINISHED);
        family.series(["bull", "q", name, "completed"]).get()
    }

    /// The total over all job names.
    fn total(&self) -> Option<f64> {
        let jobs = self.registry.family(&crate::metrics::QUEUE_JOBS);
        jobs.series(["q", "completed"]).get()
    }
}

fn entry(id: &str, fields: &[&str]) -> Value {
    let fields = fields.iter().map(|field| bulk(field)).collect();
    Value::Array(vec![bulk(id), Value::Array(fields)])
}

#[test]
fn only_the_holder_sets_levels_and_a_move_discards_them() {
    let stage = stage();
    let queue = &stage.queue;
    let (one, other) = (NodeId::unique(), NodeId::unique());
    queue.set_counted(one, counted(3), now());
    assert_eq!((stage.waiting(), queue.current().0), (None, None));
    assert!(!queue.assign(Some(one)), "the first assignment is no move");
    queue.set_counted(one, counted(3), now());
    assert_eq!(stage.waiting(), Some(3.0));
    assert!(!queue.assign(Some(one)));
    assert_eq!(stage.waiting(), Some(3.0));
    assert!(queue.assign(Some(other)));
    assert!(stage.waiting().is_none() && queue.current().1.is_none());
    queue.set_counted(one, counted(4), now());
    queue.forget(one);
    assert_eq!(stage.waiting(), None);
    queue.set_counted(other, counted(5), now());
    assert_eq!(stage.waiting(), Some(5.0));
}

#[test]
fn outcomes_without_a_known_name_are_counted_after_the_lookup() {
    let stage = stage();
    let queue = &stage.queue;
    let mut reading = queue.take_reading().unwrap();
    assert!(queue.take_reading().is_none(), "one task at a time");
    let (info, ended) = (None::<StreamInfo>, None);
    queue.check(&mut reading, &Check::Stream { info, ended });
    let entries = [
        entry("1-0", &["event", "added", "jobId", "1", "name", "mail"]),
        entry("2-0", &["event", "completed", "jobId", "1"]),
        entry("3-0", &["event", "completed", "jobId", "2"]),
    ];
    let nameless = queue.read(&mut reading, &entries, false);
    assert_eq!((stage.finished("mail"), stage.total()), (1, Some(1.0)));
    assert!(!queue.last_count().is_quiet, "there were events");
    let [event] = nameless.as_slice() else {
        panic!("{} events", nameless.len());
    };
    assert_eq!(*event.job, *b"2");
    queue.name(&mut reading, event, Some(b"resize"));
    assert_eq!((stage.finished("resize"), stage.total()), (1, Some(2.0)));
    // The next task continues after the last entry.
    assert!(!queue.give_reading(reading));
    let reading = queue.take_reading().unwrap();
    assert_eq!(reading.cursor().unwrap().ms, 3);
    assert!(!queue.detach(), "a task still has the reading");
    assert!(queue.give_reading(reading) && queue.take_reading().is_none());
}

#[test]
fn an_inspection_starts_anew_after_missed_entries() {
    let stage = stage();
    let queue = &stage.queue;
    let holder = NodeId::unique();
    assert!(queue.begin_inspection().is_none(), "the levels are unknown");
    queue.assign(Some(holder));
    queue.set_counted(holder, counted(1), now());
    let remembered = || Remembered::since(7);
    let inspect = || {
        let result = (Signals::default(), remembered());
        queue.end_inspection(holder, result, None, Instant::now());
    };
    inspect();
    assert_eq!(queue.begin_inspection().unwrap().1, remembered());
    inspect();
    queue.state.lock().fold.gap();
    assert_eq!(queue.begin_inspection().unwrap().1, Remembered::default());
}
