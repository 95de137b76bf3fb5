//! The messages to one integration.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::is_of_the_message;
use crate::Time;
use crate::backoff::Backoff;
use crate::deliver::{Cause, Failure};
use crate::dispatch::Notification;

const SECOND: Time = 1_000;
const MINUTE: Time = 60 * SECOND;
/// The waits if the same message may succeed later.
const TRANSIENT: Backoff = Backoff {
    first: 5 * SECOND,
    longest: 5 * MINUTE,
    longest_asked: 60 * MINUTE,
};
/// The waits if a change of the settings is needed: it is noticed within the longest one.
const PERMANENT: Backoff = Backoff {
    first: MINUTE,
    longest: 15 * MINUTE,
    ..TRANSIENT
};
/// A receiver with temporary failures counts as failing after this time.
const BRIEF: Time = MINUTE;
/// After this time without an attempt, a receiver with a temporary failure no longer counts as failing.
const FORGOTTEN: Time = 60 * MINUTE;

/// An integration that does not deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// The cause of the last failure.
    pub cause: Cause,
    /// The cause in words; empty after a restart.
    pub text: String,
    /// The time of the first failure.
    pub since: Time,
}

/// The hash of the key of a group: a key can have hundreds of bytes.
type GroupHash = u64;

#[derive(Debug, Default)]
pub(super) struct Lane {
    waiting: VecDeque<Notification>,
    /// The notifications that are being sent: their identifiers and their groups.
    sending: Vec<(u64, GroupHash)>,
    /// Nothing is sent before this time.
    opens: Time,
    /// The failures of the receiver in succession.
    failures: u32,
    failing: Option<Failing>,
    /// The groups of which the last message was refused.
    refused: BTreeMap<GroupHash, Refused>,
    /// The times of the messages of the last minute.
    recent: VecDeque<Time>,
}

#[derive(Debug)]
struct Refused {
    failures: u32,
    retry: Time,
    failing: Failing,
}

/// The next step of a lane.
pub(super) enum Next {
    Nothing,
    /// These notifications are to be decided upon again at that time.
    Later(Vec<u64>, Time),
    /// These are to be sent in one message.
    Send(Vec<Notification>),
}

impl Lane {
    pub(super) fn push(&mut self, notification: Notification) {
        self.waiting.push_back(notification);
    }

    pub(super) fn take_waiting(&mut self) -> impl Iterator<Item = u64> + use<> {
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        waiting.map(|one| one.id)
    }

    pub(super) fn next(&mut self, now: Time, per_minute: usize) -> Next {
        if self.waiting.is_empty() {
            return Next::Nothing;
        }
        while self.recent.front().is_some_and(|sent| sent + MINUTE <= now) {
            self.recent.pop_front();
        }
        let left = per_minute.saturating_sub(self.recent.len());
        let full_until = match self.recent.front() {
            Some(first) if left == 0 => first + MINUTE,
            _ => 0,
        };
        let opens = self.opens.max(full_until);
        if opens > now {
            return Next::Later(self.take_waiting().collect(), opens);
        }
        if !self.sending.is_empty() {
            return Next::Nothing;
        }
        let (messages, send) = if self.waiting.len() > left {
            (left, Vec::from(std::mem::take(&mut self.waiting)))
        } else {
            (1, self.waiting.pop_front().into_iter().collect())
        };
        // After a summary nothing else is sent until the limit per minute allows it.
        self.recent.extend(std::iter::repeat_n(now, messages));
        self.sending = send
            .iter()
            .map(|one| (one.id, hash(&one.group_key)))
            .collect();
        Next::Send(send)
    }

    /// The identifiers of the notifications that were sent, and the time at which to try again.
    pub(super) fn finish(
        &mut self,
        now: Time,
        result: Result<(), &Failure>,
        jitter: f64,
    ) -> Option<(Vec<u64>, Option<Time>)> {
        let sent = std::mem::take(&mut self.sending);
        if sent.is_empty() {
            return None;
        }
        let retry = match result {
            Ok(()) => {
                self.failures = 0;
                self.failing = None;
                for (_, key) in &sent {
                    self.refused.remove(key);
                }
                None
            }
            Err(failure) if is_of_the_message(failure.cause) => {
                // The receiver answered.
                self.failures = 0;
                self.failing = None;
                Some(self.refuse(now, &sent, failure, jitter))
            }
            Err(failure) => {
                self.failures = self.failures.saturating_add(1);
                self.opens = now + wait(failure, self.failures, jitter);
                let since = self.failing.as_ref().map_or(now, |failing| failing.since);
                self.failing = Some(Failing::new(failure, since));
                Some(self.opens)
            }
        };
        Some((sent.into_iter().map(|(id, _)| id).collect(), retry))
    }

    fn refuse(
        &mut self,
        now: Time,
        sent: &[(u64, GroupHash)],
        failure: &Failure,
        jitter: f64,
    ) -> Time {
        let failures = sent.iter().filter_map(|(_, key)| self.refused.get(key));
        let failures = 1 + failures.map(|refused| refused.failures).max().unwrap_or(0);
        let retry = now + wait(failure, failures, jitter);
        for (_, key) in sent {
            let since = self.refused.get(key).map(|refused| refused.failing.since);
            let refused = Refused {
                failures,
                retry,
                failing: Failing::new(failure, since.unwrap_or(now)),
            };
            self.refused.insert(*key, refused);
        }
        retry
    }

    pub(super) fn restore(&mut self, now: Time, failing: Failing) {
        self.opens = now;
        self.failing = Some(failing);
    }

    pub(super) fn failing(&mut self, now: Time) -> Option<Failing> {
        // It was not tried again although its time came, so it is no longer needed.
        self.refused
            .retain(|_, refused| refused.retry + MINUTE > now);
        let transient = |failing: &Failing| failing.cause.is_transient();
        if self.failing.as_ref().is_some_and(transient) && self.opens + FORGOTTEN <= now {
            self.failing = None;
            self.failures = 0;
        }
        let failing = self.failing.as_ref();
        // A receiver that is down for a moment, and back at the next attempt, is not reported.
        let failing = failing.filter(|failing| {
            !failing.cause.is_transient() || self.opens.max(now) >= failing.since + BRIEF
        });
        let refused = self.refused.values().map(|refused| &refused.failing);
        failing
            .or_else(|| refused.min_by_key(|failing| failing.since))
            .cloned()
    }
}

/// The wait after the `failures`th failure in succession.
fn wait(failure: &Failure, failures: u32, jitter: f64) -> Time {
    let slow = !failure.cause.is_transient() || is_of_the_message(failure.cause);
    let backoff = if slow { PERMANENT } else { TRANSIENT };
    backoff.wait(failures, failure.retry_after, jitter)
}

fn hash(key: &str) -> GroupHash {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

impl Failing {
    fn new(failure: &Failure, since: Time) -> Self {
        Self {
            cause: failure.cause,
            text: failure.text.clone(),
            since,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_by_cause() {
        let waits = |cause| {
            let failure = Failure::new(cause, "");
            [1, 2, 9].map(|failures| wait(&failure, failures, 0.0) / SECOND)
        };
        assert_eq!(waits(Cause::Server), [5, 10, 300]);
        assert_eq!(waits(Cause::NotFound), [60, 120, 900]);
        assert_eq!(waits(Cause::Template), [60, 120, 900]);
    }
}
