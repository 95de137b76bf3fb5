//! The results of a batch of events.

use std::time::Duration;

use crate::events::names::NameId;
use crate::failures::reasons::Failure;
use crate::protocol::outcome::Outcome;

/// The name of a job, as far as known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Known(NameId),
    /// Only the id of the job is known; its name can be looked up.
    Of(Box<[u8]>),
    /// The name cannot be looked up.
    Unknown,
}

/// Events of a job other than the end of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Incident {
    /// The job was active, but its worker was gone.
    Stalled,
    Removed,
    /// The job was dropped, or replaced another, because of its deduplication id.
    Deduplicated,
}

/// A number of jobs of one name with the same incident.
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
    /// Run duration; `None` if the start was not read.
    pub(crate) run: Option<Duration>,
    /// Whether the attempt failed, permanently or not. Includes jobs that a processor moves back itself (`rateLimit`,
    /// `moveToDelayed`, `moveToWait`), which emit the same events as a retry.
    pub(crate) attempt_failed: bool,
    /// Why the job failed, if it failed permanently.
    pub(crate) failure: Option<Box<Failure>>,
}

/// The results of a batch of entries.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) ends: Vec<End>,
    /// Active jobs whose name has to be looked up (see `Fold::learn`), with their wait time.
    pub(crate) unnamed: Vec<(Box<[u8]>, Option<Duration>)>,
    /// Known wait times of attempts that began.
    pub(crate) waits: Vec<(NameId, Duration)>,
    /// The names of added jobs.
    pub(crate) added: Vec<NameId>,
    /// Stalled, removed and deduplicated jobs.
    pub(crate) tallies: Vec<Tally>,
}

impl Batch {
    pub(super) fn tally(&mut self, incident: Incident, name: Name, jobs: u64) {
        match self.tallies.last_mut() {
            Some(last) if last.incident == incident && last.name == name => last.jobs += jobs,
            _ => self.tallies.push(Tally {
                incident,
                name,
                jobs,
            }),
        }
    }

    /// Sets the name of a deduplicated job that replaced another: its `added` entry follows the `deduplicated` one.
    pub(super) fn name_replacement(&mut self, job: &[u8], name: NameId) {
        if let Some(last) = self.tallies.last_mut()
            && last.incident == Incident::Deduplicated
            && matches!(&last.name, Name::Of(of) if **of == *job)
        {
            last.name = Name::Known(name);
        }
    }
}
