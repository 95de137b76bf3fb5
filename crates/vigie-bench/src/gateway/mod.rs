//! The gateway against nginx: the same backend behind both, both on the same core, in turn.

mod load;
mod servers;

use std::time::Duration;

use anyhow::Context;

use self::load::IdleConnections;
pub(crate) use self::load::Wrk;
pub(crate) use self::servers::Backend;
use self::servers::Proxy;
use crate::report::{MIB, Table, Targets, figure, heading, note};
use crate::rounds::{median, spread};
use crate::{Options, pinned};

/// Connections of the loaded runs; the others have one.
const CONNECTIONS: usize = 64;
/// Connections that only stay open.
const IDLE: usize = 2_000;
/// How often the memory of idle connections is measured, each time on a fresh process.
const FRESH: usize = 3;

/// What was measured of a proxy, one value a round.
#[derive(Default)]
struct Measured {
    rate: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    lone_p50: Vec<f64>,
    /// Microseconds for a request.
    cpu: Vec<f64>,
    resident: Vec<f64>,
    /// Bytes for a connection.
    connection: Vec<f64>,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    pinned::prepare()?;
    let vigie = options.vigie.as_ref();
    let vigie = vigie.context("--vigie is needed: the program whose gateway is measured")?;
    let wrk = Wrk::new()?;
    let backend = Backend::start().await?;
    let parties = [
        Proxy::Nginx(backend.port),
        Proxy::Vigie(backend.port, vigie.clone()),
    ];
    let mut proxies = Vec::new();
    for party in &parties {
        proxies.push(party.start().await?);
    }
    let mut direct = Vec::new();
    let mut measured = [Measured::default(), Measured::default()];
    for round in 0..=options.rounds {
        let lone = wrk.run(backend.port, 1, options.seconds).await?;
        let mut results = Vec::new();
        for proxy in &proxies {
            let before = proxy.cpu()?;
            let loaded = wrk.run(proxy.port, CONNECTIONS, options.seconds).await?;
            let cpu = proxy.cpu()? - before;
            let resident = proxy.resident()?;
            let lone = wrk.run(proxy.port, 1, options.seconds).await?;
            results.push((loaded, cpu, resident, lone));
        }
        // The first round warms up.
        if round == 0 {
            continue;
        }
        direct.push(lone.p50);
        for (measured, (loaded, cpu, resident, lone)) in measured.iter_mut().zip(results) {
            measured.rate.push(loaded.rate());
            measured.p50.push(loaded.p50);
            measured.p99.push(loaded.p99);
            measured.lone_p50.push(lone.p50);
            let micros = cpu.as_secs_f64() * 1e6;
            measured.cpu.push(micros / loaded.requests);
            measured.resident.push(resident as f64 / MIB);
        }
    }
    drop(proxies);
    for _ in 0..FRESH {
        for (measured, party) in measured.iter_mut().zip(&parties) {
            let proxy = party.start().await?;
            wrk.run(proxy.port, CONNECTIONS, Duration::from_secs(1))
                .await?;
            let before = proxy.resident()?;
            let connections = IdleConnections::open(proxy.port, IDLE).await?;
            let grown = proxy.resident()? as f64 - before as f64;
            drop(connections);
            measured.connection.push(grown / IDLE as f64);
        }
    }
    print(&direct, &measured);
    Ok(())
}

fn print(direct: &[f64], [nginx, vigie]: &[Measured; 2]) {
    heading("The gateway");
    note(&format!(
        "A response of {} bytes, keep-alive; both proxies send the backend the same headers. The proxy \
         runs alone on core {}; the backend (nginx) and wrk share core {}. Medians of {} interleaved rounds (least–greatest). One \
         connection directly to the backend: \
         p50 {} µs.",
        servers::BODY_BYTES,
        pinned::MEASURED,
        pinned::OTHERS,
        nginx.rate.len(),
        spread(direct, figure),
    ));
    let mut table = Table::new(["what", "nginx", "vigie", "vigie / nginx"]);
    let mut ratios = Vec::new();
    let mut row = |what: &str, [nginx, vigie]: [&[f64]; 2]| {
        let ratio = median(vigie) / median(nginx);
        ratios.push(ratio);
        let write = |values| spread(values, figure);
        table.row([what.into(), write(nginx), write(vigie), figure(ratio)]);
    };
    // The backend's own share goes, round by round.
    let added = |values: &[f64]| -> Vec<f64> {
        let pairs = values.iter().zip(direct);
        pairs.map(|(through, direct)| through - direct).collect()
    };
    let added = [added(&nginx.lone_p50), added(&vigie.lone_p50)];
    row(
        "requests a second, 64 connections",
        [&nginx.rate, &vigie.rate],
    );
    row("p50, 64 connections, µs", [&nginx.p50, &vigie.p50]);
    row("p99, 64 connections, µs", [&nginx.p99, &vigie.p99]);
    row(
        "p50, one connection, µs",
        [&nginx.lone_p50, &vigie.lone_p50],
    );
    row("p50 added, one connection, µs", [&added[0], &added[1]]);
    row("processor time a request, µs", [&nginx.cpu, &vigie.cpu]);
    row(
        "resident after 64 connections, MiB",
        [&nginx.resident, &vigie.resident],
    );
    row(
        "resident for each of 2,000 idle connections, B",
        [&nginx.connection, &vigie.connection],
    );
    table.print();
    let mut targets = Targets::new();
    targets.at_least("requests a second against nginx", 0.85, ratios[0], "x");
    targets.at_most("p50 added against nginx", 1.1, ratios[4], "x");
    targets.at_most(
        "processor time a request against nginx",
        1.2,
        ratios[5],
        "x",
    );
    targets.at_most(
        "resident without connections",
        15.0,
        median(&vigie.resident),
        " MiB",
    );
    targets.print();
}
