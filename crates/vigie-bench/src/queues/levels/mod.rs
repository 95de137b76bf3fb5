//! The jobs of 1,000 queues by state: Vigie's watcher against BullMQ's `getJobCounts`, in turn.

mod measure;
mod tables;

use std::time::Duration;

use super::busy::Busy;
use super::server::Server;
use super::{bullmq, fill};
use crate::{Options, pinned};
use measure::{all_by_vigie, all_signals, by_bullmq, by_vigie, round_trips};

/// What something cost, in milliseconds, one value a round.
#[derive(Default)]
struct Costs {
    /// Inside of Redis' commands.
    commands: Vec<f64>,
    /// Redis' whole process.
    process: Vec<f64>,
    wall: Vec<f64>,
}

impl Costs {
    fn add(&mut self, commands: Duration, process: f64, wall: Duration) {
        self.commands.push(commands.as_secs_f64() * 1e3);
        self.process.push(process);
        self.wall.push(wall.as_secs_f64() * 1e3);
    }
}

#[derive(Default)]
struct Measured {
    bullmq: Costs,
    /// What BullMQ's own exporter does for one page.
    exporter: Costs,
    /// One refresh of all signals, as the program does it.
    signals: Costs,
    /// One refresh, and following apart.
    refresh: Costs,
    /// One refresh, and all that following costs until the next.
    followed: Costs,
    /// One refresh that counts everything.
    everything: Costs,
    /// One look at all queues.
    look: Costs,
    /// Queues counted in a refresh.
    counted: Vec<f64>,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    pinned::prepare()?;
    let mut server = Server::start(pinned::MEASURED).await?;
    let url = server.redis.url();
    let mut node = bullmq(&url).await?;
    fill(&mut node).await?;
    let mut busy = Busy::new();
    let mut measured = Measured::default();
    for round in 0..=options.rounds {
        let mut this = Measured::default();
        for (what, costs) in [
            ("refresh", &mut this.bullmq),
            ("export", &mut this.exporter),
        ] {
            by_bullmq(&mut server, &mut node, what, &busy, options.seconds, costs).await?;
        }
        by_vigie(&mut server, &mut busy, &url, options.seconds, &mut this).await?;
        all_by_vigie(
            &mut server,
            &busy,
            &url,
            options.seconds,
            &mut this.everything,
        )
        .await?;
        all_signals(&mut server, &busy, &url, options.seconds, &mut this.signals).await?;
        // The first round warms up.
        if round > 0 {
            measured.append(this);
        }
    }
    let trips = round_trips(&mut server).await?;
    tables::print(&measured, trips);
    Ok(())
}

impl Measured {
    fn append(&mut self, mut round: Self) {
        for (all, one) in [
            (&mut self.bullmq, &mut round.bullmq),
            (&mut self.exporter, &mut round.exporter),
            (&mut self.signals, &mut round.signals),
            (&mut self.refresh, &mut round.refresh),
            (&mut self.followed, &mut round.followed),
            (&mut self.everything, &mut round.everything),
            (&mut self.look, &mut round.look),
        ] {
            all.commands.append(&mut one.commands);
            all.process.append(&mut one.process);
            all.wall.append(&mut one.wall);
        }
        self.counted.append(&mut round.counted);
    }
}
