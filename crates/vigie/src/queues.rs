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
            let error = queue.error.as_deref();
            let outcome = match (fresh, error) {
                (true, None) => Some(Ok(())),
                (_, Some(error)) => Some(Err(failure(error))),
                // A queue that was just found will be counted in a moment.
                (false, None) => None,
            };
            note(full_name(queue), outcome);
        }
        // Without a queue there is nothing to count, but Redis must have said so, and all of it.
        let untold = status.queues.iter().all(|queue| queue.error.is_none());
        match (status.error, status.last_levels) {
            (Some(error), _) if untold => note("all".into(), Some(Err(failure(&error)))),
            (None, None) if status.queues.is_empty() => note("all".into(), None),
            _ => {}
        }
        *states = known;
        let verdicts = states.iter();
        verdicts
            .map(|(name, state)| (name.clone(), state.verdict(now)))
            .collect()
    }
}

fn full_name(queue: &QueueStatus) -> String {
    let name = match queue.prefix.as_str() {
        DEFAULT_PREFIX => queue.name.clone(),
        prefix => format!("{prefix}:{}", queue.name),
    };
    match queue.database {
        Some(database) => format!("{database}/{name}"),
        None => name,
    }
}
