//! Signals of a queue besides its levels: job age, lateness and stalls, limits, pauses, and workers.
//!
//! An [`Inspection`] of one queue is a plain value that appends the commands of its next step and takes the
//! replies. The inspections of all queues advance together, so that each step is one round trip for all of them.
//! `inspector` makes the round trips; `workers` evaluates the client list.

mod active;
mod children;
mod due;
mod held;
pub(crate) mod inspector;
mod waiting;
pub(crate) mod workers;

use std::time::Instant;

use redis::{Cmd, Pipeline, Value};

use crate::events::pauses::Pauses;
use crate::queues::key::QueueKey;
use crate::queues::levels::{Levels, State};
use vigie_redis::reply::bytes;

use active::Active;
use children::Children;
use due::{Delayed, Schedulers};
use held::{Pause, RateLimit};
use waiting::{OlderJob, Waiting};

/// A reading of the server's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// The server's time in milliseconds.
    pub(crate) now: u64,
    /// When the reply arrived; the server's time was then at least `now`.
    pub(crate) at: Instant,
}

impl Clock {
    /// Seconds from `since` to the reading; negative if `since` is later.
    pub(crate) fn age(&self, since: u64) -> f64 {
        (self.now as f64 - since as f64) / 1e3
    }
}

/// The start of a state, by the server's clock in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// Nothing is in this state.
    Nothing,
    At(u64),
}

impl Since {
    /// The earlier of the two.
    fn or_before(self, moment: u64) -> Self {
        match self {
            Self::At(known) if known <= moment => self,
            _ => Self::At(moment),
        }
    }
}

/// The result of an inspection. `None`: unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signals {
    pub(crate) oldest_waiting: Option<Since>,
    pub(crate) oldest_active: Option<Since>,
    pub(crate) without_lock: Option<u64>,
    pub(crate) overdue: Option<u64>,
    /// The due time of the most overdue scheduler.
    pub(crate) scheduler_late: Option<Since>,
    pub(crate) schedulers: Option<u64>,
    pub(crate) oldest_waiting_children: Option<Since>,
    /// The start of the pause; `None` also if the queue is not paused.
    pub(crate) paused: Option<u64>,
    pub(crate) rate_limited: Option<bool>,
    /// Milliseconds until the rate limit resets; `None` also if no rate limit window is open.
    pub(crate) rate_limit_reset: Option<u64>,
}

/// State for the next inspection, valid unless an event is missed until then.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Remembered {
    waiting: Vec<OlderJob>,
    /// The start of the pause.
    paused: Option<u64>,
}

/// The known state of a queue before an inspection.
pub(crate) struct Known<'a> {
    pub(crate) key: &'a QueueKey,
    /// The server's clock in milliseconds. Without it, all ages are unknown.
    pub(crate) now: Option<u64>,
    pub(crate) levels: Levels,
    /// Whether it has an event stream.
    pub(crate) events: bool,
    /// State kept from the last inspection.
    pub(crate) remembered: Remembered,
}

/// Information about jobs and the queue from the events.
pub(crate) trait Events {
    /// When a waiting job became ready, by the server's clock.
    fn ready(&self, job: &[u8]) -> Option<u64>;
    /// When an active job started, by the server's clock.
    fn started(&self, job: &[u8]) -> Option<u64>;
    /// The pauses of the queue.
    fn pauses(&self) -> Pauses;
    /// Whether the events are followed, so that jobs that begin to wait are seen at once.
    fn are_followed(&self) -> bool;
}

/// The inspection of one queue.
pub(crate) struct Inspection<'a> {
    key: &'a QueueKey,
    /// 0 if unknown; commands that need it are then not sent.
    now: u64,
    waiting: Waiting,
    active: Active,
    delayed: Delayed,
    schedulers: Schedulers,
    children: Children,
    rate_limit: RateLimit,
    pause: Pause,
}

impl<'a> Inspection<'a> {
    /// Skips commands for empty states. `reads`: the number of streams that may still be read back to find the start of
    /// a pause, the only expensive command; other queues are read back in a later inspection.
    pub(crate) fn new(known: Known<'a>, reads: &mut usize) -> Self {
        let Known {
            key,
            now,
            levels,
            events,
            remembered,
        } = known;
        let none = |state| levels.get(state) == Some(0);
        let has_clock = now.is_some();
        Self {
            key,
            now: now.unwrap_or(0),
            waiting: match has_clock {
                true => Waiting::new(&levels, remembered.waiting),
                false => Waiting::unknown(),
            },
            active: Active::new(!none(State::Active)),
            delayed: match has_clock {
                true => Delayed::new(!none(State::Delayed)),
                false => Delayed::Unknown,
            },
            schedulers: Schedulers::new(has_clock),
            children: match has_clock {
                true => Children::new(!none(State::WaitingChildren)),
                false => Children::Unknown,
            },
            rate_limit: match events {
                true => RateLimit::new(&levels),
                false => RateLimit::unknown(),
            },
            pause: match has_clock {
                true => Pause::new(&levels, remembered.paused, reads),
                false => Pause::unknown(),
            },
        }
    }

    /// Appends the commands of the next step; none when the inspection is complete.
    pub(crate) fn ask(&self, pipeline: &mut Pipeline) {
        let mut ask = Ask {
            key: self.key,
            pipeline,
        };
        self.waiting.ask(&mut ask);
        self.active.ask(&mut ask);
        self.delayed.ask(self.now, &mut ask);
        self.schedulers.ask(self.now, &mut ask);
        self.children.ask(&mut ask);
        self.rate_limit.ask(&mut ask);
        self.pause.ask(&mut ask);
    }

    /// Processes the replies to [`Inspection::ask`].
    pub(crate) fn take(&mut self, replies: &mut Replies<'_>, events: &dyn Events) {
        let now = self.now;
        self.waiting.take(now, replies, events);
        self.active.take(replies, events);
        self.delayed.take(now, replies);
        self.schedulers.take(now, replies);
        self.children.take(replies);
        self.rate_limit.take(replies);
        self.pause.take(now, replies, events);
    }

    /// Returns the result, and the state for the next inspection.
    pub(crate) fn end(self) -> (Signals, Remembered) {
        let signals = Signals {
            oldest_waiting: self.waiting.oldest(),
            oldest_active: self.active.oldest(),
            without_lock: self.active.without_lock(),
            overdue: self.delayed.overdue(),
            scheduler_late: self.schedulers.late(),
            schedulers: self.schedulers.count(),
            oldest_waiting_children: self.children.oldest(),
            paused: self.pause.since(),
            rate_limited: self.rate_limit.limited(),
            rate_limit_reset: self.rate_limit.reset(),
        };
        let remembered = Remembered {
            paused: self.pause.remembered(),
            waiting: self.waiting.remembered(),
        };
        (signals, remembered)
    }
}

/// Commands about one queue.
struct Ask<'a> {
    key: &'a QueueKey,
    pipeline: &'a mut Pipeline,
}

impl Ask<'_> {
    fn of_part(&mut self, command: &str, part: &str) -> &mut Pipeline {
        self.pipeline.cmd(command).arg(self.key.part(part))
    }

    /// Reads the member with the lowest score, and the score; parse with [`scored`].
    fn first(&mut self, part: &str) {
        let range = self.of_part("ZRANGEBYSCORE", part);
        range.arg("-inf").arg("+inf").arg("WITHSCORES");
        range.arg("LIMIT").arg(0).arg(1);
    }

    /// A command for a job's key with the suffix `what`, which is empty for the job itself.
    fn of_job(&mut self, command: &str, job: &[u8], what: &str) -> &mut Pipeline {
        let key = self.key.job(&[job, what.as_bytes()].concat());
        self.pipeline.cmd(command).arg(key)
    }
}

/// The replies of one round trip, in command order.
pub(crate) struct Replies<'a>(std::slice::Iter<'a, Value>);

impl<'a> Replies<'a> {
    pub(crate) fn new(replies: &'a [Value]) -> Self {
        Self(replies.iter())
    }

    fn next(&mut self) -> &'a Value {
        self.0.next().unwrap_or(&Value::Nil)
    }
}

/// Reads the server's clock.
pub(crate) fn ask_time() -> Cmd {
    redis::cmd("TIME")
}

/// Parses the reply to TIME, in milliseconds.
pub(crate) fn time(reply: &Value) -> Option<u64> {
    let Value::Array(parts) = reply else {
        return None;
    };
    let [seconds, micros] = parts.as_slice() else {
        return None;
    };
    let number = |value| std::str::from_utf8(bytes(value)?).ok()?.parse::<u64>().ok();
    number(seconds)?
        .checked_mul(1000)?
        .checked_add(number(micros)? / 1000)
}

/// A number in a field or a score; BullMQ writes some with a fraction.
fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Double(number) => *number,
        Value::Int(number) => *number as f64,
        _ => std::str::from_utf8(bytes(value)?).ok()?.parse().ok()?,
    };
    number.is_finite().then_some(number)
}

/// A timestamp in milliseconds.
fn millis(value: &Value) -> Option<u64> {
    number(value)
        .filter(|number| *number >= 0.0)
        .map(|number| number as u64)
}

/// Members of a sorted set with their scores: a flat list, or pairs in RESP3.
pub(crate) fn scored(reply: &Value) -> Option<Vec<(&[u8], f64)>> {
    let Value::Array(values) = reply else {
        return None;
    };
    let pair = |member, score| Some((bytes(member)?, number(score)?));
    let pairs = match values.first() {
        Some(Value::Array(_)) => values
            .iter()
            .filter_map(|both| match both {
                Value::Array(both) => pair(both.first()?, both.get(1)?),
                _ => None,
            })
            .collect(),
        _ => {
            let both = values.chunks_exact(2);
            both.filter_map(|both| pair(&both[0], &both[1])).collect()
        }
    };
    Some(pairs)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
