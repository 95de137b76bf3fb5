//! `vigie check`: connects to everything once and reports what works.

mod history;
mod lease;
mod routes;

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use vigie_bullmq::{Error, QueueLevels, State};
use vigie_probes::{Check, FailureKind, run_once};

use crate::app;
use vigie_config::{Exporter, LeaseIn, Settings};

/// Scanning all keys of a large Redis takes longer than a probe may take.
const SWEEP: Duration = Duration::from_secs(60);

/// The result, or a problem and its remedy.
type Verdict = Result<String, (String, String)>;

/// One line of the table.
struct Row {
    what: &'static str,
    place: String,
    /// The result; or the problem and the advice.
    verdict: Verdict,
    /// Whether a problem is only probable, so that the check does not fail.
    warns: bool,
    took: Duration,
}

/// Reads files on a separate thread that is not joined at exit: a disk may hang. `advice` is shown in that case.
async fn on_a_thread(
    within: Duration,
    advice: &str,
    look: impl FnOnce() -> Verdict + Send + 'static,
) -> Verdict {
    let (sender, receiver) = oneshot::channel();
    let looking = thread::Builder::new()
        .name("check".to_owned())
        .spawn(move || {
            let _ = sender.send(look());
        });
    if let Err(error) = looking {
        let advice = "is the machine out of threads?";
        return Err((error.to_string(), advice.to_owned()));
    }
    match timeout(within, receiver).await {
        Ok(Ok(verdict)) => verdict,
        _ => Err((format!("no answer within {within:?}"), advice.to_owned())),
    }
}

/// Checks everything and prints a table. The exit code is 0 if all of it works, 1 otherwise.
///
/// # Errors
/// If the table cannot be printed.
pub fn run(settings: Settings) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let rows = runtime.block_on(check(&settings))?;
    let all_well = rows.iter().all(|row| row.verdict.is_ok() || row.warns);
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
        let history = settings.history.path.as_deref();
        rows.extend(routes::routes(gateway, history, limit).await);
    }
    if let Some(redis) = &settings.redis {
        let mut check = app::redis_check(redis);
        let place = check.target();
        let well = match redis.redis.is_cluster() {
            true => "every master answers PING, every slot is held",
            false => "answers PING",
        };
        let row = once("redis", &mut check, limit, well).await;
        let reached = row.verdict.is_ok();
        rows.push(row);
        if reached {
            rows.extend(queues(redis, place).await);
        }
        let elected = settings.queues.exporter == Exporter::Elected;
        if elected && (reached || settings.queues.lease_in == LeaseIn::Kubernetes) {
            rows.push(lease::lease(settings, redis).await);
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
        warns: false,
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
        warns: false,
        took,
    }
}

async fn queues(redis: &vigie_bullmq::Settings, place: String) -> Vec<Row> {
    let start = Instant::now();
    let found = timeout(SWEEP, vigie_bullmq::probe(redis)).await;
    let took = start.elapsed();
    let found = match found {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            let advice = match error.bare() {
                Error::Redis { .. } | Error::Refused(_) => {
                    "the permissions that Vigie needs are in docs/redis.md"
                }
                Error::Connect(error) => {
                    error.advice().unwrap_or(FailureKind::Unreachable.advice())
                }
                _ => FailureKind::TimedOut.advice(),
            };
            let verdict = Err((error.to_string(), advice.to_owned()));
            return vec![Row {
                what: "queues",
                place,
                verdict,
                warns: false,
                took,
            }];
        }
        Err(_) => {
            let text = format!("the keys were not scanned within {SWEEP:?}");
            let verdict = Err((text, FailureKind::TimedOut.advice().to_owned()));
            return vec![Row {
                what: "queues",
                place,
                verdict,
                warns: false,
                took,
            }];
        }
    };
    let verdict = Ok(summary(&found, &redis.databases));
    let mut rows = vec![Row {
        what: "queues",
        place,
        verdict,
        warns: false,
        took,
    }];
    if let Some(tick) = &redis.tick {
        rows.push(tick_row(tick, &found));
    }
    rows
}

fn tick_row(tick: &vigie_bullmq::Tick, found: &[QueueLevels]) -> Row {
    let listed = |names: BTreeSet<&str>| {
        let names: Vec<_> = names.into_iter().take(10).collect();
        names.join(", ")
    };
    let queues = found.iter().filter(|queue| queue.name == tick.queue);
    let names = queues.clone().flat_map(|queue| &queue.names);
    let names: BTreeSet<_> = names.map(String::as_str).collect();
    let mut warns = false;
    let verdict = match &tick.job {
        _ if queues.count() == 0 => {
            let names: BTreeSet<_> = found.iter().map(|queue| queue.name.as_str()).collect();
            let advice = match names.is_empty() {
                true => {
                    "start the backend first: BullMQ makes a queue's keys when it is first used"
                        .into()
                }
                false => format!("tick.queue is one of: {}", listed(names)),
            };
            Err((format!("no queue {:?}", tick.queue), advice))
        }
        None => Ok("the queue is there".to_owned()),
        Some(job) if names.contains(job.as_str()) => Ok("the queue is there, and its job".into()),
        Some(_) if names.is_empty() => {
            Ok("the queue is there; Redis has no job of it at present".into())
        }
        Some(job) => {
            warns = true;
            let text = format!("no job {job:?} among those that Redis still has of the queue");
            let advice = format!(
                "it has not run lately, or tick.job is one of: {}",
                listed(names)
            );
            Err((text, advice))
        }
    };
    Row {
        what: "tick",
        place: format!(
            "{}/{}",
            tick.queue,
            tick.job.as_deref().unwrap_or("every job")
        ),
        verdict,
        warns,
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
                Err((text, _)) if row.warns => format!("WARNING {text}"),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(queue: &str, job: Option<&str>, names: &[&str]) -> Row {
        let tick = vigie_bullmq::Tick {
            queue: queue.into(),
            job: job.map(Into::into),
        };
        let found = QueueLevels {
            database: None,
            prefix: "bull".into(),
            name: "production".into(),
            levels: vigie_bullmq::Levels::default(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        tick_row(&tick, &[found])
    }

    #[test]
    fn an_impossible_tick_is_reported() {
        let names = ["production-tick", "cleanup"];
        let verdict = |queue, job, names| row(queue, job, names).verdict;
        assert!(verdict("production", Some("cleanup"), &names).is_ok());
        assert!(verdict("production", None, &names).is_ok());
        assert!(verdict("production", Some("tick"), &[]).is_ok());
        let warning = row("production", Some("tick"), &names);
        assert!(warning.warns && warning.verdict.is_err());
        let page = table(&[warning], &[]);
        assert!(page.contains("WARNING no job \"tick\""), "{page}");
        assert!(
            page.contains("tick.job is one of: cleanup, production-tick"),
            "{page}"
        );
        let failure = row("produktion", Some("tick"), &names);
        assert!(!failure.warns && failure.verdict.is_err());
    }
}
