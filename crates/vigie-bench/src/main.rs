//! Vigie measured against its peers. Run by `cargo xtask bench`; results stand in `BENCHMARKS.md`.
//!
//! Every comparison interleaves the parties round by round in one run, so that a machine whose speed drifts
//! moves both, and reports medians and their ratio, as Markdown. Whatever it starts ends with it.
#![allow(clippy::print_stdout)]
#![allow(clippy::disallowed_methods)] // measuring wall time is what it is for

mod alerts;
mod expose;
mod http;
mod machine;
mod page;
mod pinned;
mod queries;
mod queues;
mod record;
mod report;
mod rounds;
mod usage;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

#[derive(Parser)]
struct Options {
    /// What to measure; all when nothing is named
    what: Vec<What>,
    /// Interleaved rounds of each comparison, after one that warms up
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// How long a party is measured in a round of HTTP and of the queues
    #[arg(long, default_value = "5", value_parser = seconds)]
    seconds: Duration,
    /// How long Redis is watched while 1,000 idle streams are followed
    #[arg(long, default_value = "30", value_parser = seconds)]
    idle_seconds: Duration,
    /// How many rules are evaluated, over ten times as many series
    #[arg(long, default_value_t = 10_000, value_parser = rules)]
    rules: usize,
    /// The programs that queries are compared with
    #[arg(long, value_delimiter = ',', default_values = ["prometheus", "victoriametrics"])]
    peers: Vec<queries::Peer>,
    /// The program whose gateway, capture, alerts and page are measured
    #[arg(long, value_name = "PATH")]
    vigie: Option<PathBuf>,
    /// Answers queries from the history in a directory: what the queries measure runs in a process of its own
    #[arg(long, value_name = "DIRECTORY", hide = true)]
    serve_history: Option<PathBuf>,
    /// Watches the queues of a Redis: what their memory is measured in runs in a process of its own
    #[arg(long, value_name = "URL", hide = true)]
    serve_queues: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Recording one request: a labelled histogram and a counter
    Record,
    /// Exposing 100,000 lines
    Expose,
    /// HTTP through the gateway and beside the capture, against nginx, HAProxy and direct connections
    Http,
    /// Counting the jobs of 1,000 queues, against BullMQ's own way
    Levels,
    /// What following 1,000 idle event streams costs Redis
    Idle,
    /// Following busy event streams
    Events,
    /// What many queues, and many jobs in flight, take of our memory
    Memory,
    /// Queries over a day of history, against Prometheus and VictoriaMetrics; filling and opening the history
    Queries,
    /// Evaluating rules, against Prometheus and vmalert; notifications and their memory
    Alerts,
    /// The web page in a browser
    Page,
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=3600.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("expected 0.1 to 3600".into()),
    }
}

fn rules(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(rules @ 100..=100_000) => Ok(rules),
        _ => Err("expected 100 to 100000".into()),
    }
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if let Some(directory) = &options.serve_history {
        return runtime.block_on(queries::serve(directory));
    }
    if let Some(redis) = &options.serve_queues {
        return runtime.block_on(queues::apart::serve(redis));
    }
    let what = match options.what.is_empty() {
        true => What::value_variants(),
        false => &options.what,
    };
    machine::describe();
    for what in what {
        match what {
            What::Record => record::run(&options),
            What::Expose => expose::run(&options),
            What::Http => runtime.block_on(http::run(&options))?,
            What::Levels => runtime.block_on(queues::levels::run(&options))?,
            What::Idle => runtime.block_on(queues::idle::run(&options))?,
            What::Events => runtime.block_on(queues::events::run(&options))?,
            What::Memory => runtime.block_on(queues::memory::run(&options))?,
            What::Queries => runtime.block_on(queries::run(&options))?,
            What::Alerts => runtime.block_on(alerts::run(&options))?,
            What::Page => runtime.block_on(page::run(&options))?,
        }
    }
    Ok(())
}
