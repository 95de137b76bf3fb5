//! The latest distinct reasons for which the jobs of a queue failed, by job name.
//!
//! A place is given to each new reason. If it exceeds a limit, the reasons seen least recently are forgotten: first of the same name,
//! so that a name with many reasons does not displace those of others.

use std::hash::BuildHasher;
use std::time::{Duration, SystemTime};

use foldhash::quality::RandomState;
use vigie_redis::redact::addresses;

use crate::failures::frame::frame;
use crate::failures::redact::redact;
use crate::failures::text;
use crate::protocol::entry::Entry;

/// Reasons kept for a job name.
const PER_NAME: usize = 8;
/// Maximum memory of the reasons of a queue, in bytes.
pub(crate) const BYTES: usize = 8 << 10;
/// Bytes of a reason that are read; more is not needed for what is shown.
const READ: usize = 1_024;
/// Maximum length of a reason, in bytes.
const LONGEST: usize = 300;
/// Longer job ids are not looked up.
const LONGEST_ID: usize = 1_024;
/// Lookups of a stack trace for a reason: the job may be deleted already, but the next one may not.
const LOOKUPS: u8 = 3;
/// Pending lookups of a queue.
const PENDING: usize = 4;

/// A failure, as its event describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    job: Box<[u8]>,
    reason: Box<[u8]>,
    /// By the server's clock, in milliseconds.
    at: u64,
}

impl Failure {
    pub(crate) fn of(entry: &Entry<'_>) -> Self {
        let job = if entry.job.len() <= LONGEST_ID {
            entry.job
        } else {
            b""
        };
        // One byte more, so that a cut is noticed.
        let reason = &entry.reason[..entry.reason.len().min(READ + 1)];
        Self {
            job: job.into(),
            reason: reason.into(),
            at: entry.id.ms,
        }
    }
}

/// Why jobs of a name failed, permanently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureReason {
    /// The job name, as in the label `name`.
    pub name: String,
    /// One line, redacted unless [`Settings::redact`](crate::Settings::redact) is off. Empty if the job gave none.
    pub reason: String,
    /// The first line of the stack trace, if the job was still in Redis when it was looked up.
    pub frame: Option<String>,
    /// The number of failures since `first`.
    pub count: u64,
    /// The first of them, by the server's clock.
    pub first: SystemTime,
    /// The last of them, by the server's clock.
    pub last: SystemTime,
}

/// Why the jobs of a queue failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// The latest first.
    pub reasons: Vec<FailureReason>,
    /// The number of failures for reasons that are not kept any more.
    pub forgotten: u64,
}

/// A job whose stack trace is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) job: Box<[u8]>,
    kind: u64,
}

struct Kept {
    name: Box<str>,
    text: Box<str>,
    frame: Option<Box<str>>,
    /// The hash of the name and the redacted reason.
    kind: u64,
    /// The hash of the name and the latest reason as it was.
    latest: u64,
    count: u64,
    first: u64,
    last: u64,
    /// The order in which reasons were seen last.
    turn: u64,
    lookups: u8,
}

impl Kept {
    fn bytes(&self) -> usize {
        let frame = self.frame.as_ref().map_or(0, |frame| frame.len());
        size_of::<Self>() + self.name.len() + self.text.len() + frame
    }
}

/// The reasons of one queue.
pub(crate) struct Reasons {
    redacts: bool,
    kept: Vec<Kept>,
    wanted: Vec<Wanted>,
    forgotten: u64,
    turn: u64,
    hasher: RandomState,
}

impl Reasons {
    pub(crate) fn new(redacts: bool) -> Self {
        Self {
            redacts,
            kept: Vec::new(),
            wanted: Vec::new(),
            forgotten: 0,
            turn: 0,
            hasher: RandomState::default(),
        }
    }

    pub(crate) fn record(&mut self, name: &str, failure: &Failure) {
        self.turn += 1;
        let latest = self.hasher.hash_one((name, &failure.reason));
        // Most failures repeat the text of an earlier one, which then is not redacted again.
        let mut known = self.kept.iter().position(|kept| kept.latest == latest);
        if known.is_none() {
            let line = text::line(&failure.reason, READ);
            let clean = redact(&line);
            let kind = self.hasher.hash_one((name, &clean));
            let shown = match self.redacts {
                true => clean,
                false => addresses(&line),
            };
            let shown = text::shortened(shown, LONGEST).into();
            known = self.kept.iter().position(|kept| kept.kind == kind);
            match known {
                Some(at) => (self.kept[at].text, self.kept[at].latest) = (shown, latest),
                None => {
                    self.make_room(name);
                    known = Some(self.kept.len());
                    self.kept.push(Kept {
                        name: name.into(),
                        text: shown,
                        frame: None,
                        kind,
                        latest,
                        count: 0,
                        first: failure.at,
                        last: failure.at,
                        turn: self.turn,
                        lookups: 0,
                    });
                }
            }
        }
        if let Some(kept) = known.and_then(|at| self.kept.get_mut(at)) {
            kept.count += 1;
            kept.last = kept.last.max(failure.at);
            kept.turn = self.turn;
            let kind = kept.kind;
            let is_pending = self.wanted.iter().any(|wanted| wanted.kind == kind);
            let may_ask = kept.lookups < LOOKUPS && self.wanted.len() < PENDING;
            if kept.frame.is_none() && may_ask && !is_pending && !failure.job.is_empty() {
                kept.lookups += 1;
                let job = failure.job.clone();
                self.wanted.push(Wanted { job, kind });
            }
        }
        self.fit();
    }

    /// The jobs whose stack traces are wanted, at most `most`. Each is returned once.
    pub(crate) fn take_wanted(&mut self, most: usize) -> Vec<Wanted> {
        let most = most.min(self.wanted.len());
        self.wanted.drain(..most).collect()
    }

    /// Adds the first line of a stack trace, as read from the field `stacktrace` of the job.
    pub(crate) fn learn(&mut self, wanted: &Wanted, stacktrace: &[u8]) {
        let mut kept = self.kept.iter_mut();
        if let Some(kept) = kept.find(|kept| kept.kind == wanted.kind) {
            kept.frame = frame(stacktrace, self.redacts).map(Box::from);
        }
        self.fit();
    }

    /// Forgets a reason of this name if it has as many as it may have.
    fn make_room(&mut self, name: &str) {
        let of_name = |kept: &&Kept| &*kept.name == name;
        if self.kept.iter().filter(of_name).count() >= PER_NAME {
            self.forget(|kept| &*kept.name == name);
        }
    }

    /// Forgets reasons until the rest fits.
    fn fit(&mut self) {
        while self.bytes() > BYTES {
            self.forget(|_| true);
        }
    }

    /// Forgets the one of these that was seen least recently.
    fn forget(&mut self, of: impl Fn(&Kept) -> bool) {
        let of_these = self.kept.iter().enumerate().filter(|(_, kept)| of(kept));
        if let Some((at, _)) = of_these.min_by_key(|(_, kept)| kept.turn) {
            self.forgotten += self.kept.swap_remove(at).count;
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.kept.iter().map(Kept::bytes).sum()
    }

    pub(crate) fn list(&self) -> Failures {
        let mut kept: Vec<_> = self.kept.iter().collect();
        kept.sort_by_key(|kept| std::cmp::Reverse(kept.turn));
        let time = |ms| {
            let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(ms));
            time.unwrap_or(SystemTime::UNIX_EPOCH)
        };
        let reasons = kept.into_iter().map(|kept| FailureReason {
            name: kept.name.to_string(),
            reason: kept.text.to_string(),
            frame: kept.frame.as_ref().map(ToString::to_string),
            count: kept.count,
            first: time(kept.first),
            last: time(kept.last),
        });
        Failures {
            reasons: reasons.collect(),
            forgotten: self.forgotten,
        }
    }
}

#[cfg(test)]
#[path = "reasons_tests.rs"]
mod tests;
