//! The readiness of the queues: the specification wants a count of jobs per queue, and the watcher has one.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use vigie_bullmq::{QueueStatus, Watcher};
use vigie_probes::{CheckSource, Failure, FailureKind, Moment, State, Verdict};

/// The prefix BullMQ uses unless told otherwise; it is not worth saying.
const DEFAULT_PREFIX: &str = "bull";

/// One check for every queue: its jobs were counted lately.
pub(crate) struct QueueCounts {
    watcher: Watcher,
    stale_after: Duration,
    states: Mutex<BTreeMap<String, State>>,
}

impl QueueCounts {
    pub(crate) fn new(watcher: Watcher, stale_after: Duration) -> Self {
        Self {
            watcher,
            stale_after,
            states: Mutex::default(),
        }
    }
}

impl CheckSource for QueueCounts {
    fn name(&self) -> &str {
        "queues"
    }

    fn verdicts(&self, now: Moment) -> Vec<(String, Verdict)> {
        let status = self.watcher.status();
        let patience = self.watcher.counted_within() + self.stale_after;
        let failure = |text: &str| Failure::new(FailureKind::Unreachable, text);
        let mut states = self.states.lock();
        let mut known = BTreeMap::new();
        let mut note = |name: String, outcome| {
            let state = states.remove(&name);
            let mut state = state.unwrap_or_else(|| State::new(now, self.stale_after));
            if let Some(outcome) = outcome {
                state.record(now, None, outcome);
            }
            known.insert(name, state);
        };
        for queue in &status.queues {
            let fresh = queue.age.is_some_and(|age| age <= patience);
            let error = status.error.as_deref();
            let outcome = match (fresh, error) {
                (true, None) => Some(Ok(())),
                (_, Some(error)) => Some(Err(failure(error))),
                // A queue that was just found will be counted in a moment.
                (false, None) => None,
            };
            note(full_name(queue), outcome);
        }
        if status.queues.is_empty() {
            // Without a queue there is nothing to count, but Redis must have said so.
            match (status.error, status.last_levels) {
                (Some(error), _) => note("all".into(), Some(Err(failure(&error)))),
                (None, None) => note("all".into(), None),
                (None, Some(_)) => {}
            }
        }
        *states = known;
        let verdicts = states.iter();
        verdicts
            .map(|(name, state)| (name.clone(), state.verdict(now)))
            .collect()
    }
}

fn full_name(queue: &QueueStatus) -> String {
    match queue.prefix.as_str() {
        DEFAULT_PREFIX => queue.name.clone(),
        prefix => format!("{prefix}:{}", queue.name),
    }
}
