//! `/queues`: the state of every BullMQ queue as JSON, for autoscalers of workers.
//!
//! ```json
//! {"queues":{"mail":{"waiting":12,"active":3,"delayed":0,"prioritized":0,"waiting_children":0,"paused_jobs":0,
//!   "backlog":15,"paused":false,"oldest_waiting_seconds":3.2,"workers":2,"prefixes":{"bull":{"waiting":12}}}}}
//! ```
//! An unknown value is `null`, and a response without any known value is not a 200: a scaler that took either for 0
//! would stop the workers.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use vigie_bullmq::{QueueStatus, State, Status, Watcher};

pub(super) fn router<S: Clone + Send + Sync + 'static>(watcher: Option<Watcher>) -> Router<S> {
    let show = move |Query(query): Query<BTreeMap<String, String>>| {
        let status = watcher.as_ref().map(Watcher::status);
        async move { answer(status.as_ref(), query.get("queue").map(String::as_str)) }
    };
    Router::new().route("/queues", get(show))
}

fn answer(status: Option<&Status>, only: Option<&str>) -> Response {
    match page(status, only) {
        Ok(page) => json(StatusCode::OK, &page),
        Err((code, error)) => json(code, &BTreeMap::from([("error", error)])),
    }
}

pub(super) fn json(code: StatusCode, answer: &impl Serialize) -> Response {
    // Serialization cannot fail: all keys are strings and all numbers are finite.
    let body = serde_json::to_string(answer).unwrap_or_default() + "\n";
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    (code, headers, body).into_response()
}

#[derive(Debug, Serialize)]
struct Page<'a> {
    queues: BTreeMap<&'a str, Named<'a>>,
}

/// The queues of one name, over all prefixes and databases.
#[derive(Debug, Serialize)]
pub(super) struct Named<'a> {
    #[serde(flatten)]
    together: Figures,
    prefixes: BTreeMap<&'a str, Figures>,
}

/// `None` means unknown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Figures {
    waiting: Option<u64>,
    active: Option<u64>,
    delayed: Option<u64>,
    prioritized: Option<u64>,
    waiting_children: Option<u64>,
    /// Jobs that would be ready to run if the queue were not paused.
    paused_jobs: Option<u64>,
    /// Jobs that workers are processing or could take: waiting, prioritized and active.
    backlog: Option<u64>,
    paused: Option<bool>,
    oldest_waiting_seconds: Option<f64>,
    workers: Option<u64>,
}

impl Figures {
    fn of(queue: &QueueStatus) -> Self {
        let level = |state| queue.levels.and_then(|levels| levels.get(state));
        let (waiting, active) = (level(State::Waiting), level(State::Active));
        let prioritized = level(State::Prioritized);
        Self {
            waiting,
            active,
            delayed: level(State::Delayed),
            prioritized,
            waiting_children: level(State::WaitingChildren),
            paused_jobs: level(State::Paused),
            backlog: sum(sum(waiting, prioritized), active),
            paused: queue.levels.and_then(|levels| levels.paused),
            oldest_waiting_seconds: queue.oldest_waiting.map(|age| age.as_secs_f64()),
            workers: queue.workers,
        }
    }

    /// The sum of both. A value that is unknown in one is unknown in the sum.
    fn and(self, other: Self) -> Self {
        Self {
            waiting: sum(self.waiting, other.waiting),
            active: sum(self.active, other.active),
            delayed: sum(self.delayed, other.delayed),
            prioritized: sum(self.prioritized, other.prioritized),
            waiting_children: sum(self.waiting_children, other.waiting_children),
            paused_jobs: sum(self.paused_jobs, other.paused_jobs),
            backlog: sum(self.backlog, other.backlog),
            paused: both(self.paused, other.paused, |a, b| a && b),
            oldest_waiting_seconds: both(
                self.oldest_waiting_seconds,
                other.oldest_waiting_seconds,
                f64::max,
            ),
            workers: sum(self.workers, other.workers),
        }
    }
}

fn both<T>(a: Option<T>, b: Option<T>, of: impl FnOnce(T, T) -> T) -> Option<T> {
    a.zip(b).map(|(a, b)| of(a, b))
}

fn sum(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    both(a, b, u64::saturating_add)
}

impl<'a> Named<'a> {
    /// The queues of this name; `None` if there is none.
    pub(super) fn of(queues: impl Iterator<Item = &'a QueueStatus>) -> Option<Self> {
        let mut named: Option<Self> = None;
        for queue in queues {
            named = Some(Self::with(named, queue));
        }
        named
    }

    fn with(named: Option<Self>, queue: &'a QueueStatus) -> Self {
        let figures = Figures::of(queue);
        let mut named = match named {
            Some(named) => Self {
                together: named.together.and(figures),
                ..named
            },
            None => Self {
                together: figures,
                prefixes: BTreeMap::new(),
            },
        };
        let of_prefix = named.prefixes.entry(&queue.prefix);
        of_prefix
            .and_modify(|known| *known = known.and(figures))
            .or_insert(figures);
        named
    }
}

/// The queues of all names or of one; otherwise the status code and the reason.
fn page<'a>(
    status: Option<&'a Status>,
    only: Option<&str>,
) -> Result<Page<'a>, (StatusCode, String)> {
    let unknown = |error: &str| Err((StatusCode::SERVICE_UNAVAILABLE, error.to_owned()));
    let Some(status) = status else {
        return unknown("no queue is watched: [redis] is not configured");
    };
    let wanted = |queue: &&QueueStatus| only.is_none_or(|only| queue.name == only);
    let wanted = status.queues.iter().filter(wanted);
    if let Some(error) = &status.error {
        // With several nodes, one may fail: only the queues that were requested matter.
        let failed = wanted.clone().find_map(|queue| queue.error.as_ref());
        if wanted.clone().all(|queue| queue.error.is_some()) {
            let error = failed.unwrap_or(error);
            return unknown(&format!("Redis cannot be read: {error}"));
        }
    }
    if status.last_levels.is_none() {
        return unknown("no queue has been counted yet");
    }
    let mut queues: BTreeMap<&str, Named<'_>> = BTreeMap::new();
    for queue in wanted {
        let named = queues.remove(&*queue.name);
        queues.insert(&queue.name, Named::with(named, queue));
    }
    match only {
        Some(_) if queues.is_empty() => {
            Err((StatusCode::NOT_FOUND, "no queue has this name".into()))
        }
        _ => Ok(Page { queues }),
    }
}

#[cfg(test)]
#[path = "queues_tests.rs"]
mod tests;
