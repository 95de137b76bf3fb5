//! HTTP through Vigie's gateway and beside its capture, against nginx, HAProxy and a direct connection: the same app behind
//! all, the parties on one core, in turn.

mod haproxy;
mod load;
mod nginx;
mod party;
mod tables;
mod vigie;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};

use self::load::Connections;
pub(crate) use self::load::{Load, Wrk};
pub(crate) use self::nginx::Backend;
use self::party::{Party, Running};
use crate::{Options, pinned};

/// The length of the app's small response.
const BODY_BYTES: usize = 111;
/// The length of its large response.
const LARGE_BYTES: usize = 1 << 20;
/// The length of the response for clients that do not read it: more than all sockets hold.
const SLOW_BYTES: usize = 32 << 20;
/// Connections that only stay open.
const IDLE: usize = 2_000;
/// About the default of `gateway.max_connections`.
const MANY_IDLE: usize = 9_800;
const SLOW_READERS: usize = 200;
/// How often memory is measured, each time of a fresh process.
const FRESH: usize = 3;

/// One run; times in microseconds.
struct Run {
    /// Requests a second.
    rate: f64,
    p50: f64,
    p99: f64,
    /// Processor time of the party for a request.
    cpu: f64,
    /// Processor time of the app for a request.
    app_cpu: f64,
    /// Resident bytes of the party at the end.
    resident: f64,
    /// The share of the requests that Vigie has not counted.
    missed: Option<f64>,
}

/// Bytes, one value for each fresh process.
#[derive(Default)]
struct Memory {
    idle: Vec<f64>,
    many_idle: Vec<f64>,
    slow: Vec<f64>,
}

/// The runs of a party under a load.
struct Series {
    party: Party,
    load: Load,
    runs: Vec<Run>,
}

/// The measurements of all parties.
struct Measured {
    series: Vec<Series>,
    memory: Vec<(Party, Memory)>,
}

impl Measured {
    /// A figure of the runs of a party under a load, one for each round.
    fn of(&self, party: Party, load: Load, figure: impl Fn(&Run) -> f64) -> Vec<f64> {
        let mut series = self.series.iter();
        let found = series.find(|series| series.party == party && series.load == load);
        found.map_or_else(Vec::new, |series| series.runs.iter().map(figure).collect())
    }

    fn memory(&self, party: Party, values: impl Fn(&Memory) -> &[f64]) -> &[f64] {
        let found = self.memory.iter().find(|(of, _)| *of == party);
        found.map_or(&[], |(_, memory)| values(memory))
    }
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let files = pinned::prepare()?;
    ensure!(
        files >= pinned::MANY_FILES,
        "{} open files are needed, and {files} are allowed",
        pinned::MANY_FILES
    );
    let vigie = options.vigie.as_deref();
    let vigie =
        vigie.context("--vigie is needed: the program whose gateway and capture are measured")?;
    let wrk = Wrk::new()?;
    let app = Backend::start().await?;
    let pairs = Load::ALL.into_iter().flat_map(|load| {
        let parties = Party::ALL.into_iter();
        parties.map(move |party| (party, load))
    });
    let mut series: Vec<Series> = pairs
        .map(|(party, load)| Series {
            party,
            load,
            runs: Vec::new(),
        })
        .collect();
    let mut proxies = Vec::new();
    for party in Party::PROXIES {
        proxies.push((party, party.start(vigie, &app).await?));
    }
    for round in 0..=options.rounds {
        for series in &mut series {
            let (party, load) = (series.party, series.load);
            let run = match proxies.iter().find(|(proxy, _)| *proxy == party) {
                Some((_, running)) => measure(running, load, &wrk, &app, options.seconds).await,
                // A capture that waits would cost the others.
                None => {
                    let running = party.start(vigie, &app).await?;
                    measure(&running, load, &wrk, &app, options.seconds).await
                }
            };
            // The first round warms up.
            if round > 0 {
                let run = run.with_context(|| format!("{party:?}, {load:?}"))?;
                series.runs.push(run);
            }
        }
    }
    drop(proxies);
    let mut memory = Vec::new();
    for party in Party::PROXIES {
        memory.push((party, Memory::default()));
    }
    for _ in 0..FRESH {
        for (party, memory) in &mut memory {
            measure_memory(*party, memory, vigie, &wrk, &app).await?;
        }
    }
    tables::print(&Measured { series, memory });
    Ok(())
}

async fn measure(
    running: &Running,
    load: Load,
    wrk: &Wrk,
    app: &Backend,
    length: Duration,
) -> anyhow::Result<Run> {
    let worker = app.worker()?;
    let counted = running.counted().await?;
    let (before, app_before) = (running.cpu()?, crate::usage::cpu(worker)?);
    let loaded = wrk.run(running.port, load, length).await?;
    let (after, app_after) = (running.cpu()?, crate::usage::cpu(worker)?);
    let resident = running.resident()?;
    let missed = match (counted, running.counted().await?) {
        // Only Vigie counts requests that were open at the end.
        (Some(before), Some(after)) => Some(1.0 - (after - before) / loaded.requests),
        _ => None,
    };
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / loaded.requests;
    Ok(Run {
        rate: loaded.rate(),
        p50: loaded.p50,
        p99: loaded.p99,
        cpu: micros(after.saturating_sub(before)),
        app_cpu: micros(app_after.saturating_sub(app_before)),
        resident,
        missed: missed.map(|missed| missed.max(0.0)),
    })
}

/// Measures how much a fresh process grows by connections, after a load.
async fn measure_memory(
    party: Party,
    memory: &mut Memory,
    vigie: &Path,
    wrk: &Wrk,
    app: &Backend,
) -> anyhow::Result<()> {
    let growth = async |count: usize, is_slow: bool| -> anyhow::Result<f64> {
        let running = party.start(vigie, app).await?;
        let load = if is_slow { Load::LARGE } else { Load::BUSY };
        wrk.run(running.port, load, Duration::from_secs(1)).await?;
        let before = running.resident()?;
        let connections = match is_slow {
            true => Connections::slow(running.port, count).await?,
            false => Connections::idle(running.port, count).await?,
        };
        let grown = running.resident()? - before;
        drop(connections);
        Ok(grown / count as f64)
    };
    memory.idle.push(growth(IDLE, false).await?);
    memory.many_idle.push(growth(MANY_IDLE, false).await?);
    memory.slow.push(growth(SLOW_READERS, true).await?);
    Ok(())
}
