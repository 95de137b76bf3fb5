//! The signals of a queue besides its levels: how old, how late, how stuck its jobs are, and what holds them back.
//!
//! A [`Look`] at one queue is a plain value that appends the commands of its next step and takes their replies. The looks
//! at all queues advance together, so that every step is one round trip for all of them. `inspector` makes the round trips;
//! `workers` reads the list of clients for it.

mod active;
mod children;
mod due;
mod held;
pub(crate) mod inspector;
mod waiting;
pub(crate) mod workers;

use std::time::Instant;

use redis::{Cmd, Pipeline, Value};

use crate::events::entry::bytes;
use crate::events::pauses::Pauses;
use crate::queues::key::QueueKey;
use crate::queues::levels::{Levels, State};

use active::Active;
use children::Children;
use due::{Delayed, Schedulers};
use held::{Pause, RateLimit};
use waiting::{Met, Waiting};

/// The server's clock, as it was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// What it showed, in milliseconds.
    pub(crate) now: u64,
    /// When the reply came: at that moment it showed no less.
    pub(crate) at: Instant,
}

impl Clock {
    /// How many seconds ago a moment was when the clock was read; negative if it was still to come.
    pub(crate) fn age(&self, since: u64) -> f64 {
        (self.now as f64 - since as f64) / 1e3
    }
}

/// Since when something is so, by the server's clock in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// There is nothing that is so.
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

/// The result of a look. `None`: not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signals {
    pub(crate) oldest_waiting: Option<Since>,
    pub(crate) oldest_active: Option<Since>,
    pub(crate) without_lock: Option<u64>,
    pub(crate) overdue: Option<u64>,
    /// Since when the latest scheduler is due.
    pub(crate) scheduler_late: Option<Since>,
    pub(crate) schedulers: Option<u64>,
    pub(crate) oldest_waiting_children: Option<Since>,
    /// `None` also of a queue that is not paused.
    pub(crate) paused: Option<u64>,
    pub(crate) rate_limited: Option<bool>,
    /// In how many milliseconds; `None` also where none is counted.
    pub(crate) rate_limit_reset: Option<u64>,
}

/// What the next look needs of this one, unless an event is missed until then.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Remembered {
    waiting: Vec<Met>,
    /// Since when the queue is paused.
    paused: Option<u64>,
}

/// What is known of a queue before a look.
pub(crate) struct Known<'a> {
    pub(crate) key: &'a QueueKey,
    /// The server's clock in milliseconds. Without it nothing has an age.
    pub(crate) now: Option<u64>,
    pub(crate) levels: Levels,
    /// Whether it has a stream of events.
    pub(crate) events: bool,
    /// What the last look remembered.
    pub(crate) remembered: Remembered,
}

/// What the events tell about a job: when it became ready, and when it was taken; and about the queue.
pub(crate) trait Events {
    /// Since when a job waits, by the server's clock.
    fn ready(&self, job: &[u8]) -> Option<u64>;
    /// Since when a job runs, by the server's clock.
    fn started(&self, job: &[u8]) -> Option<u64>;
    /// When the queue was paused, and resumed.
    fn pauses(&self) -> Pauses;
    /// Whether a job that comes to wait is known to do so a moment later.
    fn are_followed(&self) -> bool;
}

/// A look at one queue.
pub(crate) struct Look<'a> {
    key: &'a QueueKey,
    /// 0 where it is not known: then nothing that needs it is asked.
    now: u64,
    waiting: Waiting,
    active: Active,
    delayed: Delayed,
    schedulers: Schedulers,
    children: Children,
    rate_limit: RateLimit,
    pause: Pause,
}

impl<'a> Look<'a> {
    /// Nothing is asked about what is empty by its level. `reads` is how many streams may yet be read back in search of a
    /// pause, the only costly command; a queue for which none is left is read back in another look.
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

    /// Appends the commands of the next step; none when the look is over.
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

    /// Takes the replies to what [`Look::ask`] appended.
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

    /// The result, and what the next look needs.
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

    /// The member of a sorted set that has the lowest score, with that; for [`scored`].
    fn first(&mut self, part: &str) {
        let range = self.of_part("ZRANGEBYSCORE", part);
        range.arg("-inf").arg("+inf").arg("WITHSCORES");
        range.arg("LIMIT").arg(0).arg(1);
    }

    /// A key that begins with a job's; `what` is empty for the job itself.
    fn of_job(&mut self, command: &str, job: &[u8], what: &str) -> &mut Pipeline {
        let key = self.key.job(&[job, what.as_bytes()].concat());
        self.pipeline.cmd(command).arg(key)
    }
}

/// The replies of one round trip, in the order of the commands.
pub(crate) struct Replies<'a>(std::slice::Iter<'a, Value>);

impl<'a> Replies<'a> {
    pub(crate) fn new(replies: &'a [Value]) -> Self {
        Self(replies.iter())
    }

    fn next(&mut self) -> &'a Value {
        self.0.next().unwrap_or(&Value::Nil)
    }
}

/// The server's clock.
pub(crate) fn ask_time() -> Cmd {
    redis::cmd("TIME")
}

/// The reply to it, in milliseconds.
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

/// A number that is a time in milliseconds.
fn millis(value: &Value) -> Option<u64> {
    number(value)
        .filter(|number| *number >= 0.0)
        .map(|number| number as u64)
}

/// Members and scores of a sorted set: one list of both, or with the newer protocol pairs.
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
