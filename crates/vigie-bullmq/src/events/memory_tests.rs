//! The storage for jobs in flight takes at most 64 bytes per job at any moment, and is bounded.

use vigie_testkit::allocator::{Counting, thread};

use crate::events::batch::Batch;
use crate::events::fold::Fold;
use crate::events::jobs::Room;
use crate::protocol::entry::{Entry, Event, StreamId};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The maximum of allocated bytes since the last call, minus `before`.
fn most_since(before: usize) -> usize {
    thread::take_peak().saturating_sub(before)
}

const MILLION: usize = 1_000_000;
const BYTES_A_JOB: usize = 64;

/// A queue whose names are known, without jobs in flight.
struct Queue {
    fold: Fold,
    batch: Batch,
    ms: u64,
}

impl Queue {
    fn new(room: &Room) -> Self {
        let mut queue = Self {
            fold: Fold::new(100, None, room.clone()),
            batch: Batch::default(),
            ms: 1_800_000_000_000,
        };
        queue.add(0);
        queue.end(0);
        queue
    }

    fn apply(&mut self, event: Event, job: usize) {
        self.ms += 1;
        let id = (job as u64).to_be_bytes();
        let entry = Entry {
            id: StreamId {
                ms: self.ms,
                seq: 0,
            },
            event,
            job: &id,
            name: b"mail",
            prev: b"",
            count: 0,
            reason: b"",
        };
        self.fold.apply(&entry, &mut self.batch);
        self.batch.added.clear();
        self.batch.ends.clear();
        self.batch.waits.clear();
    }

    fn add(&mut self, job: usize) {
        self.apply(Event::Added, job);
        self.apply(Event::Waiting, job);
    }

    fn end(&mut self, job: usize) {
        self.apply(Event::Active, job);
        self.apply(Event::Completed, job);
    }
}

#[test]
fn a_million_jobs_in_one_queue() {
    let mut queue = Queue::new(&Room::new(2 * MILLION));
    let before = thread::held();
    most_since(before);
    for job in 1..=MILLION {
        queue.add(job);
        let most = most_since(before);
        assert!(most <= BYTES_A_JOB * job, "{most} bytes for {job} jobs");
    }
    let full = thread::held() - before;
    // Jobs are added and removed in equal numbers: memory does not grow.
    for job in 1..=MILLION / 10 {
        queue.end(job);
        queue.add(MILLION + job);
    }
    assert_eq!(most_since(before), full);
    for job in MILLION / 10 + 1..=MILLION + MILLION / 10 {
        queue.end(job);
    }
    assert!(most_since(before) <= BYTES_A_JOB * MILLION);
    assert_eq!(thread::held(), before, "of no job nothing is left");
}

#[test]
fn a_million_jobs_in_many_queues() {
    let room = Room::new(2 * MILLION);
    for many in [1_000, 10_000, 100_000] {
        let mut queues: Vec<_> = (0..many).map(|_| Queue::new(&room)).collect();
        let before = thread::held();
        most_since(before);
        for job in 1..=MILLION {
            queues[job % many].add(job);
            let most = most_since(before);
            assert!(
                most <= BYTES_A_JOB * job,
                "{most} bytes for {job} jobs in {many} queues"
            );
        }
    }
}

#[test]
fn more_jobs_than_there_is_room_for_take_no_more_memory() {
    let mut queue = Queue::new(&Room::new(MILLION / 10));
    let before = thread::held();
    most_since(before);
    for job in 1..=MILLION {
        queue.add(job);
    }
    let most = most_since(before);
    assert!(most <= BYTES_A_JOB * MILLION / 10, "{most}");
}

#[test]
fn a_queue_in_which_nothing_happened_takes_little() {
    let room = Room::new(MILLION);
    let before = thread::held();
    let fold = Fold::new(100, None, room.clone());
    assert_eq!(thread::held(), before, "nothing is allocated ahead");
    assert!(size_of_val(&fold) <= 360, "{}", size_of_val(&fold));
}
