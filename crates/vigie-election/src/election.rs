//! Decides when to read and write the lease, and until when it is held.
//!
//! Pure: its input is requests, their results and their times by the clock of this process; its output is the next step.

use std::time::Duration;

use tokio::time::Instant;

use crate::store::Record;

/// Renewals per period; other candidates read the lease as often.
pub(crate) const TRIES: u32 = 3;
/// The interval is divided by this after a failure.
const RETRY_DIVISOR: u32 = 2;

/// The next step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step<R> {
    /// Wait until then.
    Wait(Instant),
    /// Read the lease.
    Read,
    /// Create it with this candidate as its holder.
    Create,
    /// Replace this record by one with this candidate as its holder.
    Replace(R),
}

/// One candidate's view of the lease.
#[derive(Debug)]
pub(crate) struct Election<R> {
    me: String,
    period: Duration,
    /// The record as last read, and when it was first read in this state.
    seen: Option<(R, Instant)>,
    until: Option<Instant>,
    next: Next,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Next {
    /// When to renew the own record without reading it first.
    Renew(Instant),
    /// When to read.
    Look(Instant),
    Read,
    Create,
    Replace,
    /// Another candidate wrote first: read, and wait after a second conflict.
    ReadAgain,
    ReplaceAgain,
    CreateAgain,
}

impl<R: Record> Election<R> {
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

    /// Until when the lease is held unless it changes.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// The holder when it was last read; `None` when it had none or was not read.
    pub(crate) fn holder(&self) -> Option<&str> {
        let holder = self.seen.as_ref().map(|(record, _)| record.holder());
        holder.filter(|holder| !holder.is_empty())
    }

    pub(crate) fn step(&mut self, now: Instant) -> Step<R> {
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

    /// A read sent at `asked` was answered at `now`.
    pub(crate) fn found(&mut self, asked: Instant, now: Instant, record: Option<R>) {
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
        let ends = record.lasts(self.period).map(|lasts| since + lasts);
        let is_over = ends.is_some_and(|ends| now >= ends);
        let may_take = is_mine || record.holder().is_empty() || is_over;
        let look = asked + self.pause();
        self.next = match (may_take, again) {
            (true, false) => Next::Replace,
            (true, true) => Next::ReplaceAgain,
            (false, _) => Next::Look(ends.map_or(look, |ends| ends.min(look))),
        };
        self.seen = Some((record, since));
    }

    /// A write sent at `asked` succeeded; `record` is the result.
    pub(crate) fn written(&mut self, asked: Instant, now: Instant, record: R) {
        self.until = Some(asked + self.period);
        self.seen = Some((record, now));
        self.next = Next::Renew(asked + self.pause());
    }

    /// A write sent at `asked` failed because another candidate wrote first.
    pub(crate) fn conflict(&mut self, asked: Instant) {
        self.next = match self.next {
            Next::ReplaceAgain | Next::CreateAgain => Next::Look(asked + self.pause()),
            _ => Next::ReadAgain,
        };
    }

    /// The result of a request sent at `asked` is unknown.
    pub(crate) fn failed(&mut self, asked: Instant, now: Instant) {
        self.next = Next::Look(now.max(asked + self.pause() / RETRY_DIVISOR));
    }

    fn pause(&self) -> Duration {
        self.period / TRIES
    }
}

#[cfg(test)]
#[path = "election_tests.rs"]
mod tests;
