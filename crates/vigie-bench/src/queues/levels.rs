//! The jobs of 1,000 queues by state: Vigie's watcher against BullMQ's `getJobCounts`, in turn.

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;
use tokio::time::sleep;
use vigie_bullmq::Settings;
use vigie_testkit::Process;

use super::busy::{BUSY, Busy};
use super::distance::Distance;
use super::server::{Server, Work};
use super::watched::Watched;
use super::{LATE, QUEUES, bullmq, fill};
use crate::report::{Table, Targets, figure, heading, note};
use crate::rounds::{median, spread};
use crate::{Options, pinned};

/// What the watcher counts with.
const COUNTING: &[&str] = &["llen", "zcard", "hmget", "lrange"];
/// What it follows streams with.
const FOLLOWING: &[&str] = &["xread", "xinfo", "xinfo|stream", "hget"];
/// What BullMQ counts with.
const SCRIPTS: &[&str] = &["evalsha", "eval"];
/// Length lists of a queue that the watcher reads in a refresh.
const LLENS: u64 = 3;
/// As the program does it.
const EVERY: Duration = Duration::from_secs(1);
/// A line that long shows its round trips.
const ONE_WAY: Duration = Duration::from_millis(50);
const NEVER: Duration = Duration::from_secs(86_400);

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
    /// One refresh, and following apart.
    refresh: Costs,
    /// One refresh, and all that following costs until the next.
    followed: Costs,
    /// One refresh that counts everything.
    everything: Costs,
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
        by_bullmq(
            &mut server,
            &mut node,
            &busy,
            options.seconds,
            &mut this.bullmq,
        )
        .await?;
        by_vigie(&mut server, &mut busy, &url, options.seconds, &mut this).await?;
        all_by_vigie(
            &mut server,
            &busy,
            &url,
            options.seconds,
            &mut this.everything,
        )
        .await?;
        // The first round warms up.
        if round > 0 {
            measured.append(this);
        }
    }
    let trips = round_trips(&mut server).await?;
    print(&measured, trips);
    Ok(())
}

impl Measured {
    fn append(&mut self, mut round: Self) {
        for (all, one) in [
            (&mut self.bullmq, &mut round.bullmq),
            (&mut self.refresh, &mut round.refresh),
            (&mut self.followed, &mut round.followed),
            (&mut self.everything, &mut round.everything),
        ] {
            all.commands.append(&mut one.commands);
            all.process.append(&mut one.process);
            all.wall.append(&mut one.wall);
        }
        self.counted.append(&mut round.counted);
    }
}

async fn by_bullmq(
    server: &mut Server,
    node: &mut Process,
    busy: &Busy,
    length: Duration,
    costs: &mut Costs,
) -> anyhow::Result<()> {
    let before = server.work()?;
    let seconds = length.as_secs_f64();
    let ask = json!({"cmd": "refresh", "seconds": seconds});
    let done = node.ask(&ask, length + LATE).await?;
    let work = server.work()?.since(&before);
    let number = |name: &str| done[name].as_f64().unwrap_or_default();
    let refreshes = number("refreshes");
    ensure!(
        refreshes > 0.0 && number("waiting") == busy.waiting() as f64,
        "BullMQ counted wrongly: {done}"
    );
    costs.add(
        work.commands(SCRIPTS).div_f64(refreshes),
        work.cpu.as_secs_f64() * 1e3 / refreshes,
        Duration::from_secs_f64(number("ms") / 1e3 / refreshes),
    );
    Ok(())
}

/// The watcher as it runs in the program, while a tenth of the queues is busy: what the busy queues cost by
/// themselves, then with their streams followed, then with their jobs counted too.
async fn by_vigie(
    server: &mut Server,
    busy: &mut Busy,
    url: &str,
    length: Duration,
    round: &mut Measured,
) -> anyhow::Result<()> {
    let alone = busily(server, busy, length).await?;
    let watched = watch(url, NEVER)?;
    settled(&watched).await?;
    let followed = busily(server, busy, length).await?;
    drop(watched);
    let watched = watch(url, EVERY)?;
    settled(&watched).await?;
    let counted = busily(server, busy, length).await?;
    // What was done last is read and counted by then.
    sleep(EVERY * 3).await;
    let waiting = watched
        .scrape()?
        .sum("queue_jobs_total", &[("state", "waiting")]);
    ensure!(
        waiting == busy.waiting() as f64 && counted.calls("llen") > 0 && counted.calls("xread") > 0,
        "Vigie counted wrongly: {waiting} waiting, not {}",
        busy.waiting()
    );
    let a_second = |time: Duration| time.div_f64(length.as_secs_f64());
    let process = |work: &Work| work.cpu.as_secs_f64() * 1e3 / length.as_secs_f64();
    let commands = |names| a_second(counted.commands(names));
    let (counting, following) = (commands(COUNTING), commands(FOLLOWING));
    let none = Duration::ZERO;
    let refresh = process(&counted) - process(&followed);
    round.refresh.add(counting, refresh, none);
    let both = process(&counted) - process(&alone);
    round.followed.add(counting + following, both, none);
    let counted = counted.calls("llen") as f64 / LLENS as f64;
    round.counted.push(counted / length.as_secs_f64());
    Ok(())
}

fn watch(url: &str, levels_every: Duration) -> anyhow::Result<Watched> {
    let mut settings = Settings::new(redis::Client::open(url)?);
    settings.levels_every = levels_every;
    settings.discover_every = NEVER;
    Watched::start(settings, pinned::OTHERS)
}

/// Waits until all is found, counted, and looked at for the first time.
async fn settled(watched: &Watched) -> anyhow::Result<()> {
    watched.until_counted(QUEUES)?;
    sleep(EVERY * 3).await;
    Ok(())
}

/// What Redis does in that time, in which every second some queues have their jobs.
async fn busily(server: &mut Server, busy: &mut Busy, length: Duration) -> anyhow::Result<Work> {
    let (before, start) = (server.work()?, Instant::now());
    let mut next = EVERY / 2;
    while next < length {
        sleep(next.saturating_sub(start.elapsed())).await;
        busy.some(&mut server.connection)?;
        next += EVERY;
    }
    sleep(length.saturating_sub(start.elapsed())).await;
    Ok(server.work()?.since(&before))
}

/// A watcher that follows nothing, so that it counts everything, again as soon as it has counted.
async fn all_by_vigie(
    server: &mut Server,
    busy: &Busy,
    url: &str,
    length: Duration,
    costs: &mut Costs,
) -> anyhow::Result<()> {
    let watched = all(url)?;
    watched.until_counted(QUEUES)?;
    let (before, start) = (server.work()?, Instant::now());
    sleep(length).await;
    let (work, elapsed) = (server.work()?.since(&before), start.elapsed());
    let waiting = watched
        .scrape()?
        .sum("queue_jobs_total", &[("state", "waiting")]);
    let refreshes = work.calls("llen") as f64 / (LLENS * QUEUES as u64) as f64;
    ensure!(
        refreshes >= 1.0 && waiting == busy.waiting() as f64 && work.calls("xread") == 0,
        "Vigie counted wrongly: {waiting} waiting, {refreshes} refreshes"
    );
    costs.add(
        work.commands(COUNTING).div_f64(refreshes),
        work.cpu.as_secs_f64() * 1e3 / refreshes,
        elapsed.div_f64(refreshes),
    );
    Ok(())
}

fn all(url: &str) -> anyhow::Result<Watched> {
    let mut settings = Settings::new(redis::Client::open(url)?);
    settings.levels_every = Duration::ZERO;
    settings.discover_every = NEVER;
    // The first look at events is before any queue is known, so there is none.
    settings.poll_every = NEVER;
    Watched::start(settings, pinned::OTHERS)
}

/// How often a refresh waits for the line, by what the line's length adds to it.
async fn round_trips(server: &mut Server) -> anyhow::Result<f64> {
    let mut walls = Vec::new();
    for one_way in [Duration::ZERO, ONE_WAY] {
        let line = Distance::to(server.redis.port(), one_way).await?;
        let url = format!("redis://127.0.0.1:{}", line.port);
        // The line is a task of this thread: the watcher must be waited for elsewhere.
        let watched = all(&url)?;
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

fn print(measured: &Measured, trips: f64) {
    let Measured {
        bullmq,
        refresh,
        followed,
        everything,
        counted,
    } = measured;
    heading("Levels of 1,000 queues");
    note(&format!(
        "A refresh of the levels of {QUEUES} queues of 8 jobs: \
         `Promise.all(queues.map(q => q.getJobCounts()))` on one connection, and Vigie's watcher, publishing \
         included. Every second {BUSY} other queues have a job that comes and ends and one that stays or goes; the \
         watcher runs as in the program, counts once a second, and has read the queues that had events and some of \
         the others in turn: {} queues a refresh. Following the streams tells which, and is the larger part of \
         what it costs: the second row of each pair has all of it, for a whole second. What the busy queues cost \
         by themselves is measured in every round and taken off the process. Redis has core {} to itself, the \
         clients core {}. Milliseconds, medians of {} interleaved rounds (least–greatest).",
        figure(median(counted)),
        pinned::MEASURED,
        pinned::OTHERS,
        counted.len()
    ));
    let mut table = Table::new(["a refresh", "BullMQ", "vigie", "BullMQ / vigie"]);
    let mut row = |what: &str, peers: &[f64], ours: &[f64]| {
        let ratio = median(peers) / median(ours);
        let write = |values| spread(values, figure);
        table.row([what.into(), write(peers), write(ours), figure(ratio)]);
        ratio
    };
    let commands = row(
        "Redis, inside of commands",
        &bullmq.commands,
        &refresh.commands,
    );
    row(
        "… and a second of following",
        &bullmq.commands,
        &followed.commands,
    );
    let process = row(
        "Redis, the whole process",
        &bullmq.process,
        &refresh.process,
    );
    row(
        "… and a second of following",
        &bullmq.process,
        &followed.process,
    );
    table.print();
    note(
        "The worst case, where no stream can be followed: all queues are counted in every refresh, one after the \
         other without a pause.",
    );
    let mut table = Table::new([
        "a refresh of everything",
        "BullMQ",
        "vigie",
        "BullMQ / vigie",
    ]);
    for (what, peers, ours) in [
        (
            "Redis, inside of commands",
            &bullmq.commands,
            &everything.commands,
        ),
        (
            "Redis, the whole process",
            &bullmq.process,
            &everything.process,
        ),
        ("wall time", &bullmq.wall, &everything.wall),
    ] {
        let ratio = figure(median(peers) / median(ours));
        let write = |values| spread(values, figure);
        table.row([what.into(), write(peers), write(ours), ratio]);
    }
    table.print();
    let mut targets = Targets::new();
    targets.at_least(
        "less time inside of Redis' commands, a refresh",
        5.0,
        commands,
        "x",
    );
    targets.at_least("less processor time of Redis, a refresh", 5.0, process, "x");
    targets.at_most(
        "round trips a refresh",
        1.0,
        (trips * 10.0).round() / 10.0,
        "",
    );
    targets.print();
}
