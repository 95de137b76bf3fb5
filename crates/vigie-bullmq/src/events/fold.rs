//! Aggregates the events of a queue: outcomes, run durations, wait times, and pauses.
//!
//! A plain value that takes entries in stream order. It reads no clock: all times are entry ids, which contain the
//! server's clock.

use std::hash::BuildHasher;
use std::time::Duration;

use foldhash::quality::RandomState;

use crate::events::batch::{Batch, End, Incident, Name};
use crate::events::jobs::{Job, Jobs, NAMES, Room, Stage};
use crate::events::names::{NameId, Names};
use crate::events::pauses::Pauses;
use crate::failures::reasons::Failure;
use crate::protocol::entry::{Entry, Event, StreamId};
use crate::protocol::outcome::{Final, Outcome};

/// Longer job ids are not looked up.
const LONGEST_ID: usize = 1024;
/// Jobs in flight for longer than this, in milliseconds, were included in the count of jobs.
const SETTLED: u64 = 60_000;

/// The aggregate of one queue's events.
pub(crate) struct Fold {
    names: Names,
    jobs: Jobs,
    /// The end in the last entry, held until the next one: if that is a stall, the end was not a retry and is
    /// discarded.
    held: Option<(u64, End)>,
    pauses: Pauses,
    hasher: RandomState,
    gaps: u64,
    /// The time of the last entry, by the server's clock in milliseconds.
    now: u64,
}

impl Fold {
    /// Creates a fold for at most `names` names and in addition `wanted`. Jobs are remembered while `room` has space.
    pub(crate) fn new(names: usize, wanted: Option<&str>, room: Room) -> Self {
        Self {
            names: Names::new(names.min(NAMES / 8), wanted),
            jobs: Jobs::new(room),
            held: None,
            pauses: Pauses::default(),
            hasher: RandomState::default(),
            gaps: 0,
            now: 0,
        }
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// Starts a batch of entries. Names of the previous batch are kept only for jobs in flight.
    pub(crate) fn begin_batch(&mut self) {
        self.names.begin_batch();
    }

    fn name(&mut self, name: &[u8]) -> NameId {
        let (jobs, held) = (&self.jobs, &self.held);
        let used = || {
            let held = held.iter().filter_map(|(_, end)| match end.name {
                Name::Known(name) => Some(name),
                _ => None,
            });
            jobs.iter().filter_map(|job| job.name).chain(held)
        };
        self.names.id(name, self.now, used)
    }

    /// Records that a job of this name failed or stalled, which gives the name a higher rank.
    pub(crate) fn failed(&mut self, name: NameId) {
        self.names.failed(name, self.now);
    }

    /// The name for jobs whose name is unknown.
    pub(crate) fn unknown(&mut self) -> NameId {
        self.names.unknown()
    }

    pub(crate) fn apply(&mut self, entry: &Entry<'_>, batch: &mut Batch) {
        self.now = self.now.max(entry.id.ms);
        let job = self.hasher.hash_one(entry.job);
        let before = self.jobs.get(job);
        if let Some(name) = before.and_then(|job| job.name) {
            self.names.touch(name);
        }
        if let Some((stalled, end)) = self.held.take() {
            if let Name::Known(name) = end.name {
                self.names.touch(name);
            }
            if entry.event != Event::Stalled || stalled != job {
                batch.ends.push(end);
            }
        }
        match entry.event {
            Event::Added => {
                let name = self.name(entry.name);
                batch.added.push(name);
                batch.name_replacement(entry.job, name);
                self.put(job, Some(name), Stage::NotReady, entry);
            }
            Event::Active => {
                let name = before.and_then(|job| job.name);
                let wait = before.filter(|job| job.stage == Stage::Ready);
                let wait = wait.map(|job| since(job.since, entry.id));
                match (name, wait) {
                    (Some(name), Some(wait)) => batch.waits.push((name, wait)),
                    (None, wait) if entry.job.len() <= LONGEST_ID => {
                        batch.unnamed.push((entry.job.into(), wait));
                    }
                    _ => {}
                }
                self.put(job, name, Stage::Active, entry);
            }
            Event::Completed => batch.ends.push(self.end(job, entry, Final::Completed)),
            Event::Failed => batch.ends.push(self.end(job, entry, Final::Failed)),
            Event::Waiting | Event::Delayed | Event::WaitingChildren => {
                self.pause(job, before, entry);
            }
            Event::Removed => {
                // The job is gone: its name cannot be looked up.
                let name = self.jobs.remove(job).and_then(|job| job.name);
                let name = name.map_or(Name::Unknown, Name::Known);
                batch.tally(Incident::Removed, name, 1);
            }
            Event::Cleaned if entry.count > 0 => {
                batch.tally(Incident::Removed, Name::Unknown, u64::from(entry.count));
            }
            Event::Cleaned => {}
            // The id is that of the remaining job: either the existing one, or the one that replaced it.
            Event::Deduplicated => {
                let name = name_of(before, entry);
                batch.tally(Incident::Deduplicated, name, 1);
            }
            Event::Stalled => {
                let name = name_of(before, entry);
                batch.tally(Incident::Stalled, name, 1);
            }
            Event::Paused => self.pauses.paused(entry.id.ms),
            Event::Resumed => self.pauses.resumed(entry.id.ms),
            Event::Other => {}
        }
    }

    /// Ends the batch: no entry follows for now.
    pub(crate) fn flush(&mut self, batch: &mut Batch) {
        batch.ends.extend(self.held.take().map(|(_, end)| end));
    }

    /// When a waiting job became ready to run, by the server's clock in milliseconds, if known.
    pub(crate) fn ready(&self, job: &[u8]) -> Option<u64> {
        self.since(job, Stage::Ready)
    }

    /// When an active job was taken by its worker, by the server's clock in milliseconds, if known.
    pub(crate) fn started(&self, job: &[u8]) -> Option<u64> {
        self.since(job, Stage::Active)
    }

    fn since(&self, job: &[u8], stage: Stage) -> Option<u64> {
        let job = self.jobs.get(self.hasher.hash_one(job))?;
        (job.stage == stage).then_some(job.since)
    }

    /// The pauses of the queue seen in its events.
    pub(crate) fn pauses(&self) -> Pauses {
        self.pauses
    }

    /// Stores the name of a job after a lookup; `None`: the job no longer exists.
    pub(crate) fn learn(&mut self, job: &[u8], name: Option<&[u8]>) -> NameId {
        let Some(name) = name else {
            return self.names.unknown();
        };
        let id = self.name(name);
        let key = self.hasher.hash_one(job);
        if let Some(job) = self.jobs.get(key)
            && job.stage == Stage::Active
        {
            let name = Some(id);
            self.jobs.set(key, Job { name, ..job });
        }
        id
    }

    /// Discards states that may be wrong after missed entries: active jobs may have ended and started again, waiting
    /// jobs may have been taken and returned.
    pub(crate) fn gap(&mut self) {
        self.gaps += 1;
        self.held = None;
        self.pauses = Pauses::default();
        self.jobs.rewrite(|job| {
            let stage = Stage::NotReady;
            let worth = job.stage != Stage::Active || job.name.is_some();
            worth.then_some(Job { stage, ..job })
        });
    }

    /// Compares the remembered jobs with a count of `in_flight` jobs at `now` (server's clock), when all earlier events
    /// have been read. Jobs can disappear without an event that contains their id (`drain()`, `obliterate()`,
    /// `clean()`). If most of the old remembered jobs cannot exist any more, all old ones are removed.
    pub(crate) fn reconcile(&mut self, in_flight: u64, now: u64) {
        let most_are_gone = |jobs: usize| jobs as u64 > in_flight.saturating_mul(2);
        let is_old = |job: &Job| job.since.saturating_add(SETTLED) < now;
        if most_are_gone(self.jobs.len()) && most_are_gone(self.jobs.iter().filter(is_old).count())
        {
            self.jobs.rewrite(|job| (!is_old(&job)).then_some(job));
        }
    }

    /// The number of remembered jobs.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn remembered(&self) -> usize {
        self.jobs.len()
    }

    /// The number of times entries were missed.
    pub(crate) fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Stores the current stage of a job.
    fn put(&mut self, job: u64, name: Option<NameId>, stage: Stage, entry: &Entry<'_>) {
        let since = entry.id.ms;
        self.jobs.set(job, Job { name, stage, since });
    }

    fn end(&mut self, job: u64, entry: &Entry<'_>, end: Final) -> End {
        let before = self.jobs.remove(job);
        let run = before.filter(|job| job.stage == Stage::Active);
        // A parent can fail because of a child, without having run.
        let ran = run.is_some() || matches!(entry.prev, b"" | b"active");
        End {
            name: name_of(before, entry),
            attempt_failed: end == Final::Failed && ran,
            outcome: Outcome::Final(end),
            run: run.map(|run| since(run.since, entry.id)),
            failure: (end == Final::Failed).then(|| Box::new(Failure::of(entry))),
        }
    }

    /// Handles a job that is not or no longer running and has not ended.
    fn pause(&mut self, job: u64, before: Option<Job>, entry: &Entry<'_>) {
        let stage = match entry.event {
            Event::Waiting => Stage::Ready,
            _ => Stage::NotReady,
        };
        self.put(job, before.and_then(|job| job.name), stage, entry);
        let Some(run) = before.filter(|job| job.stage == Stage::Active) else {
            return;
        };
        let end = End {
            // The lookup of the name is still pending; it is repeated for the next attempt.
            name: run.name.map_or(Name::Unknown, Name::Known),
            outcome: Outcome::Retried,
            run: Some(since(run.since, entry.id)),
            attempt_failed: entry.event != Event::WaitingChildren,
            failure: None,
        };
        self.held = Some((job, end));
    }
}

/// The name of the entry's job, or its id for a lookup.
fn name_of(job: Option<Job>, entry: &Entry<'_>) -> Name {
    match job.and_then(|job| job.name) {
        Some(name) => Name::Known(name),
        None if entry.job.len() <= LONGEST_ID => Name::Of(entry.job.into()),
        None => Name::Unknown,
    }
}

fn since(start: u64, end: StreamId) -> Duration {
    Duration::from_millis(end.ms.saturating_sub(start))
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
