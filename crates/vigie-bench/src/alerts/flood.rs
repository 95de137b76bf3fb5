//! Ten thousand alerts that fire at once.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::ensure;
use tokio::time::sleep;

use super::data::{EVERY, PER_FILE};
use super::program::Program;
use super::receiver::Receiver;
use crate::Options;
use crate::http::{Backend, Load, Wrk};
use crate::pinned;
use crate::report::{KIB, Table, Targets, figure, heading, note};
use crate::rounds::{median, spread};

/// The most that the default of `alerts.max_alerts` allows.
const ALERTS: usize = 10_000;
/// The rounds, each with a new process.
const ROUNDS: u32 = 3;
/// The time from the start until the alerts fire: a start, and a load.
const BEFORE: u64 = 60;
/// A load is longer than an interval, so it includes an evaluation.
const LOAD: Duration = Duration::from_secs(17);
/// How long the messages may take after the load.
const DELIVERED: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Measured {
    /// Bytes for an alert.
    bytes: Vec<f64>,
    messages: Vec<f64>,
    /// Microseconds.
    without: Vec<f64>,
    with: Vec<f64>,
}

pub(super) async fn run(options: &Options, program: &Path) -> anyhow::Result<()> {
    pinned::prepare()?;
    let rounds = options.rounds.min(ROUNDS);
    let mut measured = Measured::default();
    for _ in 0..rounds {
        round(program, &mut measured).await?;
    }
    heading("Ten thousand alerts at once");
    note(&format!(
        "{} rules fire at the same evaluation, and all their alerts go to one webhook, while the gateway has a load of \
         64 connections on the same core. \"Without\" is the interval before, with an evaluation that finds nothing. Memory is what the process has more \
         than before: the state of rules and notifications, the series of the alerts in the history, and what the API shows. {rounds} processes: \
         median (least–greatest).",
        figure(ALERTS as f64),
    ));
    let mut table = Table::new(["what", "measured"]);
    let rows: [(&str, &[f64]); 4] = [
        ("resident for each alert, B", &measured.bytes),
        ("messages", &measured.messages),
        ("p99 of the gateway without, µs", &measured.without),
        ("p99 of the gateway with, µs", &measured.with),
    ];
    for (what, values) in rows {
        table.row([what.into(), spread(values, figure)]);
    }
    table.print();
    let mut targets = Targets::new();
    targets.at_most(
        "memory of an alert",
        2.0,
        median(&measured.bytes) / KIB,
        " KiB",
    );
    targets.print();
    Ok(())
}

async fn round(program: &Path, measured: &mut Measured) -> anyhow::Result<()> {
    let (backend, receiver, wrk) = (
        Backend::start().await?,
        Receiver::start().await?,
        Wrk::new()?,
    );
    let every = EVERY.unsigned_abs();
    let fires = (now()?.as_secs() + BEFORE).next_multiple_of(every);
    let rules = rules(fires);
    let program = Program::start(program, backend.port, "", Some((&rules, &receiver))).await?;
    let without = wrk.run(program.port, Load::BUSY, LOAD).await?;
    let before = program.resident()?;
    let left = Duration::from_secs(fires).saturating_sub(now()?);
    ensure!(
        !left.is_zero(),
        "the machine is too slow: the alerts fire during the first load"
    );
    sleep(left.saturating_sub(Duration::from_secs(1))).await;
    let with = wrk.run(program.port, Load::BUSY, LOAD).await?;
    receiver.until_one(ALERTS, DELIVERED).await?;
    let messages = receiver.messages();
    measured
        .bytes
        .push((program.resident()? - before) / ALERTS as f64);
    measured.messages.push(messages.len() as f64);
    measured.without.push(without.p99);
    measured.with.push(with.p99);
    Ok(())
}

/// The time since the Unix epoch.
fn now() -> anyhow::Result<Duration> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?)
}

/// Files of rules whose alerts fire from this time on, in Unix seconds.
fn rules(fires: u64) -> Vec<String> {
    let firsts = (0..ALERTS).step_by(PER_FILE);
    firsts
        .map(|first| file(fires, first..first + PER_FILE))
        .collect()
}

fn file(fires: u64, numbers: Range<usize>) -> String {
    let mut text = "groups:\n- name: flood\n  rules:\n".to_owned();
    for number in numbers {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "  - alert: Flood\n    expr: vector(time()) >= {fires}\n    labels: {{severity: warning, queue: queue-{number}}}\n    \
             annotations: {{summary: 'Jobs wait in the queue {{{{ $labels.queue }}}} for too long'}}\n",
        );
    }
    text
}
