//! `/queues/NAME`: the state of the queues of one name as JSON, and why their jobs failed.
//!
//! ```json
//! {"queue":"mail","waiting":12,…,"prefixes":{"bull":{"waiting":12,…}},"error":null,"link":null,"redacted":true,
//!  "failures":[{"prefix":"bull","name":"welcome","reason":"no mailbox <email>","stack":"at deliver (/app/mail.js:10:11)",
//!    "count":3,"first":"2026-11-30T06:20:00Z","last":"2026-11-30T06:21:07Z"}],"forgotten":0}
//! ```
//! An unknown value is `null`. The reasons are also answered while Redis cannot be read, which is when they are needed.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use vigie_bullmq::{FailureReason, QueueFailures, Status, Watcher};

use super::queues::{Named, json};

/// Everything but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A name as a segment of a path, or a part of a query.
pub(crate) fn encoded(name: &str) -> String {
    utf8_percent_encode(name, ENCODED).to_string()
}

/// `link`: the address of another program that shows a queue, with `{queue}` in the place of its name.
pub(super) fn router<S: Clone + Send + Sync + 'static>(
    watcher: Option<Watcher>,
    link: Option<String>,
) -> Router<S> {
    let show = async move |Path(name): Path<String>| {
        let known = watcher.map(|watcher| Known {
            status: watcher.status(),
            failures: watcher.failures(&name),
            is_redacted: watcher.redacts(),
        });
        match page(known.as_ref(), &name, link.as_deref()) {
            Ok(page) => json(StatusCode::OK, &page),
            Err((code, error)) => json(code, &serde_json::json!({"error": error})),
        }
    };
    Router::new().route("/queues/{name}", get(show))
}

/// The watcher's state.
struct Known {
    status: Status,
    /// `None` if no queue has the name.
    failures: Option<Vec<QueueFailures>>,
    is_redacted: bool,
}

#[derive(Debug, Serialize)]
struct Page<'a> {
    queue: &'a str,
    #[serde(flatten)]
    named: Named<'a>,
    /// Why the queue cannot be read now.
    error: Option<&'a str>,
    link: Option<String>,
    redacted: bool,
    /// The latest first.
    failures: Option<Vec<Failure<'a>>>,
    /// Failures for reasons that are not kept any more.
    forgotten: u64,
}

#[derive(Debug, Serialize)]
struct Failure<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<u16>,
    prefix: &'a str,
    name: &'a str,
    reason: &'a str,
    stack: Option<&'a str>,
    count: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl<'a> Failure<'a> {
    fn of(queue: &'a QueueFailures, reason: &'a FailureReason) -> Self {
        let time = |time| Timestamp::try_from(time).ok();
        Self {
            database: queue.database,
            prefix: &queue.prefix,
            name: &reason.name,
            reason: &reason.reason,
            stack: reason.frame.as_deref(),
            count: reason.count,
            first: time(reason.first),
            last: time(reason.last),
        }
    }
}

/// The queues of a name; otherwise the status code and the reason.
fn page<'a>(
    known: Option<&'a Known>,
    name: &'a str,
    link: Option<&str>,
) -> Result<Page<'a>, (StatusCode, String)> {
    let unknown = |error: &str| Err((StatusCode::SERVICE_UNAVAILABLE, error.to_owned()));
    let Some(known) = known else {
        return unknown("no queue is watched: [redis] is not configured");
    };
    let status = &known.status;
    let queues = || status.queues.iter().filter(|queue| queue.name == name);
    let Some(named) = Named::of(queues()) else {
        return match (&status.error, status.last_levels) {
            (Some(error), _) => unknown(&format!("Redis cannot be read: {error}")),
            (None, None) => unknown("no queue has been counted yet"),
            _ => Err((StatusCode::NOT_FOUND, "no queue has this name".into())),
        };
    };
    let all = || known.failures.iter().flatten();
    let lists = all().filter_map(|queue| Some((queue, queue.failures.as_ref()?)));
    let lists: Vec<_> = lists.collect();
    let failures = lists.iter().flat_map(|(queue, failures)| {
        let reasons = failures.reasons.iter();
        reasons.map(|reason| Failure::of(queue, reason))
    });
    let mut failures: Vec<_> = failures.collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.last));
    Ok(Page {
        queue: name,
        named,
        error: queues().find_map(|queue| queue.error.as_deref()),
        link: link.map(|link| link.replace("{queue}", &encoded(name))),
        redacted: known.is_redacted,
        failures: (!lists.is_empty()).then_some(failures),
        forgotten: lists.iter().map(|(_, failures)| failures.forgotten).sum(),
    })
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
