//! Evaluates the groups when they are due, on a few threads.
//!
//! One task owns the groups. An evaluation takes its group to a blocking thread and brings it back with the result, which
//! the task then publishes, passes to the notifier and saves. A slow group delays no other one while a thread is free;
//! evaluations that it misses meanwhile are counted and not made up for.
//!
//! The task itself waits for nothing: files are read by tasks of their own, and what changes all groups is done once no group
//! is evaluated, on a blocking thread too.

mod evaluation;
mod finish;
mod reading;
mod replace;
mod restore;
mod saver;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use vigie_alerts::engine::{Group, Time};
use vigie_probes::Clock;

use super::context::{self, Context};
use super::files::Inputs;
use super::outlet::Outlet;
use super::published::{Id, Published};
use super::receiving::Receiving;
use super::recorder::Recorder;
use super::reloader::Request;
use super::room::Room;
use super::slot::{due, follows_scrapes};
use super::sources::Recorded;
use crate::history::Current;
use evaluation::{Done, evaluate};
use reading::Read;
use replace::{Changed, Waiting};
use saver::{Saved, Saver};

/// The number of groups that are evaluated at the same time.
pub(crate) const EVALUATORS: usize = 2;
/// The interval between checks whether the history is loaded, and whether this replica is elected.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long the last evaluations and the last write may take at the end.
pub(crate) const END: Duration = Duration::from_secs(5);
/// The shortest time that an evaluation may take.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(1);

/// The parts of the scheduler that exist before the files are read.
pub(super) struct Shared {
    pub(super) inputs: Inputs,
    pub(super) settings: Arc<context::Settings>,
    pub(super) room: Room,
    pub(super) timeout: Duration,
    pub(super) history: Current,
    pub(super) clock: Clock,
    pub(super) published: Published,
    pub(super) recorder: Recorder,
    /// Receives the time from which the evaluation of a group is late.
    pub(super) late_from: watch::Sender<Option<Time>>,
}

/// The parts from which a scheduler is made.
pub(super) struct Parts {
    pub(super) shared: Shared,
    pub(super) outlet: Outlet,
    pub(super) notifications: Receiving,
}

/// Evaluates the groups.
pub(super) struct Scheduler {
    shared: Arc<Shared>,
    outlet: Outlet,
    notifications: Receiving,
    /// Empty during a change of all groups, which takes them along.
    slots: Slots,
    recorded: Arc<Recorded>,
    evaluators: Arc<Semaphore>,
    running: JoinSet<Done>,
    /// The files that a reload reads, at most once at a time.
    reading: JoinSet<Read>,
    waiting: Waiting,
    /// The change of all groups, at most one at a time.
    changing: JoinSet<Changed>,
    saver: Saver,
}

type Slots = BTreeMap<Id, Slot>;

/// A group between two evaluations.
struct Slot {
    /// `None` while it is evaluated.
    group: Option<Group>,
    interval: Duration,
    follows_scrapes: bool,
    /// The last evaluation, or the time at which the group was loaded.
    last: Time,
    /// The last evaluation that ended, or the time at which the group was loaded.
    evaluated: Time,
}

impl Scheduler {
    /// Evaluates until `stop`, then saves the state. `scrapes` has the time of the last scrape.
    pub(super) async fn run(
        mut self,
        mut scrapes: watch::Receiver<Time>,
        mut reloads: mpsc::Receiver<Request>,
        stop: CancellationToken,
    ) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            if self.running.is_empty() && self.changing.is_empty() {
                self.change_all();
            }
            let timer = self.timer();
            let may_start = self.waiting.is_empty() && self.changing.is_empty();
            let may_read = self.reading.is_empty() && self.waiting.files.is_none();
            tokio::select! {
                () = stop.cancelled() => break,
                changed = scrapes.changed(), if may_start => match changed {
                    Ok(()) => {
                        let at = *scrapes.borrow_and_update();
                        self.start(at, true);
                    }
                    // The scraper ends with the program.
                    Err(_) => break,
                },
                () = tokio::time::sleep(timer), if may_start => {
                    let now = self.shared.clock.millis();
                    self.start(now, false);
                }
                Some(done) = self.running.join_next(), if !self.running.is_empty() => {
                    self.finish(done);
                }
                Some(changed) = self.changing.join_next(), if !self.changing.is_empty() => {
                    self.take_changed(changed);
                }
                Some(request) = reloads.recv(), if may_read => self.read(request),
                Some(read) = self.reading.join_next(), if !self.reading.is_empty() => {
                    self.take_files(read);
                }
                _ = look.tick() => self.look_whether_elected(),
                () = self.saver.written() => {}
            }
        }
        let end = async {
            while let Some(changed) = self.changing.join_next().await {
                self.take_changed(changed);
            }
            while let Some(done) = self.running.join_next().await {
                self.finish(done);
            }
            self.saver.replace(Saved::of(&self.slots));
            self.saver.finish().await;
        };
        if tokio::time::timeout(END, end).await.is_err() {
            warn!("the last state of alerts could not be saved in time; an earlier one is on disk");
        }
    }

    /// The time until a group is due that does not follow scrapes.
    fn timer(&self) -> Duration {
        let now = self.shared.clock.millis();
        let slots = self.slots.values().filter(|slot| !slot.follows_scrapes);
        let due = slots.filter_map(|slot| Some(slot.group.as_ref()?.next(slot.last)));
        let wait = due
            .min()
            .map(|at| at.saturating_sub(now).max(0).unsigned_abs());
        wait.map_or(Duration::from_secs(3_600), Duration::from_millis)
    }

    /// Starts the evaluations that are due, of groups that follow scrapes or of the others.
    fn start(&mut self, now: Time, after_scrape: bool) {
        let Some(history) = self.shared.history.loaded() else {
            return;
        };
        for (id, slot) in &mut self.slots {
            if slot.follows_scrapes != after_scrape {
                continue;
            }
            if slot.last > now {
                // The clock was set back.
                slot.last = now;
            }
            let due = slot
                .group
                .as_ref()
                .and_then(|group| due(group, slot.last, now));
            let (Some(due), Some(group)) = (due, slot.group.take_if(|_| due.is_some())) else {
                continue;
            };
            slot.last = due.at;
            let timeout = slot.interval.min(self.shared.timeout).max(SHORTEST_TIMEOUT);
            let evaluators = Arc::clone(&self.evaluators);
            let settings = Arc::clone(&self.shared.settings);
            let recorded = Arc::clone(&self.recorded);
            let (id, history, room) = (id.clone(), history.clone(), self.shared.room.clone());
            self.running.spawn(async move {
                // The semaphore is never closed.
                let permit = evaluators.acquire_owned().await.ok();
                let evaluate = move || {
                    let _permit = permit;
                    let new =
                        || Context::new(&settings, &recorded, &history, due.at, timeout, &room);
                    evaluate(id, group, due.at, due.missed, new)
                };
                match tokio::task::spawn_blocking(evaluate).await {
                    Ok(done) => done,
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                }
            });
        }
    }
}

/// The groups that are not being evaluated.
fn idle(slots: &Slots) -> impl Iterator<Item = &Group> {
    slots.values().filter_map(|slot| slot.group.as_ref())
}

/// The time from which a group is late, unless it is evaluated before.
fn late_from(slots: &Slots) -> Option<Time> {
    slots.values().map(Slot::late_from).min()
}

impl Slot {
    fn new(group: Group, last: Time) -> Self {
        Self {
            interval: group.interval(),
            follows_scrapes: follows_scrapes(group.interval()),
            group: Some(group),
            last,
            evaluated: last,
        }
    }
}
