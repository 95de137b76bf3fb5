//! The answers of the health endpoints, as JSON and as text.

use std::fmt::Write;

use serde::{Serialize, Serializer};

use super::Detail;
use crate::clock::Moment;
use crate::report::{Entry, Report};
use crate::state::{Status, Verdict};

/// The maximum number of listed parts of a group.
const MAX_PARTS: usize = 100;

#[derive(Serialize)]
pub(super) struct LiveAnswer {
    pub(super) status: &'static str,
    pub(super) uptime: f64,
}

#[derive(Serialize)]
pub(super) struct NotFound {
    error: String,
    checks: Vec<String>,
}

impl NotFound {
    pub(super) fn new(report: &Report, name: &str) -> Self {
        let is_unwatched = report.unwatched.iter().any(|known| known == name);
        let reason = if is_unwatched {
            "is not configured"
        } else {
            "is not known"
        };
        Self {
            error: format!("the check {name:?} {reason}"),
            checks: report
                .entries
                .iter()
                .map(|entry| entry.name.clone())
                .collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct ReadyAnswer<'a> {
    status: &'static str,
    checks: InOrder<'a, CheckAnswer<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unwatched: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    excluded: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl<'a> ReadyAnswer<'a> {
    pub(super) fn new(report: &'a Report, unknown: &[&str], detail: Detail) -> Self {
        let named = |entry: &'a Entry| (entry.name.as_str(), CheckAnswer::new(entry, detail));
        Self {
            status: report.readiness().as_str(),
            checks: InOrder(report.entries.iter().map(named).collect()),
            unwatched: &report.unwatched,
            excluded: &report.excluded,
            warnings: warnings(unknown),
        }
    }
}

/// A check, or a part of a group.
#[derive(Serialize)]
pub(super) struct CheckAnswer<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "is_true")]
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_success: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    parts: Option<Parts<'a>>,
}

impl<'a> CheckAnswer<'a> {
    pub(super) fn new(entry: &'a Entry, detail: Detail) -> Self {
        Self {
            required: entry.required,
            parts: entry.parts.as_ref().map(|parts| Parts {
                count: parts.len(),
                troubled: InOrder(
                    entry
                        .troubled()
                        .take(MAX_PARTS)
                        .map(|(name, part)| (name.as_str(), Self::of(part, detail)))
                        .collect(),
                ),
                more: entry.troubled().count().saturating_sub(MAX_PARTS),
            }),
            ..Self::of(&entry.verdict, detail)
        }
    }

    fn of(verdict: &'a Verdict, detail: Detail) -> Self {
        let full = detail == Detail::Full;
        let failed = verdict.status == Status::Failed;
        Self {
            status: verdict.status.as_str(),
            required: true,
            since: full.then_some(Time(verdict.since)),
            duration_ms: verdict.duration.filter(|_| full).map(|duration| {
                // Microsecond precision.
                duration.as_micros() as f64 / 1_000.0
            }),
            last_success: verdict.last_success.filter(|_| full && failed).map(Time),
            error: verdict
                .failure
                .as_ref()
                .filter(|_| full)
                .map(|failure| failure.text()),
            parts: None,
        }
    }
}

#[derive(Serialize)]
struct Parts<'a> {
    count: usize,
    /// The parts that do not pass, and the number of further ones.
    #[serde(rename = "not_ok", skip_serializing_if = "InOrder::is_empty")]
    troubled: InOrder<'a, CheckAnswer<'a>>,
    #[serde(rename = "and_more", skip_serializing_if = "is_zero")]
    more: usize,
}

// Serde requires a reference.
fn is_true(value: &bool) -> bool {
    *value
}

fn is_zero(value: &usize) -> bool {
    *value == 0
}

/// A map that preserves the order of its keys.
struct InOrder<'a, T>(Vec<(&'a str, T)>);

impl<T> InOrder<'_, T> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Serialize> Serialize for InOrder<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

struct Time(Moment);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

fn warnings(unknown: &[&str]) -> Vec<String> {
    let warning = |name: &&str| {
        let name = Vec::from_iter(name.chars().take(100))
            .into_iter()
            .collect::<String>();
        format!("exclude: the check {name:?} is not known")
    };
    unknown.iter().map(warning).collect()
}

/// The lines for `?verbose`, in the format of Kubernetes' own servers.
pub(super) fn verbose(report: &Report, unknown: &[&str], detail: Detail) -> String {
    let mut page = String::new();
    for entry in &report.entries {
        line(
            &mut page,
            &entry.name,
            entry.required,
            &entry.verdict,
            detail,
        );
        for (part, verdict) in entry.troubled().take(MAX_PARTS) {
            line(
                &mut page,
                &format!("{}/{part}", entry.name),
                entry.required,
                verdict,
                detail,
            );
        }
        let more = entry.troubled().count().saturating_sub(MAX_PARTS);
        if more > 0 {
            put(
                &mut page,
                format_args!("... and {more} more of {}", entry.name),
            );
        }
    }
    for name in &report.excluded {
        put(&mut page, format_args!("[+]{} excluded", printable(name)));
    }
    for name in &report.unwatched {
        put(
            &mut page,
            format_args!("[ ]{} not configured", printable(name)),
        );
    }
    if report.draining {
        put(&mut page, format_args!("[-]shutdown failed: draining"));
    }
    for warning in warnings(unknown) {
        put(&mut page, format_args!("warn: {warning}"));
    }
    let readiness = report.readiness();
    let result = if readiness.is_ready() {
        "passed"
    } else {
        "failed"
    };
    put(
        &mut page,
        format_args!("readyz check {result} ({})", readiness.as_str()),
    );
    page
}

fn line(page: &mut String, name: &str, required: bool, verdict: &Verdict, detail: Detail) {
    let name = printable(name);
    let optional = if required { "" } else { " (not required)" };
    match verdict.status {
        Status::Ok => put(page, format_args!("[+]{name} ok")),
        Status::Pending => put(
            page,
            format_args!("[-]{name} pending: no result yet{optional}"),
        ),
        Status::Failed => {
            let reason = match (&verdict.failure, detail) {
                (Some(failure), Detail::Full) => format!("{failure} (since {})", verdict.since),
                _ => "reason withheld".into(),
            };
            put(page, format_args!("[-]{name} failed: {reason}{optional}"));
        }
    }
}

fn put(page: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(page, "{line}");
}

/// Names of queues are untrusted: a line break in a name must not forge a line.
fn printable(name: &str) -> String {
    name.chars()
        .map(|char| if char.is_control() { '\u{fffd}' } else { char })
        .collect()
}
