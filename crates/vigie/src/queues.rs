//! The readiness of the queues: the specification requires a count of jobs per queue, which the watcher provides.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use vigie_bullmq::{QueueStatus, Watcher};
use vigie_probes::{CheckSource, Failure, FailureKind, Moment, State, Verdict};

/// The default prefix of BullMQ, which is omitted from names.
const DEFAULT_PREFIX: &str = "bull";

/// One check for all queues: their jobs were counted recently.
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
                // A new queue is counted shortly.
                (false, None) => None,
            };
            note(full_name(queue), outcome);
        }
        // Without queues there is nothing to count, but only a complete reading of Redis proves that.
        let is_complete = status.queues.iter().all(|queue| queue.error.is_none());
        match (status.error, status.last_levels) {
            (Some(error), _) if is_complete => note("all".into(), Some(Err(failure(&error)))),
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
