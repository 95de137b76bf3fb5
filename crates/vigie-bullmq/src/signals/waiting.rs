//! The age of the oldest waiting job.
//!
//! For jobs that became ready since the events are followed, the time comes from the events. For older jobs, it is
//! computed from the time and the delay stored in the job's hash.

use redis::Value;

use crate::protocol::levels::{Levels, State};
use crate::protocol::markers::{self, is_marker};
use crate::protocol::values::{millis, scored};
use crate::signals::ask::{Ask, Replies};
use crate::signals::clock::Since;
use crate::signals::events::Events;
use vigie_redis::reply::{bytes, count, list};

/// Jobs inspected at the end from which workers take. Stalled and rate-limited jobs are also put there, in front of
/// older ones, as are jobs added with `lifo`.
const NEXT: isize = 8;
/// Priorities inspected.
const PRIORITIES: u32 = 32;
/// Jobs inspected per priority: a job put back is in front of older ones.
const OF_PRIORITY: usize = 2;
/// A score is the priority multiplied by this, plus a counter.
const PRIORITY: f64 = 4_294_967_296.0;
/// The time a job was added, its options, and fields that exist after a run (up to version 4, and later).
const FIELDS: [&str; 5] = ["timestamp", "opts", "processedOn", "attemptsMade", "ats"];

/// A job that became ready before the events were followed, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OlderJob {
    job: Box<[u8]>,
    since: u64,
}

pub(super) struct Waiting {
    /// Lists whose next jobs are still to be read.
    lists: Vec<&'static str>,
    /// Longer lists, whose last job is also to be read.
    long: Vec<&'static str>,
    /// The priority from which to continue.
    priority: Option<f64>,
    priorities: u32,
    /// Jobs whose hash is still to be read.
    unknown: Vec<Box<[u8]>>,
    before: Vec<OlderJob>,
    now_remembered: Vec<OlderJob>,
    /// The start of the oldest wait.
    oldest: Option<u64>,
    /// Whether the wait start of some jobs is unknown.
    unknown_age: bool,
    /// Whether the waiting jobs are unknown: a key has another type, or a command is refused.
    unreadable: bool,
}

impl Waiting {
    pub(super) fn new(levels: &Levels, before: Vec<OlderJob>) -> Self {
        let any = |state| levels.get(state) != Some(0);
        let lists = match (any(State::Waiting), any(State::Paused)) {
            // From version 6 on, jobs of a paused queue stay in `wait`.
            (_, true) => vec!["wait", "paused"],
            (true, false) => vec!["wait"],
            (false, false) => Vec::new(),
        };
        Self {
            lists,
            long: Vec::new(),
            priority: any(State::Prioritized).then_some(0.0),
            priorities: 0,
            unknown: Vec::new(),
            before,
            now_remembered: Vec::new(),
            oldest: None,
            unknown_age: false,
            unreadable: false,
        }
    }

    /// Sends no commands, because nothing can be determined.
    pub(super) fn unknown() -> Self {
        Self {
            unreadable: true,
            ..Self::new(&Levels::NONE, Vec::new())
        }
    }

    pub(super) fn ask(&self, ask: &mut Ask<'_>) {
        for list in &self.lists {
            ask.of_part("LRANGE", list).arg(-NEXT).arg(-1);
        }
        for list in &self.long {
            // The last entry may be the marker of a delayed job.
            ask.of_part("LRANGE", list).arg(0).arg(1);
        }
        for job in &self.unknown {
            ask.of_job("HMGET", job, "").arg(&FIELDS);
            ask.of_job("EXISTS", job, ":processed");
        }
        if let Some(from) = self.priority {
            let range = ask.of_part("ZRANGEBYSCORE", "prioritized");
            range.arg(from.to_string()).arg("+inf").arg("WITHSCORES");
            range.arg("LIMIT").arg(0).arg(OF_PRIORITY);
        }
    }

    pub(super) fn take(&mut self, now: u64, replies: &mut Replies<'_>, events: &dyn Events) {
        let mut jobs: Vec<&[u8]> = Vec::new();
        let mut long = Vec::new();
        for part in std::mem::take(&mut self.lists) {
            let next = replies.next();
            if list(next).is_some_and(|entries| entries.len() >= NEXT as usize) {
                long.push(part);
            }
            let next = markers::jobs(next);
            self.unreadable |= next.is_none();
            jobs.extend(next.into_iter().flatten());
        }
        for _ in std::mem::replace(&mut self.long, long) {
            let last = markers::jobs(replies.next());
            self.unreadable |= last.is_none();
            jobs.extend(last.into_iter().flatten());
        }
        for job in std::mem::take(&mut self.unknown) {
            let (hash, parent) = (replies.next(), replies.next());
            self.learn(job, hash, parent, now, events);
        }
        if let Some(from) = self.priority.take() {
            let first = replies.next();
            let of_priority = scored(first);
            self.unreadable |= of_priority.is_none();
            let of_priority = of_priority.unwrap_or_default();
            self.priorities += 1;
            if let Some((_, score)) = of_priority.first() {
                let next = ((score / PRIORITY).floor() + 1.0) * PRIORITY;
                let same = of_priority.iter().take_while(|(_, score)| *score < next);
                jobs.extend(same.map(|(job, _)| *job).filter(|job| !is_marker(job)));
                let more = of_priority.len() >= OF_PRIORITY;
                // Bound the number of steps against malicious scores.
                let on = more && next > from && self.priorities < PRIORITIES;
                self.priority = on.then_some(next);
            }
        }
        jobs.sort_unstable();
        jobs.dedup();
        for job in jobs {
            self.meet(job, events);
        }
    }

    fn meet(&mut self, job: &[u8], events: &dyn Events) {
        if self.now_remembered.iter().any(|older| *older.job == *job) {
            // The job is at both ends of the list.
            return;
        }
        if !events.are_followed() {
            // The stored state may be outdated.
            self.unknown.push(job.into());
        } else if let Some(since) = events.ready(job) {
            self.found(since);
        } else if let Some(at) = self.before.iter().position(|before| *before.job == *job) {
            let before = self.before.swap_remove(at);
            self.found(before.since);
            self.now_remembered.push(before);
        } else {
            self.unknown.push(job.into());
        }
    }

    fn learn(
        &mut self,
        job: Box<[u8]>,
        hash: &Value,
        parent: &Value,
        now: u64,
        events: &dyn Events,
    ) {
        let Some([added, options, ran @ ..]) = list(hash) else {
            self.unknown_age = true;
            return;
        };
        let Some(added) = millis(added) else {
            // The job is gone.
            return;
        };
        let ran = ran
            .iter()
            .any(|field| millis(field).is_some_and(|number| number > 0));
        let Some(parent) = count(parent) else {
            self.unknown_age = true;
            return;
        };
        let again = ran || parent > 0;
        let since = match again {
            false => added.saturating_add(delay(options)).min(now),
            // The job waits again after a run or its children, since an unknown time; now is an upper bound.
            true if events.are_followed() => now,
            true => {
                self.unknown_age = true;
                return;
            }
        };
        self.found(since);
        if events.are_followed() {
            self.now_remembered.push(OlderJob { job, since });
        }
    }

    fn found(&mut self, since: u64) {
        self.oldest = Some(self.oldest.map_or(since, |oldest| oldest.min(since)));
    }

    pub(super) fn oldest(&self) -> Option<Since> {
        match self.oldest {
            _ if self.unreadable => None,
            Some(since) => Some(Since::At(since)),
            None if self.unknown_age => None,
            None => Some(Since::Nothing),
        }
    }

    pub(super) fn remembered(self) -> Vec<OlderJob> {
        self.now_remembered
    }
}

/// The delay in a job's options.
fn delay(options: &Value) -> u64 {
    let options = bytes(options).and_then(|options| serde_json::from_slice(options).ok());
    let delay = options.and_then(|options: serde_json::Value| options.get("delay")?.as_f64());
    delay.map_or(0, |delay| delay as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::testing::bulk;

    #[test]
    fn a_delay_is_found_in_the_options() {
        for (options, expected) in [
            (r#"{"attempts":3,"delay":300}"#, 300),
            (
                r#"{"backoff":{"type":"fixed","delay":9},"delay":5000.5}"#,
                5_000,
            ),
            (r#"{"backoff":{"type":"fixed","delay":9}}"#, 0),
            (r#"{"attempts":3}"#, 0),
            (r#"{"delay":"soon"}"#, 0),
            (r#"{"delay":"#, 0),
        ] {
            assert_eq!(delay(&bulk(options)), expected, "{options}");
        }
        assert_eq!(delay(&Value::Nil), 0);
    }
}
