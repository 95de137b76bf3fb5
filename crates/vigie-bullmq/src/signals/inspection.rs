//! The inspection of one queue, step by step.

use std::time::Duration;

use redis::Pipeline;

use crate::protocol::key::QueueKey;
use crate::protocol::levels::{Levels, State};
use crate::signals::active::Active;
use crate::signals::ask::{Ask, Replies};
use crate::signals::children::Children;
use crate::signals::clock::Since;
use crate::signals::due::{Delayed, Schedulers};
use crate::signals::events::Events;
use crate::signals::held::{Pause, RateLimit};
use crate::signals::waiting::{OlderJob, Waiting};

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
    pub(crate) paused: Option<Since>,
    pub(crate) rate_limited: Option<bool>,
    /// The time until the rate limit resets; `None` also if no rate limit window is open.
    pub(crate) rate_limit_reset: Option<Duration>,
}

/// State for the next inspection, valid unless an event is missed until then.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Remembered {
    waiting: Vec<OlderJob>,
    /// The start of the pause.
    paused: Option<u64>,
}

#[cfg(test)]
impl Remembered {
    /// A queue that has been paused since this time.
    pub(crate) fn since(paused: u64) -> Self {
        Self {
            waiting: Vec::new(),
            paused: Some(paused),
        }
    }
}

/// The queue to inspect.
pub(crate) struct Subject<'a> {
    pub(crate) key: &'a QueueKey,
    /// The server's clock in milliseconds. Without it, all ages are unknown.
    pub(crate) now: Option<u64>,
    pub(crate) levels: Levels,
    /// Whether it has an event stream.
    pub(crate) events: bool,
    /// State kept from the last inspection.
    pub(crate) remembered: Remembered,
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
    pub(crate) fn new(subject: Subject<'a>, reads: &mut usize) -> Self {
        let Subject {
            key,
            now,
            levels,
            events,
            remembered,
        } = subject;
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
            paused: self.pause.since().map(Since::At),
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

#[cfg(test)]
#[path = "held_tests.rs"]
mod held_tests;
#[cfg(test)]
#[path = "inspection_tests.rs"]
mod tests;
