//! The age of the oldest active job, and the active jobs without a lock.

use crate::protocol::markers::jobs;
use crate::protocol::values::millis;
use crate::signals::ask::{Ask, Replies};
use crate::signals::clock::Since;
use crate::signals::events::Events;
use vigie_redis::reply::count;

/// Number of inspected jobs, from those taken first.
const JOBS: isize = 100;

enum Step {
    List,
    Locks,
    Over,
}

pub(super) struct Active {
    step: Step,
    /// The jobs; the one taken first is last.
    jobs: Vec<Box<[u8]>>,
    oldest: Option<Since>,
    without_lock: Option<u64>,
}

impl Active {
    pub(super) fn new(any: bool) -> Self {
        let (step, oldest, without_lock) = match any {
            true => (Step::List, None, None),
            false => (Step::Over, Some(Since::Nothing), Some(0)),
        };
        Self {
            step,
            jobs: Vec::new(),
            oldest,
            without_lock,
        }
    }

    pub(super) fn ask(&self, ask: &mut Ask<'_>) {
        if let Step::Locks = self.step {
            for job in &self.jobs {
                ask.of_job("EXISTS", job, ":lock");
            }
            if let Some(oldest) = self.jobs.last() {
                ask.of_job("HGET", oldest, "").arg("processedOn");
            }
        }
        if let Step::List | Step::Locks = self.step {
            ask.of_part("LRANGE", "active").arg(-JOBS).arg(-1);
        }
    }

    pub(super) fn take(&mut self, replies: &mut Replies<'_>, events: &dyn Events) {
        match self.step {
            Step::List => {
                self.step = Step::Over;
                let Some(jobs) = jobs(replies.next()) else {
                    return;
                };
                self.jobs = jobs.map(Box::from).collect();
                match self.jobs.is_empty() {
                    true => (self.oldest, self.without_lock) = (Some(Since::Nothing), Some(0)),
                    false => self.step = Step::Locks,
                }
            }
            Step::Locks => {
                self.step = Step::Over;
                let locked = self.jobs.iter().map(|_| count(replies.next()));
                let locked: Vec<_> = locked.collect();
                let started = millis(replies.next());
                let Some(now) = jobs(replies.next()) else {
                    return;
                };
                // A job that has ended meanwhile has no lock either.
                let now: Vec<_> = now.collect();
                let still = |job: &[u8]| now.contains(&job);
                let mut jobs = self.jobs.iter().zip(locked);
                self.without_lock = jobs.try_fold(0, |jobs, (job, locked)| {
                    Some(jobs + u64::from(locked? == 0 && still(job)))
                });
                if let Some(job) = self.jobs.last() {
                    let seen = events.are_followed().then(|| events.started(job));
                    let since = seen.flatten().or(started);
                    self.oldest = match since {
                        Some(since) => Some(Since::At(since)),
                        // The job has ended; the active jobs were taken since.
                        None if !still(job) => Some(Since::Nothing),
                        None => None,
                    };
                }
            }
            Step::Over => {}
        }
    }

    pub(super) fn oldest(&self) -> Option<Since> {
        self.oldest
    }

    pub(super) fn without_lock(&self) -> Option<u64> {
        self.without_lock
    }
}
