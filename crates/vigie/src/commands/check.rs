//! `vigie check`: connects to everything once and says what works.

mod history;
mod lease;

use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{Instant, timeout};
use vigie_bullmq::{Error, QueueLevels, State};
use vigie_probes::{Check, FailureKind, run_once};

use crate::app;
use crate::config::{self, Exporter, LeaseIn, Settings};

/// Walking all keys of a large Redis takes a while; a check may take longer than a probe.
const SWEEP: Duration = Duration::from_secs(60);

/// One line of the table.
struct Row {
    what: &'static str,
    place: String,
    /// What was found, or why nothing was, and what to do about it.
    verdict: Result<String, (String, String)>,
    took: Duration,
}

/// Checks everything and prints a table. Exit code 0 when all of it works, 1 otherwise.
///
/// # Errors
/// When the table cannot be printed.
pub fn run(settings: Settings) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let rows = runtime.block_on(check(&settings))?;
    let all_well = rows.iter().all(|row| row.verdict.is_ok());
    let mut shown = table(&rows, &settings.unwatched());
    for exposed in &settings.exposed {
        shown += &format!("warning: {exposed}\n");
    }
    io::stdout().write_all(shown.as_bytes())?;
    Ok(if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn check(settings: &Settings) -> Result<Vec<Row>> {
    let limit = settings.checks.timeout;
    let mut rows = vec![can_listen("admin", settings.admin.listen)];
    if let Some(gateway) = &settings.gateway {
        rows.push(can_listen("gateway", gateway.listen));
        let mut check = app::app_check(gateway, &settings.checks)?;
        let well = match settings.checks.app_request {
            Some(_) => "answers as expected",
            None => "accepts connections",
        };
        rows.push(once("app", &mut check, limit, well).await);
    }
    if let Some(redis) = &settings.redis {
        let mut check = app::redis_check(redis)?;
        let place = check.target();
        let well = match app::is_cluster(redis)? {
            true => "every master answers PING, every slot is held",
            false => "answers PING",
        };
        let row = once("redis", &mut check, limit, well).await;
        let reached = row.verdict.is_ok();
        rows.push(row);
        if reached {
            rows.extend(queues(redis, settings.tick.as_ref(), place).await?);
        }
        let elected = settings.queues.exporter == Exporter::Elected;
        if elected && (reached || settings.queues.lease_in == LeaseIn::Kubernetes) {
            rows.push(lease::lease(settings, redis).await?);
        }
    }
    if let Some(database) = &settings.database {
        let mut check = app::database_check(database)?;
        rows.push(once("database", &mut check, limit, "login and SELECT 1").await);
    }
    rows.extend(history::history(&settings.history, limit).await);
    Ok(rows)
}

fn can_listen(what: &'static str, address: SocketAddr) -> Row {
    let start = Instant::now();
    let verdict = match TcpListener::bind(address) {
        Ok(_) => Ok("can listen".to_owned()),
        Err(error) => {
            let advice = match error.kind() {
                io::ErrorKind::AddrInUse => {
                    "is vigie running there already? else take another port"
                }
                io::ErrorKind::AddrNotAvailable => "take an address of this machine, or 0.0.0.0",
                io::ErrorKind::PermissionDenied => "take a port above 1023",
                _ => "take another address",
            };
            Err((error.to_string(), advice.to_owned()))
        }
    };
    Row {
        what,
        place: format!("listen {address}"),
        verdict,
        took: start.elapsed(),
    }
}

async fn once(
    what: &'static str,
    check: &mut dyn Check,
    limit: Duration,
    well: &'static str,
) -> Row {
    let place = check.target();
    let (outcome, took) = run_once(check, limit).await;
    let verdict = match outcome {
        Ok(()) => Ok(well.to_owned()),
        Err(failure) => Err((failure.text().to_owned(), failure.advice().to_owned())),
    };
    Row {
        what,
        place,
        verdict,
        took,
    }
}

async fn queues(
    redis: &config::Redis,
    tick: Option<&config::Tick>,
    place: String,
) -> Result<Vec<Row>> {
    let settings = app::watcher_settings(redis, tick)?;
    let start = Instant::now();
    let found = timeout(SWEEP, vigie_bullmq::probe(&settings)).await;
    let took = start.elapsed();
    let found = match found {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            let advice = match error.bare() {
                Error::Redis { .. } => "the permissions that Vigie needs are in docs/redis.md",
                Error::Connect(error) => match error.tls() {
                    Some(problem) => problem.advice(),
                    None => FailureKind::Unreachable.advice(),
                },
                _ => FailureKind::TimedOut.advice(),
            };
            let verdict = Err((error.to_string(), advice.to_owned()));
            return Ok(vec![Row {
                what: "queues",
                place,
                verdict,
                took,
            }]);
        }
        Err(_) => {
            let text = format!("the keys were not walked within {SWEEP:?}");
            let verdict = Err((text, FailureKind::TimedOut.advice().to_owned()));
            return Ok(vec![Row {
                what: "queues",
                place,
                verdict,
                took,
            }]);
        }
    };
    let verdict = Ok(summary(&found, &redis.databases));
    let mut rows = vec![Row {
        what: "queues",
        place,
        verdict,
        took,
    }];
    if let Some(tick) = tick {
        rows.push(tick_row(tick, &found));
    }
    Ok(rows)
}

fn tick_row(tick: &config::Tick, found: &[QueueLevels]) -> Row {
    let job = tick.job.as_deref().unwrap_or("every job");
    let verdict = if found.iter().any(|queue| queue.name == tick.queue) {
        Ok("the queue is there".to_owned())
    } else {
        let mut names: Vec<_> = found.iter().map(|queue| queue.name.as_str()).collect();
        names.truncate(10);
        let advice = match names.is_empty() {
            true => {
                "start the backend first: BullMQ makes a queue's keys when it is first used".into()
            }
            false => format!("tick.queue is one of: {}", names.join(", ")),
        };
        Err((format!("no queue {:?}", tick.queue), advice))
    };
    Row {
        what: "tick",
        place: format!("{}/{job}", tick.queue),
        verdict,
        took: Duration::ZERO,
    }
}

fn summary(found: &[QueueLevels], databases: &[u16]) -> String {
    let databases: Vec<_> = databases.iter().map(u16::to_string).collect();
    let place = match databases.len() {
        0 => String::new(),
        1 => format!(" in database {}", databases[0]),
        _ => format!(" in databases {}", databases.join(", ")),
    };
    if found.is_empty() {
        return format!("no queue yet{place}");
    }
    let jobs = |state| -> u64 {
        found
            .iter()
            .filter_map(|queue| queue.levels.get(state))
            .sum()
    };
    let (waiting, active) = (jobs(State::Waiting), jobs(State::Active));
    let queues = if found.len() == 1 { "queue" } else { "queues" };
    format!(
        "{} {queues}{place}, {waiting} waiting, {active} active",
        found.len()
    )
}

fn table(rows: &[Row], unwatched: &[&str]) -> String {
    let mut cells: Vec<[String; 4]> = rows
        .iter()
        .map(|row| {
            let verdict = match &row.verdict {
                Ok(text) => format!("ok      {text}"),
                Err((text, _)) => format!("FAILED  {text}"),
            };
            let took = format!("{:.1} ms", row.took.as_secs_f64() * 1e3);
            [row.what.to_owned(), row.place.clone(), took, verdict]
        })
        .collect();
    for section in unwatched {
        let verdict = format!("–       not configured, so not watched ([{section}])");
        cells.push([(*section).to_owned(), String::new(), String::new(), verdict]);
    }
    let width = |column: usize| {
        let lengths = cells.iter().map(|row| row[column].chars().count());
        lengths.max().unwrap_or_default()
    };
    let widths = [width(0), width(1), width(2)];
    let mut table = String::new();
    for (n, [what, place, took, verdict]) in cells.iter().enumerate() {
        let [a, b, c] = widths;
        table += &format!("{what:<a$}  {place:<b$}  {took:>c$}  {verdict}\n");
        if let Some(Err((_, advice))) = rows.get(n).map(|row| &row.verdict) {
            let indent = a + b + c + 14;
            table += &format!("{:indent$}{advice}\n", "");
        }
    }
    table
}
