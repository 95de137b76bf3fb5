//! `vigie queue`: a queue of a running Vigie, and why its jobs failed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;
use vigie_query::{Target, printable};

use super::alerts::printed;
use super::remote::{Remote, Screen, columns, finish, lasting};
use crate::admin;

const EXAMPLES: &str = "\
Examples:
  vigie queue mail
  vigie queue mail --json

The reasons are those of jobs that failed permanently since Vigie started. Without
--url, the admin port in the configuration is asked, with its token or password.

Exit codes: 0 an answer, 1 no answer or no such queue, 2 wrong usage.";

/// The state of a queue, and why its jobs failed.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Queue {
    /// The name of the queue
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The server.
    #[command(flatten)]
    target: Target,
}

/// Runs the command and prints its result. Errors are printed to the standard error, in colour if `coloured`.
///
/// # Errors
/// If the server cannot be reached or has no such queue, or the result cannot be printed.
pub fn run(config: Option<PathBuf>, queue: &Queue, coloured: bool) -> Result<ExitCode> {
    let shown = Remote::of(config, &queue.target).and_then(|remote| Ok(show(&remote, queue)?));
    finish("vigie queue", printed(shown), coloured)
}

fn show(remote: &Remote, queue: &Queue) -> Result<String> {
    let path = format!("/queues/{}", admin::encoded(&queue.name));
    let missing = || anyhow!("{} has no queue {}", remote.place(), printable(&queue.name));
    if queue.json {
        let answer: Option<serde_json::Value> = remote.get(&path)?;
        return Ok(format!("{:#}\n", answer.ok_or_else(missing)?));
    }
    let answer: Option<Answer> = remote.get(&path)?;
    Ok(text(&answer.ok_or_else(missing)?, &Screen::of_stdout()))
}

/// The answer of `/queues/NAME`; `None` means unknown.
#[derive(Deserialize)]
struct Answer {
    queue: String,
    waiting: Option<u64>,
    active: Option<u64>,
    delayed: Option<u64>,
    prioritized: Option<u64>,
    waiting_children: Option<u64>,
    paused_jobs: Option<u64>,
    paused: Option<bool>,
    oldest_waiting_seconds: Option<f64>,
    workers: Option<u64>,
    error: Option<String>,
    link: Option<String>,
    failures: Option<Vec<Reason>>,
    forgotten: u64,
}

#[derive(Deserialize)]
struct Reason {
    database: Option<u16>,
    prefix: String,
    name: String,
    reason: String,
    stack: Option<String>,
    count: u64,
    last: Option<Timestamp>,
}

fn text(answer: &Answer, screen: &Screen) -> String {
    let mut lines = vec![printable(&answer.queue)];
    if answer.paused == Some(true) {
        lines[0] += " (paused)";
    }
    lines.extend(
        answer
            .error
            .iter()
            .map(|error| format!("cannot be read: {}", printable(error))),
    );
    let figures = [
        ("waiting", answer.waiting),
        ("active", answer.active),
        ("delayed", answer.delayed),
        ("prioritized", answer.prioritized),
        ("waiting for children", answer.waiting_children),
        ("held by a pause", answer.paused_jobs),
        ("workers", answer.workers),
    ];
    let figures = figures.map(|(name, value)| format!("{} {name}", known(value)));
    let age = answer.oldest_waiting_seconds.map(|age| lasting(age as i64));
    lines.push(figures.join(", "));
    lines.push(format!("oldest waiting job: {}", known(age)));
    lines.extend(answer.link.as_deref().map(printable));
    lines.push(String::new());
    lines.join("\n") + "\n" + &failures(answer, screen)
}

fn failures(answer: &Answer, screen: &Screen) -> String {
    let Some(reasons) = &answer.failures else {
        return "the reasons of failures are unknown: the events of the queue are not read\n"
            .into();
    };
    if reasons.is_empty() {
        return "no job failed since Vigie started\n".into();
    }
    let place = |reason: &Reason| (reason.database, reason.prefix.clone());
    let has_places = reasons.iter().map(place).collect::<BTreeSet<_>>().len() > 1;
    let head = ["job", "failures", "last", "reason"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for reason in reasons {
        let name = printable(&reason.name);
        let name = match (has_places, reason.database) {
            (false, _) => name,
            (true, None) => format!("{}:{name}", printable(&reason.prefix)),
            (true, Some(database)) => format!("{database}/{}:{name}", printable(&reason.prefix)),
        };
        let last = reason.last.map(|last| screen.since(last));
        rows.push(vec![
            name,
            reason.count.to_string(),
            known(last),
            printable(&reason.reason),
        ]);
        let stack = reason.stack.as_deref().map(printable);
        rows.extend(stack.map(|stack| vec![String::new(), String::new(), String::new(), stack]));
    }
    let forgotten = match answer.forgotten {
        0 => String::new(),
        more => format!("and {more} failures for reasons that are not kept any more\n"),
    };
    columns(&rows) + &forgotten
}

fn known(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::tz::TimeZone;
    use serde_json::{Value, json};

    use super::*;

    fn shown(failures: Value) -> String {
        let answer = json!({
            "queue": "mail", "waiting": 12, "active": 3, "delayed": 0, "prioritized": 0, "waiting_children": 0,
            "paused_jobs": null, "paused": true, "oldest_waiting_seconds": 3.2, "workers": 2, "error": null,
            "link": "https://bull.example.org/queue/mail", "redacted": true, "failures": failures, "forgotten": 4,
        });
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        let screen = Screen {
            now: now.to_zoned(TimeZone::UTC),
            coloured: false,
        };
        text(&serde_json::from_value(answer).unwrap(), &screen)
    }

    const HEAD: &str = "mail (paused)\n\
        12 waiting, 3 active, 0 delayed, 0 prioritized, 0 waiting for children, unknown held by a pause, 2 workers\n\
        oldest waiting job: 3s\n\
        https://bull.example.org/queue/mail\n\n";

    #[test]
    fn reasons_are_a_table() {
        let failures = json!([
            {"prefix": "bull", "name": "welcome", "reason": "no mailbox <email>", "stack": "at f (/app/a.js:1:2)",
             "count": 3, "first": "2026-01-31T11:00:00Z", "last": "2026-01-31T11:58:00Z"},
            {"prefix": "bull", "name": "\u{1b}[2J", "reason": "x\u{7}", "stack": null, "count": 12, "first": null, "last": null},
        ]);
        let expected = "job        failures  last           reason\n\
            welcome    3         11:58:00 (2m)  no mailbox <email>\n\
            \x20                                   at f (/app/a.js:1:2)\n\
            \\u{1b}[2J  12        unknown        x\\u{7}\n\
            and 4 failures for reasons that are not kept any more\n";
        assert_eq!(shown(failures), format!("{HEAD}{expected}"));
    }

    #[test]
    fn several_prefixes_are_named() {
        let one = |prefix: &str, database: Value| json!({"database": database, "prefix": prefix, "name": "a", "reason": "x", "stack": null, "count": 1, "first": null, "last": null});
        let text = shown(json!([one("bull", json!(null)), one("shop", json!(3))]));
        assert!(
            text.contains("\nbull:a ") && text.contains("\n3/shop:a "),
            "{text}"
        );
    }

    #[test]
    fn no_failures_and_unknown_ones_differ() {
        assert!(shown(json!([])).ends_with("no job failed since Vigie started\n"));
        assert!(shown(json!(null)).contains("are unknown"));
    }
}
