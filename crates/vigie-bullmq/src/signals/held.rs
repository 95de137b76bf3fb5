//! Limits on a queue: rate limit and pause.

use std::time::Duration;

use redis::Value;

use crate::events::pauses;
use crate::protocol::levels::{Levels, State};
use crate::protocol::values::millis;
use crate::signals::ask::{Ask, Replies};
use crate::signals::events::Events;
use vigie_redis::reply::list;

/// The value to which `rateLimit()` sets the counter, above any limit (JavaScript's `Number.MAX_SAFE_INTEGER`).
const BY_HAND: u64 = 9_007_199_254_740_991;

enum Window {
    Ask,
    Count,
    Over,
}

/// The `limiter` key counts started jobs, and expires at the end of the window. The limit is in `meta`, unless it is an
/// option of the workers.
pub(super) struct RateLimit {
    step: Window,
    most: Option<u64>,
    limited: Option<bool>,
    reset: Option<Duration>,
}

impl RateLimit {
    /// Sends no commands if no job is ready.
    pub(super) fn new(levels: &Levels) -> Self {
        let waits = [State::Waiting, State::Prioritized];
        let waits = waits.map(|state| levels.get(state)) != [Some(0); 2];
        let (step, limited) = match waits {
            true => (Window::Ask, None),
            false => (Window::Over, Some(false)),
        };
        Self {
            step,
            most: levels.rate,
            limited,
            reset: None,
        }
    }

    /// Bull moves rate-limited jobs to the delayed ones, and does not store the limit.
    pub(super) fn unknown() -> Self {
        Self {
            step: Window::Over,
            most: None,
            limited: None,
            reset: None,
        }
    }

    pub(super) fn ask(&self, ask: &mut Ask<'_>) {
        match self.step {
            Window::Ask => drop(ask.of_part("PTTL", "limiter")),
            Window::Count => drop(ask.of_part("GET", "limiter")),
            Window::Over => {}
        }
    }

    pub(super) fn take(&mut self, replies: &mut Replies<'_>) {
        match self.step {
            Window::Ask => {
                self.step = Window::Over;
                match replies.next() {
                    Value::Int(left) if *left > 0 => {
                        self.reset = Some(Duration::from_millis(left.unsigned_abs()));
                        self.step = Window::Count;
                    }
                    // No such key, or no expiry, in which case BullMQ ignores it.
                    Value::Int(_) => self.limited = Some(false),
                    _ => {}
                }
            }
            Window::Count => {
                self.step = Window::Over;
                let counted = replies.next();
                if *counted == Value::Nil {
                    // The window has ended meanwhile.
                    (self.limited, self.reset) = (Some(false), None);
                    return;
                }
                self.limited = match (millis(counted), self.most) {
                    (Some(BY_HAND..), _) => Some(true),
                    (Some(begun), Some(most)) => Some(begun >= most),
                    _ => None,
                };
            }
            Window::Over => {}
        }
    }

    pub(super) fn limited(&self) -> Option<bool> {
        self.limited
    }

    pub(super) fn reset(&self) -> Option<Duration> {
        self.reset
    }
}

/// Stream entries read back, once, if the start of the pause is unknown.
const BACK: usize = 500;

enum Step {
    Seen,
    Back,
    Over,
}

/// Finds the start of a queue's pause.
pub(super) struct Pause {
    step: Step,
    may_read: bool,
    since: Option<u64>,
}

impl Pause {
    /// Sends no commands, because nothing can be determined.
    pub(super) fn unknown() -> Self {
        Self {
            step: Step::Over,
            may_read: false,
            since: None,
        }
    }

    /// `before`: the result of the last inspection. `reads`: the number of streams that may still be read back.
    pub(super) fn new(levels: &Levels, before: Option<u64>, reads: &mut usize) -> Self {
        let paused = levels.paused == Some(true);
        let may_read = paused && before.is_none() && *reads > 0;
        *reads -= usize::from(may_read);
        Self {
            step: if paused { Step::Seen } else { Step::Over },
            may_read,
            since: before.filter(|_| paused),
        }
    }

    pub(super) fn ask(&self, ask: &mut Ask<'_>) {
        if let Step::Back = self.step {
            let range = ask.of_part("XREVRANGE", "events");
            range.arg("+").arg("-").arg("COUNT").arg(BACK);
        }
    }

    pub(super) fn take(&mut self, now: u64, replies: &mut Replies<'_>, events: &dyn Events) {
        match self.step {
            // The pause may have ended in events that were not read.
            Step::Seen if !events.are_followed() => {}
            Step::Seen => {
                self.since = events.pauses().since(self.since);
                self.step = match self.since {
                    None if self.may_read => Step::Back,
                    _ => Step::Over,
                };
            }
            Step::Back => {
                self.step = Step::Over;
                let entries = list(replies.next());
                self.since = entries.and_then(|entries| pauses::read_back(entries, now));
            }
            Step::Over => {}
        }
    }

    /// The latest possible start of the pause, if known.
    pub(super) fn since(&self) -> Option<u64> {
        match self.step {
            Step::Over => self.since,
            Step::Seen | Step::Back => None,
        }
    }

    pub(super) fn remembered(&self) -> Option<u64> {
        self.since
    }
}
