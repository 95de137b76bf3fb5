//! The jobs of 1,000 queues by state: Vigie's watcher against BullMQ's `getJobCounts`, in turn.

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;
use tokio::time::sleep;
use vigie_bullmq::Settings;
use vigie_testkit::Process;

use super::distance::Distance;
use super::server::Server;
use super::watched::Watched;
use super::{LATE, QUEUES, bullmq, fill};
use crate::report::{Table, Targets, figure, heading, note};
use crate::rounds::{median, spread};
use crate::{Options, pinned};

/// What the watcher counts with.
const COUNTING: &[&str] = &["llen", "zcard", "hmget", "lrange"];
/// What BullMQ counts with.
const SCRIPTS: &[&str] = &["evalsha", "eval"];
/// Length lists of a queue that the watcher reads in a refresh.
const LLENS: u64 = 3;
/// A line that long shows its round trips.
const ONE_WAY: Duration = Duration::from_millis(50);
const NEVER: Duration = Duration::from_secs(86_400);

/// What a refresh of all queues took, in milliseconds, one value a round.
#[derive(Default)]
struct Refreshes {
    wall: Vec<f64>,
    /// Inside of Redis' commands.
    commands: Vec<f64>,
    /// Redis' whole process.
    process: Vec<f64>,
}

impl Refreshes {
    fn add(&mut self, refresh: Refresh) {
        self.wall.push(refresh.wall.as_secs_f64() * 1e3);
        self.commands.push(refresh.commands.as_secs_f64() * 1e3);
        self.process.push(refresh.process.as_secs_f64() * 1e3);
    }
}

/// The mean over the refreshes of a round.
struct Refresh {
    wall: Duration,
    commands: Duration,
    process: Duration,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    pinned::prepare()?;
    let mut server = Server::start(pinned::MEASURED).await?;
    let url = server.redis.url();
    let mut node = bullmq(&url).await?;
    fill(&mut node).await?;
    let [mut ours, mut peers] = [Refreshes::default(), Refreshes::default()];
    for round in 0..=options.rounds {
        let peer = by_bullmq(&mut server, &mut node, options.seconds).await?;
        let our = by_vigie(&mut server, &url, options.seconds).await?;
        // The first round warms up.
        if round > 0 {
            peers.add(peer);
            ours.add(our);
        }
    }
    let trips = round_trips(&mut server).await?;
    print(&ours, &peers, trips);
    Ok(())
}

async fn by_bullmq(
    server: &mut Server,
    node: &mut Process,
    length: Duration,
) -> anyhow::Result<Refresh> {
    let before = server.work()?;
    let seconds = length.as_secs_f64();
    let ask = json!({"cmd": "refresh", "seconds": seconds});
    let done = node.ask(&ask, length + LATE).await?;
    let work = server.work()?.since(&before);
    let number = |name: &str| done[name].as_f64().unwrap_or_default();
    let refreshes = number("refreshes") as u32;
    ensure!(
        refreshes > 0 && number("waiting") == 5.0 * QUEUES as f64,
        "BullMQ counted wrongly: {done}"
    );
    Ok(Refresh {
        wall: Duration::from_secs_f64(number("ms") / 1e3) / refreshes,
        commands: work.commands(SCRIPTS) / refreshes,
        process: work.cpu / refreshes,
    })
}

/// A watcher that counts again as soon as it has counted, and publishes every time.
async fn by_vigie(server: &mut Server, url: &str, length: Duration) -> anyhow::Result<Refresh> {
    let mut settings = Settings::new(redis::Client::open(url)?);
    settings.levels_every = Duration::ZERO;
    settings.discover_every = NEVER;
    // The first look at events is before any queue is known, so there is none.
    settings.poll_every = NEVER;
    let watched = Watched::start(settings, pinned::OTHERS)?;
    watched.until_counted(QUEUES)?;
    let (before, start) = (server.work()?, Instant::now());
    sleep(length).await;
    let (work, elapsed) = (server.work()?.since(&before), start.elapsed());
    let jobs = watched.scrape()?;
    let waiting = jobs.sum("queue_jobs_total", &[("state", "waiting")]);
    let refreshes = work.calls("llen") as f64 / (LLENS * QUEUES as u64) as f64;
    ensure!(
        refreshes >= 1.0 && waiting == 5.0 * QUEUES as f64 && work.calls("xread") == 0,
        "Vigie counted wrongly: {waiting} waiting, {refreshes} refreshes"
    );
    Ok(Refresh {
        wall: elapsed.div_f64(refreshes),
        commands: work.commands(COUNTING).div_f64(refreshes),
        process: work.cpu.div_f64(refreshes),
    })
}

/// How often a refresh waits for the line, by what the line's length adds to it.
async fn round_trips(server: &mut Server) -> anyhow::Result<f64> {
    let mut walls = Vec::new();
    for one_way in [Duration::ZERO, ONE_WAY] {
        let line = Distance::to(server.redis.port(), one_way).await?;
        let url = format!("redis://127.0.0.1:{}", line.port);
        // The line is a task of this thread: the watcher must be waited for elsewhere.
        let mut settings = Settings::new(redis::Client::open(url)?);
        settings.levels_every = Duration::ZERO;
        settings.discover_every = NEVER;
        settings.poll_every = NEVER;
        let watched = Watched::start(settings, pinned::OTHERS)?;
        let watched = tokio::task::spawn_blocking(move || {
            watched.until_counted(QUEUES)?;
            anyhow::Ok(watched)
        });
        let watched = watched.await??;
        let (before, start) = (server.work()?, Instant::now());
        sleep(Duration::from_secs(3)).await;
        let (work, elapsed) = (server.work()?.since(&before), start.elapsed());
        let refreshes = work.calls("llen") as f64 / (LLENS * QUEUES as u64) as f64;
        walls.push(elapsed.as_secs_f64() / refreshes);
        tokio::task::spawn_blocking(move || drop(watched)).await?;
    }
    Ok((walls[1] - walls[0]) / (2.0 * ONE_WAY.as_secs_f64()))
}

fn print(ours: &Refreshes, peers: &Refreshes, trips: f64) {
    heading("Levels of 1,000 queues");
    note(&format!(
        "A refresh of all levels of {QUEUES} queues of 8 jobs: `Promise.all(queues.map(q => q.getJobCounts()))` \
         on one connection, and Vigie's watcher, publishing included. Redis has core {} to itself, both clients \
         core {}. Milliseconds, medians of {} interleaved rounds (least–greatest).",
        pinned::MEASURED,
        pinned::OTHERS,
        ours.wall.len()
    ));
    let mut table = Table::new(["a refresh", "BullMQ", "vigie", "BullMQ / vigie"]);
    let mut row = |what: &str, peers: &[f64], ours: &[f64]| {
        let ratio = median(peers) / median(ours);
        let write = |values| spread(values, figure);
        table.row([what.into(), write(peers), write(ours), figure(ratio)]);
        ratio
    };
    let commands = row("Redis, inside of commands", &peers.commands, &ours.commands);
    let process = row("Redis, the whole process", &peers.process, &ours.process);
    row("wall time", &peers.wall, &ours.wall);
    table.print();
    let mut targets = Targets::new();
    targets.at_least("less time inside of Redis' commands", 5.0, commands, "x");
    targets.at_least("less processor time of Redis", 5.0, process, "x");
    targets.at_most(
        "round trips a refresh",
        1.0,
        (trips * 10.0).round() / 10.0,
        "",
    );
    targets.print();
}
