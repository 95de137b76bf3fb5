//! When to read the Lease, when to write it, and until when it is held.
//!
//! Pure: what was asked and answered, and when by this process' clock, comes in; what to do next comes out.

use std::time::Duration;

use tokio::time::Instant;

use crate::record::Record;

/// Renewals in a period, and looks of those who wait.
pub(crate) const TRIES: u32 = 3;
/// After a failure it is tried again sooner, but not at once.
const HASTE: u32 = 2;

/// What to do now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Nothing before then.
    Wait(Instant),
    /// Read the Lease.
    Read,
    /// Make it, with us as its holder.
    Create,
    /// Write this one back, with us as its holder.
    Replace(Record),
}

/// One candidate's view of the Lease.
#[derive(Debug)]
pub(crate) struct Election {
    me: String,
    period: Duration,
    /// The Lease as it was last seen, and since when it has been seen so.
    seen: Option<(Record, Instant)>,
    until: Option<Instant>,
    next: Next,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Next {
    /// Then renew what we wrote ourselves, without reading it first.
    Renew(Instant),
    /// Then read.
    Look(Instant),
    Read,
    Create,
    Replace,
    /// Somebody was quicker: read, and if it happens again leave it for this time.
    ReadAgain,
    ReplaceAgain,
    CreateAgain,
}

impl Election {
    pub(crate) fn new(me: String, period: Duration) -> Self {
        Self {
            me,
            period,
            seen: None,
            until: None,
            next: Next::Read,
        }
    }

    pub(crate) fn me(&self) -> &str {
        &self.me
    }

    /// Until when it is held, if nothing else happens.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Who held it when it was last seen; `None`: nobody, or it was not seen.
    pub(crate) fn holder(&self) -> Option<&str> {
        let holder = self.seen.as_ref().map(|(record, _)| record.holder());
        holder.filter(|holder| !holder.is_empty())
    }

    pub(crate) fn step(&mut self, now: Instant) -> Step {
        let is_held = self.until.is_some_and(|until| now < until);
        match self.next {
            Next::Renew(at) | Next::Look(at) if now < at => return Step::Wait(at),
            Next::Renew(_) if is_held => self.next = Next::Replace,
            Next::Renew(_) | Next::Look(_) => self.next = Next::Read,
            _ => {}
        }
        match (self.next, &self.seen) {
            (Next::Replace | Next::ReplaceAgain, Some((record, _))) => {
                Step::Replace(record.clone())
            }
            (Next::Create | Next::CreateAgain, _) => Step::Create,
            _ => Step::Read,
        }
    }

    /// It was asked for at `asked`, and at `now` this came.
    pub(crate) fn found(&mut self, asked: Instant, now: Instant, record: Option<Record>) {
        let again = self.next == Next::ReadAgain;
        let Some(record) = record else {
            self.until = None;
            self.seen = None;
            self.next = if again {
                Next::CreateAgain
            } else {
                Next::Create
            };
            return;
        };
        let since = match &self.seen {
            Some((before, since)) if record.is_unchanged(before) => *since,
            _ => now,
        };
        let is_mine = record.holder() == self.me;
        if !is_mine {
            self.until = None;
        }
        let ends = since + record.duration().unwrap_or(self.period);
        let may_take = is_mine || record.holder().is_empty() || now >= ends;
        self.next = match (may_take, again) {
            (true, false) => Next::Replace,
            (true, true) => Next::ReplaceAgain,
            (false, _) => Next::Look(ends.min(asked + self.pause())),
        };
        self.seen = Some((record, since));
    }

    /// What we asked for at `asked` was written, and this is it now.
    pub(crate) fn written(&mut self, asked: Instant, now: Instant, record: Record) {
        self.until = Some(asked + self.period);
        self.seen = Some((record, now));
        self.next = Next::Renew(asked + self.pause());
    }

    /// What we asked for at `asked` was not written: somebody else was quicker.
    pub(crate) fn conflict(&mut self, asked: Instant) {
        self.next = match self.next {
            Next::ReplaceAgain | Next::CreateAgain => Next::Look(asked + self.pause()),
            _ => Next::ReadAgain,
        };
    }

    /// Whether what we asked for at `asked` was done is not known.
    pub(crate) fn failed(&mut self, asked: Instant, now: Instant) {
        self.next = Next::Look(now.max(asked + self.pause() / HASTE));
    }

    fn pause(&self) -> Duration {
        self.period / TRIES
    }
}

#[cfg(test)]
#[path = "election_tests.rs"]
mod tests;
