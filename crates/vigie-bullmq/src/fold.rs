//! What a queue's events come to: which job ended how, and how long its attempts ran.
//!
//! A plain value fed with entries in the order of the stream. It knows no clock: entry ids carry the
//! server's, for the start of an attempt as for its end.

use std::hash::BuildHasher;
use std::time::Duration;

use foldhash::fast::RandomState;

use crate::entry::{Entry, Event, StreamId};
use crate::names::{NameId, Names};
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
}

/// What came out of a batch of entries.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) ends: Vec<End>,
    /// Running jobs whose name is to be looked up, for [`Fold::learn`].
    pub(crate) unnamed: Vec<Box<[u8]>>,
}

/// Bounds of one queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) names: usize,
    /// Jobs that wait, and jobs that run.
    pub(crate) jobs: usize,
}

struct Run {
    name: Option<NameId>,
    since: StreamId,
}

/// The fold over one queue's events.
pub(crate) struct Fold {
    names: Names,
    /// Jobs that do not run and did not end.
    waiting: Recent<NameId>,
    running: Recent<Run>,
    /// The last entry's end, if a stall may yet turn out to be the reason: then nothing was measured.
    held: Option<(u64, End)>,
    hasher: RandomState,
}

impl Fold {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            names: Names::new(limits.names),
            waiting: Recent::new(limits.jobs),
            running: Recent::new(limits.jobs),
            held: None,
            hasher: RandomState::default(),
        }
    }

    /// All names so far, by [`NameId`]. It only grows.
    pub(crate) fn names(&self) -> &[Box<str>] {
        self.names.labels()
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
                self.waiting.insert(job, name);
            }
            Event::Active => {
                let again = self.running.remove(job).and_then(|run| run.name);
                let name = self.waiting.remove(job).or(again);
                if name.is_none() && entry.job.len() <= LONGEST_ID {
                    batch.unnamed.push(entry.job.into());
                }
                let since = entry.id;
                self.running.insert(job, Run { name, since });
            }
            Event::Completed => batch.ends.push(self.end(job, entry, Outcome::Completed)),
            Event::Failed => batch.ends.push(self.end(job, entry, Outcome::Failed)),
            Event::Waiting | Event::Delayed | Event::WaitingChildren => self.pause(job, entry),
            Event::Removed => {
                self.waiting.remove(job);
                self.running.remove(job);
            }
            Event::Stalled | Event::Other => {}
        }
    }

    /// No entry follows for now.
    pub(crate) fn flush(&mut self, batch: &mut Batch) {
        batch.ends.extend(self.held.take().map(|(_, end)| end));
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

    /// Entries were missed: attempts thought to run may have ended and begun anew.
    pub(crate) fn gap(&mut self) {
        self.held = None;
        for (job, run) in self.running.drain() {
            if let Some(name) = run.name {
                self.waiting.insert(job, name);
            }
        }
    }

    fn end(&mut self, job: u64, entry: &Entry<'_>, outcome: Outcome) -> End {
        let waited = self.waiting.remove(job);
        let run = self.running.remove(job);
        let name = run.as_ref().and_then(|run| run.name).or(waited);
        End {
            name: match name {
                Some(name) => Name::Known(name),
                None if entry.job.len() <= LONGEST_ID => Name::Of(entry.job.into()),
                None => Name::Known(self.names.unknown()),
            },
            outcome,
            run: run.map(|run| since(run.since, entry.id)),
        }
    }

    /// A job that runs no longer and did not end.
    fn pause(&mut self, job: u64, entry: &Entry<'_>) {
        let Some(run) = self.running.remove(job) else {
            return;
        };
        let name = match run.name {
            Some(name) => {
                self.waiting.insert(job, name);
                name
            }
            // It was looked up, and the answer is still to come: the next attempt asks again.
            None => self.names.unknown(),
        };
        let end = End {
            name: Name::Known(name),
            outcome: Outcome::Retried,
            run: Some(since(run.since, entry.id)),
        };
        self.held = Some((job, end));
    }
}

fn since(start: StreamId, end: StreamId) -> Duration {
    Duration::from_millis(end.ms.saturating_sub(start.ms))
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
