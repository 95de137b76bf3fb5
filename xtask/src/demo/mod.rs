//! `cargo xtask demo`: a real backend with players, and Vigie, which captures its packets or is a gateway in front of it.

mod stack;
mod summary;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::stack::{Addresses, Source, Stack, scrape};
use self::summary::Figures;
use crate::cargo::build_vigie;
use crate::say::{complain, is_terminal, say, say_over};
use crate::setup::{self, Purpose};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Stop after this many seconds
    #[arg(long)]
    seconds: Option<u64>,
    /// The number of players
    #[arg(long, default_value_t = 20)]
    players: u32,
    /// Put Vigie in front of the backend as a gateway, even if packets can be captured
    #[arg(long)]
    gateway: bool,
    /// Run this program instead of building one
    #[arg(long, value_name = "PATH")]
    vigie: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    setup::ensure(Purpose::Demo)?;
    let vigie = match &arguments.vigie {
        Some(path) => path.clone(),
        None => {
            say("building Vigie");
            build_vigie(&["--release"])?
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime")?;
    runtime.block_on(show(arguments, vigie))?;
    Ok(ExitCode::SUCCESS)
}

async fn show(arguments: &Arguments, vigie: PathBuf) -> anyhow::Result<()> {
    let mut stop = Stop::new(arguments.seconds)?;
    // Dropping the future stops the parts that were started.
    let mut stack = tokio::select! {
        started = Stack::start(&vigie, arguments.players, arguments.gateway) => started?,
        () = stop.signalled() => return Ok(()),
    };
    announce(stack.source, stack.addresses);
    let ended = tokio::select! {
        ended = watch(&mut stack) => ended,
        () = stop.asked() => Ok(()),
    };
    if is_terminal() {
        say("");
    }
    let all = async {
        stack.stop().await;
        say("all is stopped");
    };
    tokio::select! {
        () = all => {}
        () = stop.signalled() => complain("stopped at once"),
    }
    ended
}

fn announce(source: Source, addresses: Addresses) {
    let Addresses {
        backend,
        gateway,
        admin,
    } = addresses;
    say("");
    match source {
        Source::Capture => {
            say(&format!("  the backend          http://{backend}"));
            say(&format!(
                "  source of requests   capture, of the packets on lo:{}",
                backend.port()
            ));
        }
        Source::Gateway => {
            say(&format!("  the backend itself   http://{backend}"));
            say(&format!("  source of requests   gateway, http://{gateway}"));
        }
    }
    say(&format!("  the web page         http://{admin}/"));
    say(&format!("  metrics              http://{admin}/metrics"));
    say(&format!("  alive?               http://{admin}/healthz"));
    say(&format!("  ready?               http://{admin}/readyz"));
    say("");
    say("Ctrl-C stops all of it.");
    say("");
}

/// Shows the live line until a part fails.
async fn watch(stack: &mut Stack) -> anyhow::Result<()> {
    // A line per second is too much for a log.
    let watched = is_terminal();
    let period = Duration::from_secs(if watched { 1 } else { 5 });
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let begun = Instant::now();
    let mut last: Option<(Instant, Figures)> = None;
    loop {
        ticks.tick().await;
        stack.check()?;
        let now = Instant::now();
        let line = match scrape(stack.addresses.admin).await {
            Ok(page) => {
                let figures = Figures::of(&page);
                let earlier = last.replace((now, figures.clone()));
                earlier.map(|(then, earlier)| figures.since(&earlier, now - then).to_string())
            }
            Err(error) => Some(format!("no figures: {error:#}")),
        };
        if let Some(line) = line {
            let line = format!("{:>4} s | {line}", begun.elapsed().as_secs());
            if watched { say_over(&line) } else { say(&line) }
        }
    }
}

/// Why the demo ends.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
    limit: Option<Duration>,
}

impl Stop {
    fn new(seconds: Option<u64>) -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            limit: seconds.map(Duration::from_secs),
        })
    }

    /// A signal, or the end of the time.
    async fn asked(&mut self) {
        let limit = self.limit;
        let over = async {
            match limit {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = over => {}
            () = self.signalled() => {}
        }
    }

    async fn signalled(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
