//! Queries over a day of history, against Prometheus and VictoriaMetrics with the same samples; and what the history
//! itself can do.

mod ask;
mod compare;
mod data;
mod history;
mod ours;
mod panels;
mod prometheus;
mod question;
mod request;
mod tables;
mod victoria;

use std::time::Instant;

use anyhow::Context;
use clap::ValueEnum;
use vigie_testkit::{Process, Prometheus};

use crate::Options;
use crate::report::MIB;
use crate::rounds::median;
use ask::Party;
use compare::compare;
pub(crate) use data::OURS as LIKE_OURS;
pub(crate) use ours::{serve, write_like_ours};
use question::{Agreement, Question, questions};
use victoria::Victoria;

/// A program that queries are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// Prometheus 3.5 or later where it is unpacked, otherwise the installed one
    Prometheus,
    /// VictoriaMetrics, without its cache of results
    #[value(name = "victoriametrics")]
    VictoriaMetrics,
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::Prometheus => "Prometheus",
            Self::VictoriaMetrics => "VictoriaMetrics",
        }
    }

    /// The agreement of its answers with ours.
    fn agreement(self, question: &Question) -> Agreement {
        match self {
            Self::Prometheus => question.prometheus,
            Self::VictoriaMetrics => question.victoria,
        }
    }
}

/// A program that runs until this is dropped.
enum Running {
    #[expect(dead_code, reason = "it ends when it is dropped")]
    Ours(Process),
    #[expect(dead_code, reason = "it ends when it is dropped")]
    Prometheus(Prometheus),
    #[expect(dead_code, reason = "it ends when it is dropped")]
    Victoria(Victoria),
}

/// The measurements of a party in all rounds.
#[derive(Default)]
struct Results {
    /// Milliseconds, for each question.
    wall: Vec<Vec<f64>>,
    /// Milliseconds of processor time, for each question.
    cpu: Vec<Vec<f64>>,
    /// MiB before the first question.
    idle: f64,
    /// MiB after each round.
    resident: Vec<f64>,
    /// The most MiB.
    peak: f64,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    ours::write(directory.path())?;
    let mut running = Vec::new();
    let (process, addr) = ours::start(directory.path()).await?;
    let mut parties = vec![Party::connect("vigie".into(), process.id(), addr).await?];
    running.push(Running::Ours(process));
    for peer in &options.peers {
        let (one, id, addr) = start(*peer).await?;
        running.push(one);
        parties.push(Party::connect(peer.name().into(), id, addr).await?);
    }
    let questions = questions()?;
    let mut results: Vec<Results> = Vec::new();
    for party in &parties {
        results.push(Results {
            wall: vec![Vec::new(); questions.len()],
            cpu: vec![Vec::new(); questions.len()],
            idle: party.resident()? as f64 / MIB,
            ..Results::default()
        });
    }
    let mut points = vec![0; questions.len()];
    for round in 0..=options.rounds {
        for (at, question) in questions.iter().enumerate() {
            let mut answers = Vec::new();
            for (party, results) in parties.iter_mut().zip(&mut results) {
                let measured = party.measure(&question.requests).await?;
                // The first round warms up.
                if round > 0 {
                    results.wall[at].push(median(&measured.wall));
                    results.cpu[at].push(measured.cpu);
                }
                answers.push(measured.answers);
            }
            points[at] = compared(question, &options.peers, &answers)?;
        }
        for (party, results) in parties.iter().zip(&mut results) {
            if round > 0 {
                results.resident.push(party.resident()? as f64 / MIB);
            }
            results.peak = party.resident_peak()? as f64 / MIB;
        }
    }
    drop((parties, running));
    tables::print_queries(options, &questions, &points, &results);
    tables::print_memory(options, &results);
    history::run(options)
}

async fn start(peer: Peer) -> anyhow::Result<(Running, u32, std::net::SocketAddr)> {
    Ok(match peer {
        Peer::Prometheus => {
            let started = prometheus::start().await?;
            let (id, addr) = (started.id(), started.addr());
            (Running::Prometheus(started), id, addr)
        }
        Peer::VictoriaMetrics => {
            let started = Victoria::start().await?;
            let (id, addr) = (started.id(), started.addr());
            (Running::Victoria(started), id, addr)
        }
    })
}

/// Compares the answers of the peers with ours, which are the first; returns the number of our points.
fn compared(
    question: &Question,
    peers: &[Peer],
    answers: &[Vec<vigie_testkit::http::Response>],
) -> anyhow::Result<usize> {
    let (ours, others) = answers.split_first().context("our answers")?;
    let mut points = 0;
    for (at, (request, own)) in question.requests.iter().zip(ours).enumerate() {
        let expression = request.expression();
        points += compare(expression, Agreement::Same, [own, own])?;
        for (peer, theirs) in peers.iter().zip(others) {
            let what = format!("{} and {expression}", peer.name());
            compare(&what, peer.agreement(question), [own, &theirs[at]])?;
        }
    }
    anyhow::ensure!(points > 0, "{}: no answer", question.name);
    Ok(points)
}

/// Seconds that something takes.
fn seconds<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<f64> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}
