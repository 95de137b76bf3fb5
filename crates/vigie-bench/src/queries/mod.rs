//! Queries over a day of history, against Prometheus with the same samples; and what the history itself can do.

mod ask;
mod data;
mod history;
mod ours;
mod peer;

use std::time::Instant;

use anyhow::Context;
use vigie_testkit::Process;

use crate::Options;
use crate::report::{MIB, Table, Targets, figure, heading, note};
use crate::rounds::{median, spread};
use crate::usage;
use ask::{Party, Question, Times, compare};
pub(crate) use data::OURS as LIKE_OURS;
pub(crate) use ours::{serve, write_like_ours};

/// How often a question is asked in a round; its median counts.
const ASKED: usize = 3;
/// A day as Grafana asks for it, for a panel of half a screen: every two minutes.
const DAY: Times = Times::Range(720, 120);
/// An hour, every 15 s.
const HOUR: Times = Times::Range(241, 15);

const RATE: &str = "sum by (job) (rate(x[5m]))";
const QUANTILE: &str = "histogram_quantile(0.95, sum by (le, job) (rate(b_bucket[5m])))";

/// What is asked. The eight of the dashboard are in the order and the words of the specification.
const QUESTIONS: [Question; 13] = [
    question("rate, 5,000 series, at one time", RATE, Times::End),
    question("rate, 5,000 series, 241 steps", RATE, HOUR),
    question("quantile, 10,000 series, at one time", QUANTILE, Times::End),
    question("quantile, 10,000 series, 241 steps", QUANTILE, HOUR),
    question(
        "panel HTTP p95",
        "histogram_quantile(0.95, sum(rate(http_request_duration_seconds_bucket[5m])) by (le, route))",
        DAY,
    ),
    question(
        "panel Taux d’erreurs",
        "sum(rate(http_requests_errors_total[5m])) by (route)",
        DAY,
    ),
    question(
        "panel of jobs by state",
        "sum(queue_jobs_total) by (state)",
        DAY,
    ),
    question(
        "panel Jobs en erreur",
        r#"sum(rate(queue_jobs_total{state="failed"}[5m])) by (queue)"#,
        DAY,
    ),
    question(
        "panel Durée moyenne",
        "rate(production_tick_duration_seconds_sum[5m]) / rate(production_tick_duration_seconds_count[5m])",
        DAY,
    ),
    question(
        "panel p99 tick",
        "histogram_quantile(0.99, sum(rate(production_tick_duration_seconds_bucket[5m])) by (le))",
        DAY,
    ),
    question("panel Connexions actives", "socket_active_connections", DAY),
    question(
        "panel Variations",
        "max_over_time(socket_active_connections[1h])",
        DAY,
    ),
    question(
        "the number 1, at one time: the cost of HTTP alone",
        "1",
        Times::End,
    ),
];

const fn question(name: &'static str, expression: &'static str, times: Times) -> Question {
    Question {
        name,
        expression,
        times,
    }
}

/// The two of them, ours first.
struct Parties {
    parties: [Party; 2],
    processes: [u32; 2],
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    ours::write(directory.path())?;
    let (ours, addr): (Process, _) = ours::start(directory.path()).await?;
    let peer = peer::start().await?;
    let mut both = Parties {
        parties: [
            Party::connect(addr).await?,
            Party::connect(peer.addr()).await?,
        ],
        processes: [ours.id(), peer.id()],
    };
    let idle = both.resident()?;
    let mut times = QUESTIONS.map(|_| [Vec::new(), Vec::new()]);
    let mut points = [0; QUESTIONS.len()];
    let mut resident = [Vec::new(), Vec::new()];
    for round in 0..=options.rounds {
        for (at, question) in QUESTIONS.iter().enumerate() {
            let (answers, took) = both.ask(question).await?;
            points[at] = compare(question, answers.each_ref())?;
            // The first round warms up.
            if round > 0 {
                for (times, took) in times[at].iter_mut().zip(took) {
                    times.push(took);
                }
            }
        }
        if round > 0 {
            for (resident, now) in resident.iter_mut().zip(both.resident()?) {
                resident.push(now);
            }
        }
    }
    let peak = both.peak()?;
    drop((both, ours, peer));
    print(options, &times, &points);
    print_memory(idle, &resident, peak);
    history::run(options)
}

impl Parties {
    /// The last answer of each, and the median of the times, in milliseconds.
    async fn ask(
        &mut self,
        question: &Question,
    ) -> anyhow::Result<([vigie_testkit::http::Response; 2], [f64; 2])> {
        let mut times = [Vec::new(), Vec::new()];
        let mut answers = Vec::new();
        for _ in 0..ASKED {
            answers.clear();
            for (party, times) in self.parties.iter_mut().zip(&mut times) {
                let (answer, took) = party.ask(question).await?;
                answers.push(answer);
                times.push(took);
            }
        }
        let answers = answers.try_into().ok().context("two answers")?;
        Ok((answers, times.map(|times| median(&times))))
    }

    /// In MiB.
    fn resident(&self) -> anyhow::Result<[f64; 2]> {
        let [ours, peer] = self.processes.map(usage::resident);
        Ok([ours? as f64 / MIB, peer? as f64 / MIB])
    }

    /// The most that was ever resident, in MiB.
    fn peak(&self) -> anyhow::Result<[f64; 2]> {
        let [ours, peer] = self.processes.map(usage::resident_peak);
        Ok([ours? as f64 / MIB, peer? as f64 / MIB])
    }
}

fn print(
    options: &Options,
    times: &[[Vec<f64>; 2]; QUESTIONS.len()],
    points: &[usize; QUESTIONS.len()],
) {
    heading("Queries");
    note(&format!(
        "Both programs have the same samples and are queried over HTTP on loopback, on persistent \
         connections: {} series like \
         Vigie's own for 24 h, and for the last hour 5,000 counters and 10,000 buckets, all every 15 s. A \
         panel covers 24 h in steps of 2 minutes. Milliseconds until the last byte of the response; the \
         client waits for the first byte without sleeping; medians of {} interleaved rounds \
         (least–greatest) of {ASKED} each. Every pair of answers was compared: the same series, times and values.",
        figure(data::OURS as f64),
        options.rounds,
    ));
    let mut table = Table::new(["query", "points", "vigie, ms", "Prometheus, ms", "ratio"]);
    let mut targets = Targets::new();
    for ((question, [ours, peer]), points) in QUESTIONS.iter().zip(times).zip(points) {
        let ratio = median(peer) / median(ours);
        table.row([
            question.name.into(),
            figure(*points as f64),
            spread(ours, figure),
            spread(peer, figure),
            format!("{}x", figure(ratio)),
        ]);
        if question.expression != "1" {
            targets.at_least(question.name, 3.0, ratio, "x");
        }
    }
    table.print();
    targets.print();
}

fn print_memory(idle: [f64; 2], resident: &[Vec<f64>; 2], peak: [f64; 2]) {
    heading("Memory of the queries");
    note("Resident MiB of the two processes.");
    let mut table = Table::new(["when", "vigie", "Prometheus", "vigie / Prometheus"]);
    let after = [median(&resident[0]), median(&resident[1])];
    for (when, [ours, peer]) in [
        ("started", idle),
        ("after a round of queries, median", after),
        ("at most", peak),
    ] {
        let row = [ours, peer, ours / peer].map(figure);
        let [ours, peer, ratio] = row;
        table.row([when.into(), ours, peer, ratio]);
    }
    table.print();
    let mut targets = Targets::new();
    let what = "resident after the queries against Prometheus";
    targets.at_most(what, 0.5, after[0] / after[1], "x");
    targets.print();
}

/// Seconds that something takes.
fn seconds<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<f64> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}
