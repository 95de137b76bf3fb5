//! The state of a queue by its events: which job ended how, how long its attempts ran, since when it waits, and since when
//! the queue is paused.
//!
//! A plain value that takes entries in the order of the stream. It reads no clock: entry ids carry the server's, for the
//! start of an attempt as for its end.

use std::hash::BuildHasher;
use std::time::Duration;

use foldhash::quality::RandomState;

use crate::events::entry::{Entry, Event, StreamId};
use crate::events::jobs::{Job, Jobs, NAMES, Room, Stage};
use crate::events::names::{NameId, Names};
use crate::events::pauses::Pauses;

/// A longer job id is not looked up.
const LONGEST_ID: usize = 1024;
/// A job that is in flight for that long, in milliseconds, was there when the jobs were counted.
const SETTLED: u64 = 60_000;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Completed,
    /// For good.
    Failed,
    /// The job will run again: after a failure, a rate limit, or its children.
    Retried,
}

/// What a job is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Known(NameId),
    /// Only the id of the job is known.
    Of(Box<[u8]>),
    /// And nothing will tell.
    Unknown,
}

/// What can happen to a job besides that it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Incident {
    /// It ran, and was found without its worker.
    Stalled,
    Removed,
    /// It was not added, or in place of another, because it was like another.
    Deduplicated,
}

/// So many jobs of a name to which the same happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) incident: Incident,
    pub(crate) name: Name,
    pub(crate) jobs: u64,
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) name: Name,
    pub(crate) outcome: Outcome,
    /// How long it ran; `None` when its start was not seen.
    pub(crate) run: Option<Duration>,
    /// Whether the attempt failed, for good or not, as far as the stream can tell: a job that a processor
    /// puts back itself (`rateLimit`, `moveToDelayed`, `moveToWait`) leaves the same events.
    pub(crate) attempt_failed: bool,
}

/// What came out of a batch of entries.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) ends: Vec<End>,
    /// Running jobs whose name is to be looked up, for [`Fold::learn`], and how long they waited.
    pub(crate) unnamed: Vec<(Box<[u8]>, Option<Duration>)>,
    /// How long the attempts that began had waited, as far as it was seen.
    pub(crate) waits: Vec<(NameId, Duration)>,
    /// The names of the jobs that were added.
    pub(crate) added: Vec<NameId>,
    /// Jobs that stalled, were removed, or were deduplicated.
    pub(crate) tallies: Vec<Tally>,
}

impl Batch {
    fn tally(&mut self, incident: Incident, name: Name, jobs: u64) {
        match self.tallies.last_mut() {
            Some(last) if last.incident == incident && last.name == name => last.jobs += jobs,
            _ => self.tallies.push(Tally {
                incident,
                name,
                jobs,
            }),
        }
    }

    /// A job that was added is named as it is told; where it took the place of another, that was told just before.
    fn name_replacement(&mut self, job: &[u8], name: NameId) {
        if let Some(last) = self.tallies.last_mut()
            && last.incident == Incident::Deduplicated
            && matches!(&last.name, Name::Of(of) if **of == *job)
        {
            last.name = Name::Known(name);
        }
    }
}

/// The fold over one queue's events.
pub(crate) struct Fold {
    names: Names,
    jobs: Jobs,
    /// The last entry's end, if a stall may yet turn out to be the reason: then nothing was measured.
    held: Option<(u64, End)>,
    pauses: Pauses,
    hasher: RandomState,
    gaps: u64,
    /// The time of the last entry, by the server's clock in milliseconds.
    now: u64,
}

impl Fold {
    /// A fold with places for so many names, and for the one that is wanted, which remembers jobs as long as there is room.
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

    /// A batch of entries begins. Names of the last one are used no longer, except those of jobs in flight.
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

    /// A job of this name failed or stalled: it should have series of its own.
    pub(crate) fn failed(&mut self, name: NameId) {
        self.names.failed(name, self.now);
    }

    /// The name of jobs of which nothing is known.
    pub(crate) fn unknown(&mut self) -> NameId {
        self.names.unknown()
    }

    pub(crate) fn apply(&mut self, entry: &Entry<'_>, batch: &mut Batch) {
        self.now = self.now.max(entry.id.ms);
        let job = self.hasher.hash_one(entry.job);
        if let Some(name) = self.jobs.get(job).and_then(|job| job.name) {
            self.names.touch(name);
        }
        if let Some((
            _,
            End {
                name: Name::Known(name),
                ..
            },
        )) = &self.held
        {
            self.names.touch(*name);
        }
        if let Some((stalled, end)) = self.held.take()
            && !(entry.event == Event::Stalled && stalled == job)
        {
            batch.ends.push(end);
        }
        match entry.event {
            Event::Added => {
                let name = self.name(entry.name);
                batch.added.push(name);
                batch.name_replacement(entry.job, name);
                self.put(job, Some(name), Stage::Rests, entry);
            }
            Event::Active => {
                let before = self.jobs.get(job);
                let name = before.and_then(|job| job.name);
                let wait = before.filter(|job| job.stage == Stage::Waits);
                let wait = wait.map(|job| since(job.since, entry.id));
                match (name, wait) {
                    (Some(name), Some(wait)) => batch.waits.push((name, wait)),
                    (None, wait) if entry.job.len() <= LONGEST_ID => {
                        batch.unnamed.push((entry.job.into(), wait));
                    }
                    _ => {}
                }
                self.put(job, name, Stage::Runs, entry);
            }
            Event::Completed => batch.ends.push(self.end(job, entry, Outcome::Completed)),
            Event::Failed => batch.ends.push(self.end(job, entry, Outcome::Failed)),
            Event::Waiting | Event::Delayed | Event::WaitingChildren => self.pause(job, entry),
            Event::Removed => {
                // There is nothing left to look up.
                let name = self.jobs.remove(job).and_then(|job| job.name);
                let name = name.map_or(Name::Unknown, Name::Known);
                batch.tally(Incident::Removed, name, 1);
            }
            Event::Cleaned if entry.count > 0 => {
                batch.tally(Incident::Removed, Name::Unknown, u64::from(entry.count));
            }
            Event::Cleaned => {}
            // The job is the one that is there: it was there before, or took the place of another.
            Event::Deduplicated => {
                let name = name_of(self.jobs.get(job), entry);
                batch.tally(Incident::Deduplicated, name, 1);
            }
            Event::Stalled => {
                let name = name_of(self.jobs.get(job), entry);
                batch.tally(Incident::Stalled, name, 1);
            }
            Event::Paused => self.pauses.paused(entry.id.ms),
            Event::Resumed => self.pauses.resumed(entry.id.ms),
            Event::Other => {}
        }
    }

    /// No entry follows for now.
    pub(crate) fn flush(&mut self, batch: &mut Batch) {
        batch.ends.extend(self.held.take().map(|(_, end)| end));
    }

    /// When a job that waits became ready to run, by the server's clock in milliseconds, if that was seen.
    pub(crate) fn ready(&self, job: &[u8]) -> Option<u64> {
        self.since(job, Stage::Waits)
    }

    /// When a job that runs was taken by its worker, by the server's clock in milliseconds, if that was seen.
    pub(crate) fn started(&self, job: &[u8]) -> Option<u64> {
        self.since(job, Stage::Runs)
    }

    fn since(&self, job: &[u8], stage: Stage) -> Option<u64> {
        let job = self.jobs.get(self.hasher.hash_one(job))?;
        (job.stage == stage).then_some(job.since)
    }

    /// What was seen of the queue's pauses.
    pub(crate) fn pauses(&self) -> Pauses {
        self.pauses
    }

    /// The name of a job, looked up; `None` when it was gone already.
    pub(crate) fn learn(&mut self, job: &[u8], name: Option<&[u8]>) -> NameId {
        let Some(name) = name else {
            return self.names.unknown();
        };
        let id = self.name(name);
        let key = self.hasher.hash_one(job);
        if let Some(job) = self.jobs.get(key)
            && job.stage == Stage::Runs
        {
            let name = Some(id);
            self.jobs.set(key, Job { name, ..job });
        }
        id
    }

    /// Entries were missed: attempts thought to run may have ended and begun anew, jobs thought to wait may
    /// have been taken and come back.
    pub(crate) fn gap(&mut self) {
        self.gaps += 1;
        self.held = None;
        self.pauses = Pauses::default();
        self.jobs.rewrite(|job| {
            let stage = Stage::Rests;
            let worth = job.stage != Stage::Runs || job.name.is_some();
            worth.then_some(Job { stage, ..job })
        });
    }

    /// So many jobs were in flight at `now`, by the server's clock, and all that happened until then was read. Jobs can go
    /// without an event that names them: `drain()` and `obliterate()` leave none, `clean()` one that only counts. When most
    /// of those that are remembered for long cannot be there any more, they are forgotten.
    pub(crate) fn hold_against(&mut self, in_flight: u64, now: u64) {
        let most_are_gone = |jobs: usize| jobs as u64 > in_flight.saturating_mul(2);
        let is_old = |job: &Job| job.since.saturating_add(SETTLED) < now;
        if most_are_gone(self.jobs.len()) && most_are_gone(self.jobs.iter().filter(is_old).count())
        {
            self.jobs.rewrite(|job| (!is_old(&job)).then_some(job));
        }
    }

    /// How many jobs are remembered.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn remembered(&self) -> usize {
        self.jobs.len()
    }

    /// How often entries were missed.
    pub(crate) fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Where a job is now.
    fn put(&mut self, job: u64, name: Option<NameId>, stage: Stage, entry: &Entry<'_>) {
        let since = entry.id.ms;
        self.jobs.set(job, Job { name, stage, since });
    }

    fn end(&mut self, job: u64, entry: &Entry<'_>, outcome: Outcome) -> End {
        let before = self.jobs.remove(job);
        let run = before.filter(|job| job.stage == Stage::Runs);
        // A parent can fail with its child, and never have run.
        let ran = run.is_some() || matches!(entry.prev, b"" | b"active");
        End {
            name: name_of(before, entry),
            attempt_failed: outcome == Outcome::Failed && ran,
            outcome,
            run: run.map(|run| since(run.since, entry.id)),
        }
    }

    /// A job that does not run, or no longer, and did not end.
    fn pause(&mut self, job: u64, entry: &Entry<'_>) {
        let stage = match entry.event {
            Event::Waiting => Stage::Waits,
            _ => Stage::Rests,
        };
        let before = self.jobs.get(job);
        self.put(job, before.and_then(|job| job.name), stage, entry);
        let Some(run) = before.filter(|job| job.stage == Stage::Runs) else {
            return;
        };
        let end = End {
            // Without a name it was looked up, and the answer is still to come: the next attempt asks again.
            name: run.name.map_or(Name::Unknown, Name::Known),
            outcome: Outcome::Retried,
            run: Some(since(run.since, entry.id)),
            attempt_failed: entry.event != Event::WaitingChildren,
        };
        self.held = Some((job, end));
    }
}

/// What the job of an entry is called, or its id for a look-up: it is there, or was until now.
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
