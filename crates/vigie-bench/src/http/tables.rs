//! The tables of the figures.

use super::load::Load;
use super::party::Party;
use super::{BODY_BYTES, Measured, Memory, Run};
use crate::pinned;
use crate::report::{KIB, MIB, Table, Targets, figure, heading, note};
use crate::rounds::{median, spread};

pub(super) fn print(measured: &Measured) {
    let rounds = measured.of(Party::Direct, Load::ONE, |run| run.p50).len();
    heading("HTTP");
    note(&format!(
        "An app (nginx) answers with {BODY_BYTES} bytes or with 1 MiB. Clients connect to it directly, beside Vigie's capture, \
         or through a proxy, which runs alone on core {}; the app and wrk share core {}. All proxies tell the app the same \
         forwarding headers, and nginx and HAProxy keep their connections to it. Medians of {rounds} interleaved rounds \
         (minimum–maximum).",
        pinned::MEASURED,
        pinned::OTHERS,
    ));
    proxies(measured);
    capture(measured);
}

fn proxies(measured: &Measured) {
    let mut table = Table::new([
        "what",
        "direct",
        "nginx",
        "haproxy",
        "vigie",
        "vigie / nginx",
    ]);
    let mut row = |what: &str, values: [Option<Vec<f64>>; 4]| {
        let medians = [&values[1], &values[3]].map(|values| values.as_deref().map(median));
        let ratio = match medians {
            [Some(nginx), Some(vigie)] => figure(vigie / nginx),
            _ => "–".into(),
        };
        let [direct, nginx, haproxy, vigie] = values
            .map(|values| values.map_or_else(|| "–".into(), |values| spread(&values, figure)));
        table.row([what.into(), direct, nginx, haproxy, vigie, ratio]);
    };
    let runs = |load, of: &dyn Fn(&Run) -> f64| {
        let direct = measured.of(Party::Direct, load, of);
        let [nginx, haproxy, vigie] = Party::PROXIES.map(|party| measured.of(party, load, of));
        [direct, nginx, haproxy, vigie].map(Some)
    };
    let without_direct =
        |[_, nginx, haproxy, vigie]: [Option<Vec<f64>>; 4]| [None, nginx, haproxy, vigie];
    row(
        "requests/s, 64 connections",
        runs(Load::BUSY, &|run| run.rate),
    );
    row("p50, 64 connections, µs", runs(Load::BUSY, &|run| run.p50));
    row("p99, 64 connections, µs", runs(Load::BUSY, &|run| run.p99));
    row(
        "processor time per request, µs",
        without_direct(runs(Load::BUSY, &|run| run.cpu)),
    );
    row("p50, one connection, µs", runs(Load::ONE, &|run| run.p50));
    row(
        "p50 added, one connection, µs",
        without_direct(
            runs(Load::ONE, &|run| run.p50)
                .map(|values| values.map(|values| added(measured, &values))),
        ),
    );
    row(
        "requests/s, a connection for each",
        runs(Load::CLOSING, &|run| run.rate),
    );
    row(
        "processor time per request, a connection for each, µs",
        without_direct(runs(Load::CLOSING, &|run| run.cpu)),
    );
    row("1 MiB downloads/s", runs(Load::LARGE, &|run| run.rate));
    row(
        "processor time per download, µs",
        without_direct(runs(Load::LARGE, &|run| run.cpu)),
    );
    row(
        "resident after the load, MiB",
        without_direct(runs(Load::BUSY, &|run| run.resident / MIB)),
    );
    let memory = |of: &dyn Fn(&Memory) -> &[f64], unit: f64| {
        let [nginx, haproxy, vigie] = Party::PROXIES.map(|party| {
            let values = measured.memory(party, of).iter();
            Some(values.map(|value| value / unit).collect())
        });
        [None, nginx, haproxy, vigie]
    };
    row(
        "resident per idle connection, of 2,000, B",
        memory(&|memory| &memory.idle, 1.0),
    );
    row(
        "resident per idle connection, of 9,800, B",
        memory(&|memory| &memory.many_idle, 1.0),
    );
    row(
        "resident per slow reader, of 200, kB",
        memory(&|memory| &memory.slow, 1_000.0),
    );
    table.print();

    let ratio = |load, of: &dyn Fn(&Run) -> f64| {
        let medians =
            [Party::Gateway, Party::Nginx].map(|party| median(&measured.of(party, load, of)));
        medians[0] / medians[1]
    };
    let [vigie, nginx] = [Party::Gateway, Party::Nginx].map(|party| {
        median(&added(
            measured,
            &measured.of(party, Load::ONE, |run| run.p50),
        ))
    });
    let memory = |of: &dyn Fn(&Memory) -> &[f64]| median(measured.memory(Party::Gateway, of));
    let mut targets = Targets::new();
    targets.at_least(
        "gateway: requests/s against nginx",
        1.15,
        ratio(Load::BUSY, &|run| run.rate),
        "x",
    );
    targets.at_most(
        "gateway: processor time per request against nginx",
        0.85,
        ratio(Load::BUSY, &|run| run.cpu),
        "x",
    );
    targets.at_most("gateway: p50 added against nginx", 0.95, vigie / nginx, "x");
    targets.at_most(
        "gateway: resident per idle connection, of 2,000",
        2.0,
        memory(&|memory| &memory.idle) / KIB,
        " KiB",
    );
    targets.at_most(
        "gateway: resident per idle connection, of 9,800",
        2.0,
        memory(&|memory| &memory.many_idle) / KIB,
        " KiB",
    );
    targets.at_least(
        "gateway: downloads/s against nginx",
        2.0,
        ratio(Load::LARGE, &|run| run.rate),
        "x",
    );
    targets.at_most(
        "gateway: processor time per download against nginx",
        0.5,
        ratio(Load::LARGE, &|run| run.cpu),
        "x",
    );
    targets.at_most(
        "gateway: resident per slow reader",
        64.0,
        memory(&|memory| &memory.slow) / 1_000.0,
        " kB",
    );
    targets.at_least(
        "gateway: requests/s against nginx, a connection for each",
        0.75,
        ratio(Load::CLOSING, &|run| run.rate),
        "x",
    );
    targets.print();
}

/// The time that a party adds to the median of a direct connection, round by round.
fn added(measured: &Measured, values: &[f64]) -> Vec<f64> {
    let direct = measured.of(Party::Direct, Load::ONE, |run| run.p50);
    let pairs = values.iter().zip(&direct);
    pairs.map(|(through, direct)| through - direct).collect()
}

/// A figure of the runs under a load.
type Row<'a> = (&'a str, Load, &'a dyn Fn(&Run) -> f64);

fn capture(measured: &Measured) {
    let mut table = Table::new(["what", "direct", "capture", "difference"]);
    let mut differences = Vec::new();
    let rows: [Row; 6] = [
        ("requests/s, 64 connections", Load::BUSY, &|run| run.rate),
        (
            "processor time of the app per request, µs",
            Load::BUSY,
            &|run| run.app_cpu,
        ),
        (
            "processor time of the app per download of 1 MiB, µs",
            Load::LARGE,
            &|run| run.app_cpu,
        ),
        ("p50, one connection, µs", Load::ONE, &|run| run.p50),
        (
            "processor time of Vigie per request, µs",
            Load::BUSY,
            &|run| run.cpu,
        ),
        (
            "processor time of Vigie per download of 1 MiB, µs",
            Load::LARGE,
            &|run| run.cpu,
        ),
    ];
    for (what, load, of) in rows {
        let [direct, beside] =
            [Party::Direct, Party::Capture].map(|party| measured.of(party, load, of));
        let difference = median(&beside) - median(&direct);
        differences.push((difference, median(&direct)));
        let write = |values: &[f64]| spread(values, figure);
        table.row([
            what.into(),
            write(&direct),
            write(&beside),
            figure(difference),
        ]);
    }
    let missed = |load| {
        let missed = measured.of(Party::Capture, load, |run| {
            100.0 * run.missed.unwrap_or(100.0)
        });
        missed.into_iter().fold(0.0, f64::max)
    };
    for (what, load) in [
        ("requests missed, most of a round, %", Load::BUSY),
        (
            "requests missed, a connection for each, most of a round, %",
            Load::CLOSING,
        ),
        ("downloads missed, most of a round, %", Load::LARGE),
    ] {
        table.row([what.into(), "–".into(), figure(missed(load)), "–".into()]);
    }
    table.print();

    let difference = |row: usize| {
        differences
            .get(row)
            .copied()
            .unwrap_or((f64::NAN, f64::NAN))
    };
    let rate = median(&measured.of(Party::Capture, Load::BUSY, |run| run.rate));
    let mut targets = Targets::new();
    targets.at_most(
        "capture: own processor time per request",
        2.0,
        difference(4).0,
        " µs",
    );
    targets.at_most(
        "capture: the app's processor time per request",
        1.5,
        difference(1).0,
        " µs",
    );
    let (large, direct) = difference(2);
    targets.at_most(
        "capture: the app's processor time per download",
        8.0,
        100.0 * large / direct,
        " %",
    );
    targets.at_most("capture: p50 added", 3.0, difference(3).0, " µs");
    targets.at_least("capture: requests/s", 80_000.0, rate, "");
    targets.at_most(
        "capture: requests missed at that rate",
        0.0,
        missed(Load::BUSY),
        " %",
    );
    targets.print();
}
