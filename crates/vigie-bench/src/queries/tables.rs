//! The measurements as tables.

use super::ask::ASKED;
use super::question::{Question, Size};
use super::{Peer, Results, data};
use crate::Options;
use crate::report::{Table, Targets, figure, heading, note};
use crate::rounds::{median, spread};

/// Stands for a party that does not take part.
const NOT_MEASURED: &str = "–";

pub(super) fn print_queries(
    options: &Options,
    questions: &[Question],
    points: &[usize],
    results: &[Results],
) {
    heading("Queries");
    note(&format!(
        "All programs have the same samples and are queried over HTTP on loopback, on persistent \
         connections: {} series like Vigie's own and those of the panels for 24 h, and for the last hour 5,000 \
         counters and 10,000 buckets, all every 15 s. A panel covers 24 h in steps of 2 minutes. A page asks for its \
         panels as Vigie's page does, five at a time. Milliseconds until the last byte of the response, where the \
         client waits for the first byte of a single answer without sleeping, and milliseconds of processor time of \
         the program; medians of {} interleaved rounds (least–greatest) of at least {ASKED} each. Every answer was \
         compared: with Prometheus series, times and values; with VictoriaMetrics, whose `rate` uses the sample before \
         the window, only the number of series and points of expressions with `rate` and `…_over_time`.",
        figure(data::OURS as f64),
        options.rounds,
    ));
    for cpu in [false, true] {
        let unit = if cpu { "processor ms" } else { "ms" };
        let names =
            ["vigie", "Prometheus", "VictoriaMetrics"].map(|name| format!("{name}, {unit}"));
        let [ours, prometheus, victoria] = &names;
        let ratios = ["Prometheus / vigie", "VictoriaMetrics / vigie"];
        let mut table = Table::new([
            "query", "points", ours, prometheus, victoria, ratios[0], ratios[1],
        ]);
        for (at, (question, points)) in questions.iter().zip(points).enumerate() {
            let of = |peer| measured(options, results, peer).map(|found| times(found, cpu, at));
            let ours = times(&results[0], cpu, at);
            let peers = [of(Peer::Prometheus), of(Peer::VictoriaMetrics)];
            let written = peers.map(|peer| match peer {
                Some(peer) => spread(peer, figure),
                None => NOT_MEASURED.into(),
            });
            let ratios = peers.map(|peer| match peer {
                Some(peer) => format!("{}x", figure(median(peer) / median(ours))),
                None => NOT_MEASURED.into(),
            });
            let [prometheus, victoria] = written;
            let [to_prometheus, to_victoria] = ratios;
            table.row([
                question.name.clone(),
                figure(*points as f64),
                spread(ours, figure),
                prometheus,
                victoria,
                to_prometheus,
                to_victoria,
            ]);
        }
        table.print();
    }
    print_targets(options, questions, results);
}

fn print_targets(options: &Options, questions: &[Question], results: &[Results]) {
    let mut targets = Targets::new();
    for (at, question) in questions.iter().enumerate() {
        let name = &question.name;
        let ours = [false, true].map(|cpu| median(times(&results[0], cpu, at)));
        let of = |peer, cpu| {
            let found = measured(options, results, peer)?;
            Some(median(times(found, cpu, at)))
        };
        if let Some(peer) = of(Peer::Prometheus, false).filter(|_| question.size == Size::Large) {
            targets.at_least(&format!("{name}: Prometheus"), 5.0, peer / ours[0], "x");
        }
        if let Some(peer) = of(Peer::VictoriaMetrics, false) {
            targets.at_least(
                &format!("{name}: VictoriaMetrics"),
                1.5,
                peer / ours[0],
                "x",
            );
        }
        if let Some(peer) = of(Peer::VictoriaMetrics, true) {
            let what = format!("{name}: processor time against VictoriaMetrics");
            targets.at_most(&what, 0.6, ours[1] / peer, "x");
        }
        if question.size == Size::Least {
            targets.at_most(&format!("{name}: in total"), 0.1, ours[0], " ms");
        }
    }
    targets.print();
}

pub(super) fn print_memory(options: &Options, results: &[Results]) {
    heading("Memory of the queries");
    note("Resident MiB of the processes.");
    let mut table = Table::new([
        "program",
        "started",
        "after a round of queries, median",
        "at most",
    ]);
    let peers = options.peers.iter().map(|peer| peer.name());
    let names = std::iter::once("vigie").chain(peers);
    for (name, found) in names.zip(results) {
        let [idle, after, peak] = [found.idle, median(&found.resident), found.peak].map(figure);
        table.row([name.into(), idle, after, peak]);
    }
    table.print();
    let mut targets = Targets::new();
    let ours = median(&results[0].resident);
    for (peer, found) in options.peers.iter().zip(&results[1..]) {
        let what = format!("resident after the queries against {}", peer.name());
        targets.at_most(&what, 0.5, ours / median(&found.resident), "x");
    }
    targets.print();
}

/// The measurements of a peer, if it takes part.
fn measured<'a>(options: &Options, results: &'a [Results], peer: Peer) -> Option<&'a Results> {
    let at = options.peers.iter().position(|one| *one == peer)?;
    results.get(at + 1)
}

fn times(results: &Results, cpu: bool, at: usize) -> &[f64] {
    match cpu {
        true => &results.cpu[at],
        false => &results.wall[at],
    }
}
