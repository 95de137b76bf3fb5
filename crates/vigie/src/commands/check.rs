//! `vigie check`: connects to everything once and reports what works.

mod capture;
mod dashboards;
mod directory;
mod history;
mod lease;
mod listeners;
mod queues;
mod receivers;
mod routes;
mod rules;
mod state;
mod table;

use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use vigie_probes::{Check, run_once};

use crate::checks;
use vigie_config::{Exporter, LeaseIn, Settings};

/// A result, or a problem and its remedy.
type Checked<T> = Result<T, (String, String)>;
/// A result that works, in words.
type Verdict = Checked<String>;

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
async fn on_a_thread<T: Send + 'static>(
    within: Duration,
    advice: &str,
    look: impl FnOnce() -> Checked<T> + Send + 'static,
) -> Checked<T> {
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
        Ok(Ok(checked)) => checked,
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
    let mut shown = table::table(&rows, &settings.unwatched());
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
    let history = settings.history.path.as_deref();
    let mut rows = vec![can_listen("admin", settings.admin.listen)];
    if let Some(gateway) = &settings.gateway {
        rows.push(can_listen("gateway", gateway.listen));
        let mut check = checks::app_check(gateway, &settings.checks)?;
        let well = match settings.checks.app_request {
            Some(_) => "answers as expected",
            None => "accepts connections",
        };
        rows.push(once("app", &mut check, limit, well).await);
        let (file, routes) = (&gateway.routes_file, &gateway.proxy.traffic.routes);
        let learned = routes::routes("gateway", file.clone(), routes.clone(), history, limit);
        rows.extend(learned.await);
    }
    if let Some(capture) = &settings.capture {
        rows.push(capture::capture(&capture.source, limit).await);
        let (file, routes) = (&capture.routes_file, &capture.traffic.routes);
        let learned = routes::routes("capture", file.clone(), routes.clone(), history, limit);
        rows.extend(learned.await);
    }
    if let Some(redis) = &settings.redis {
        let mut check = checks::redis_check(redis);
        let place = check.target();
        let well = match redis.redis.is_cluster() {
            true => "every master answers PING, every slot is held",
            false => "answers PING",
        };
        let row = once("redis", &mut check, limit, well).await;
        let reached = row.verdict.is_ok();
        rows.push(row);
        if reached {
            rows.extend(queues::queues(redis, place).await);
        }
        let elected = settings.queues.exporter == Exporter::Elected;
        if elected && (reached || settings.queues.lease_in == LeaseIn::Kubernetes) {
            rows.push(lease::lease(settings, redis).await);
        }
    }
    if let Some(database) = &settings.database {
        let mut check = checks::database_check(database)?;
        rows.push(once("database", &mut check, limit, "login and SELECT 1").await);
    }
    rows.extend(history::history(&settings.history, limit).await);
    rows.extend(state::state(settings, limit).await);
    rows.extend(receivers::receivers(&settings.notify, limit).await);
    if let Some(heartbeat) = &settings.heartbeat {
        rows.push(receivers::heartbeat(heartbeat, limit).await);
    }
    if let Some(directory) = &settings.page.dashboards {
        rows.push(dashboards::dashboards(directory, limit).await);
    }
    rows.push(rules::rules(&settings.alerts, settings.query.features, limit).await);
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
