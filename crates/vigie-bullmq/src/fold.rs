//! What a queue's events come to: which job ended how, how long its attempts ran, since when it waits, and since when
//! the queue is paused.
//!
//! A plain value fed with entries in the order of the stream. It knows no clock: entry ids carry the
//! server's, for the start of an attempt as for its end.

use std::hash::BuildHasher;
use std::time::Duration;

use foldhash::fast::RandomState;

use crate::entry::{Entry, Event, StreamId};
use crate::names::{NameId, Names};
use crate::pauses::Pauses;
use crate::recent::Recent;

/// A longer job id is not looked up.
const LONGEST_ID: usize = 1024;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Completed,
    /// For good.
    Failed,
    /// The job will run again: after a failure, a rate limit, or its children.
    Retried,
}

/// Whose attempt it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Known(NameId),
    /// Only the id of the job is known.
    Of(Box<[u8]>),
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
    /// How many running jobs were found without their worker.
    pub(crate) stalled: u64,
    /// How many jobs were removed.
    pub(crate) removed: u64,
    /// How many jobs were not added, or in place of others, because they were like others.
    pub(crate) deduplicated: u64,
}

/// Bounds of one queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) names: usize,
    /// Jobs that wait, and jobs that run.
    pub(crate) jobs: usize,
}

/// A job that does not run and did not end.
struct Pending {
    name: Option<NameId>,
    /// When it became ready to run, by the server's clock in milliseconds; 0 when it is not, or not known to be.
    ready: u64,
}

struct Run {
    name: Option<NameId>,
    /// By the server's clock in milliseconds.
    since: u64,
}

/// The fold over one queue's events.
pub(crate) struct Fold {
    names: Names,
    pending: Recent<Pending>,
    running: Recent<Run>,
    /// The last entry's end, if a stall may yet turn out to be the reason: then nothing was measured.
    held: Option<(u64, End)>,
    pauses: Pauses,
    hasher: RandomState,
    gaps: u64,
}

impl Fold {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            names: Names::new(limits.names),
            pending: Recent::new(limits.jobs),
            running: Recent::new(limits.jobs),
            held: None,
            pauses: Pauses::default(),
            hasher: RandomState::default(),
            gaps: 0,
        }
    }

    /// All names so far, by [`NameId`]. It only grows.
    pub(crate) fn names(&self) -> &[Box<str>] {
        self.names.labels()
    }

    /// The name of jobs of which nothing is known.
    pub(crate) fn unknown(&mut self) -> NameId {
        self.names.unknown()
    }

    pub(crate) fn apply(&mut self, entry: &Entry<'_>, batch: &mut Batch) {
        let job = self.hasher.hash_one(entry.job);
        if let Some((stalled, end)) = self.held.take()
            && !(entry.event == Event::Stalled && stalled == job)
        {
            batch.ends.push(end);
        }
        match entry.event {
            Event::Added => {
                let name = self.names.id(entry.name);
                batch.added.push(name);
                self.put(job, Some(name), 0);
            }
            Event::Active => {
                let again = self.running.remove(job).and_then(|run| run.name);
                let pending = self.pending.remove(job);
                let ready = pending.as_ref().map(|job| job.ready);
                let wait = ready.filter(|ready| *ready > 0);
                let wait = wait.map(|ready| since(ready, entry.id));
                let name = pending.and_then(|job| job.name).or(again);
                match (name, wait) {
                    (Some(name), Some(wait)) => batch.waits.push((name, wait)),
                    (None, wait) if entry.job.len() <= LONGEST_ID => {
                        batch.unnamed.push((entry.job.into(), wait));
                    }
                    _ => {}
                }
                let since = entry.id.ms;
                self.running.insert(job, Run { name, since });
            }
            Event::Completed => batch.ends.push(self.end(job, entry, Outcome::Completed)),
            Event::Failed => batch.ends.push(self.end(job, entry, Outcome::Failed)),
            Event::Waiting | Event::Delayed | Event::WaitingChildren => self.pause(job, entry),
            Event::Removed => {
                self.pending.remove(job);
                self.running.remove(job);
                batch.removed += 1;
            }
            Event::Cleaned => batch.removed += u64::from(entry.count),
            Event::Deduplicated => batch.deduplicated += 1,
            Event::Stalled => batch.stalled += 1,
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
        let pending = self.pending.get(self.hasher.hash_one(job))?;
        (pending.ready > 0).then_some(pending.ready)
    }

    /// When a job that runs was taken by its worker, by the server's clock in milliseconds, if that was seen.
    pub(crate) fn started(&self, job: &[u8]) -> Option<u64> {
        let run = self.running.get(self.hasher.hash_one(job))?;
        Some(run.since)
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
        let id = self.names.id(name);
        if let Some(run) = self.running.get_mut(self.hasher.hash_one(job)) {
            run.name = Some(id);
        }
        id
    }

    /// Entries were missed: attempts thought to run may have ended and begun anew, jobs thought to wait may
    /// have been taken and come back.
    pub(crate) fn gap(&mut self) {
        self.gaps += 1;
        self.held = None;
        self.pauses = Pauses::default();
        self.pending.each_mut(|job| job.ready = 0);
        for (job, run) in self.running.drain() {
            if run.name.is_some() {
                let (name, ready) = (run.name, 0);
                self.pending.insert(job, Pending { name, ready });
            }
        }
    }

    /// How often entries were missed.
    pub(crate) fn gaps(&self) -> u64 {
        self.gaps
    }

    /// A job that does not run and did not end.
    fn put(&mut self, job: u64, name: Option<NameId>, ready: u64) {
        match self.pending.get_mut(job) {
            Some(pending) => {
                pending.name = name.or(pending.name);
                pending.ready = ready;
            }
            None => self.pending.insert(job, Pending { name, ready }),
        }
    }

    fn end(&mut self, job: u64, entry: &Entry<'_>, outcome: Outcome) -> End {
        let pending = self.pending.remove(job).and_then(|job| job.name);
        let run = self.running.remove(job);
        let name = run.as_ref().and_then(|run| run.name).or(pending);
        // A parent can fail with its child, and never have run.
        let ran = run.is_some() || matches!(entry.prev, b"" | b"active");
        End {
            name: match name {
                Some(name) => Name::Known(name),
                None if entry.job.len() <= LONGEST_ID => Name::Of(entry.job.into()),
                None => Name::Known(self.names.unknown()),
            },
            attempt_failed: outcome == Outcome::Failed && ran,
            outcome,
            run: run.map(|run| since(run.since, entry.id)),
        }
    }

    /// A job that does not run, or no longer, and did not end.
    fn pause(&mut self, job: u64, entry: &Entry<'_>) {
        let ready = match entry.event {
            Event::Waiting => entry.id.ms,
            _ => 0,
        };
        let run = self.running.remove(job);
        self.put(job, run.as_ref().and_then(|run| run.name), ready);
        let Some(run) = run else {
            return;
        };
        let end = End {
            // Without a name it was looked up, and the answer is still to come: the next attempt asks again.
            name: Name::Known(run.name.unwrap_or_else(|| self.names.unknown())),
            outcome: Outcome::Retried,
            run: Some(since(run.since, entry.id)),
            attempt_failed: entry.event != Event::WaitingChildren,
        };
        self.held = Some((job, end));
    }
}

fn since(start: u64, end: StreamId) -> Duration {
    Duration::from_millis(end.ms.saturating_sub(start))
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
