//! What BullMQ and the watcher have Redis do.

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;
use tokio::time::sleep;
use vigie_bullmq::Settings;
use vigie_testkit::Process;

use super::{Costs, Measured};
use crate::pinned;
use crate::queues::busy::Busy;
use crate::queues::distance::Distance;
use crate::queues::server::{Server, Work};
use crate::queues::watched::Watched;
use crate::queues::{LATE, QUEUES};

/// What the watcher counts with.
const COUNTING: &[&str] = &["llen", "zcard", "hmget", "lrange"];
/// What it follows streams with.
const FOLLOWING: &[&str] = &["xread", "xinfo", "xinfo|stream", "hget"];
/// What BullMQ counts with.
const SCRIPTS: &[&str] = &["evalsha", "eval"];
/// What it looks with how old, late and stuck jobs are.
const LOOKING: &[&str] = &[
    "time",
    "lrange",
    "zrangebyscore",
    "zcard",
    "zcount",
    "pttl",
    "get",
    "xrevrange",
    "hmget",
    "hget",
    "exists",
];
/// Queues looked at in one go, and so for one question of the time.
const LOOKED_AT: f64 = 500.0;
/// Length lists of a queue that the watcher reads in a refresh.
const LLENS: u64 = 3;
/// As the program does it.
const EVERY: Duration = Duration::from_secs(1);
/// And oftener, so that what a refresh costs the process stands out from what following costs.
const OFTEN: Duration = Duration::from_millis(100);
/// A line that long shows its round trips.
const ONE_WAY: Duration = Duration::from_millis(50);
const NEVER: Duration = Duration::from_secs(86_400);

/// BullMQ's way: `refresh` counts the jobs, `export` writes what its own exporter shows.
pub(super) async fn by_bullmq(
    server: &mut Server,
    node: &mut Process,
    what: &str,
    busy: &Busy,
    length: Duration,
    costs: &mut Costs,
) -> anyhow::Result<()> {
    let before = server.work()?;
    let seconds = length.as_secs_f64();
    let ask = json!({"cmd": what, "seconds": seconds});
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
pub(super) async fn by_vigie(
    server: &mut Server,
    busy: &mut Busy,
    url: &str,
    length: Duration,
    round: &mut Measured,
) -> anyhow::Result<()> {
    let alone = busily(server, busy, EVERY, length).await?;
    let watched = watch(url, |_| ())?;
    settled(&watched).await?;
    let followed = busily(server, busy, EVERY, length).await?;
    let often_followed = busily(server, busy, OFTEN, length).await?;
    drop(watched);
    let watched = watch(url, |settings| settings.levels_every = OFTEN)?;
    settled(&watched).await?;
    let often_counted = busily(server, busy, OFTEN, length).await?;
    drop(watched);

    let watched = watch(url, |settings| settings.levels_every = EVERY)?;
    settled(&watched).await?;
    let counted = busily(server, busy, EVERY, length).await?;
    // What was done last is read and counted by then.
    sleep(EVERY * 3).await;
    let jobs = watched.scrape()?;
    let waiting = jobs.sum("queue_jobs_total", &[("state", "waiting")]);
    ensure!(
        waiting == busy.waiting() as f64 && counted.calls("llen") > 0 && counted.calls("xread") > 0,
        "Vigie counted wrongly: {waiting} waiting, not {}",
        busy.waiting()
    );
    drop(watched);

    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let seconds = length.as_secs_f64();
    let queues = |work: &Work| work.calls("llen") as f64 / LLENS as f64;
    let more = |work: &Work, than: &Work| millis(work.cpu) - millis(than.cpu);
    let a_queue = more(&often_counted, &often_followed) / queues(&often_counted);
    let a_refresh = queues(&counted) / seconds;
    let [counting, following] =
        [COUNTING, FOLLOWING].map(|names| counted.commands(names).div_f64(seconds));
    let refresh = a_queue * a_refresh;
    round.counted.push(a_refresh);
    round.refresh.add(counting, refresh, Duration::ZERO);
    let both = refresh + more(&followed, &alone) / seconds;
    round
        .followed
        .add(counting + following, both, Duration::ZERO);

    let watched = watch(url, |settings| settings.signals_every = Duration::ZERO)?;
    settled(&watched).await?;
    let start = Instant::now();
    let looked = busily(server, busy, EVERY, length).await?;
    let wall = start.elapsed();
    let looks = looked.calls("time") as f64 / (QUEUES as f64 / LOOKED_AT);
    ensure!(looks >= 1.0, "Vigie did not look");
    let inside = looked.commands(LOOKING).div_f64(looks);
    let process = more(&looked, &followed) / looks;
    round.look.add(inside, process, wall.div_f64(looks));
    Ok(())
}

/// A watcher that follows the streams and, after the start, does nothing else but what is set.
fn watch(url: &str, set: impl FnOnce(&mut Settings)) -> anyhow::Result<Watched> {
    let mut settings = Settings::new(redis::Client::open(url)?);
    settings.max_queues = vigie_bullmq::metrics::MAX_QUEUES;
    settings.levels_every = NEVER;
    settings.signals_every = NEVER;
    settings.workers_every = NEVER;
    settings.discover_every = NEVER;
    set(&mut settings);
    Watched::start(settings, pinned::OTHERS)
}

/// Waits until all is found, counted, and looked at for the first time.
async fn settled(watched: &Watched) -> anyhow::Result<()> {
    watched.until_counted(QUEUES)?;
    sleep(EVERY * 3).await;
    Ok(())
}

/// What Redis does in that time, in which some queues have their jobs at every beat, and then others.
async fn busily(
    server: &mut Server,
    busy: &mut Busy,
    beat: Duration,
    length: Duration,
) -> anyhow::Result<Work> {
    let (before, start) = (server.work()?, Instant::now());
    let mut next = beat / 2;
    while next < length {
        sleep(next.saturating_sub(start.elapsed())).await;
        busy.some(&mut server.connection)?;
        next += beat;
    }
    sleep(length.saturating_sub(start.elapsed())).await;
    Ok(server.work()?.since(&before))
}

/// What Redis does in about that time, in which no queue has new jobs; and in what time exactly.
async fn quietly(server: &mut Server, length: Duration) -> anyhow::Result<(Work, Duration)> {
    let (before, start) = (server.work()?, Instant::now());
    sleep(length).await;
    let (work, elapsed) = (server.work()?.since(&before), start.elapsed());
    Ok((work, elapsed))
}

/// A watcher that follows nothing, so that it counts everything, again as soon as it has counted.
pub(super) async fn all_by_vigie(
    server: &mut Server,
    busy: &Busy,
    url: &str,
    length: Duration,
    costs: &mut Costs,
) -> anyhow::Result<()> {
    let watched = all(url)?;
    watched.until_counted(QUEUES)?;
    let (work, elapsed) = quietly(server, length).await?;
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
    watch(url, |settings| {
        settings.levels_every = Duration::ZERO;
        // The first look at events is before any queue is known, so there is none.
        settings.poll_every = NEVER;
    })
}

/// As the program does it but without a pause: the streams are followed, the jobs counted of the queues whose
/// turn it is, it is looked how old, late and stuck the jobs of all are, and the workers are counted.
pub(super) async fn all_signals(
    server: &mut Server,
    busy: &Busy,
    url: &str,
    length: Duration,
    costs: &mut Costs,
) -> anyhow::Result<()> {
    let watched = watch(url, |settings| {
        settings.levels_every = Duration::ZERO;
        settings.signals_every = Duration::ZERO;
        // The program's 15 s are longer than this lasts.
        settings.workers_every = Duration::ZERO;
    })?;
    settled(&watched).await?;
    let (work, elapsed) = quietly(server, length).await?;
    let scrape = watched.scrape()?;
    let waiting = scrape.sum("queue_jobs_total", &[("state", "waiting")]);
    let aged = scrape.samples("bullmq_oldest_waiting_age_seconds", &[]);
    let workers = scrape.samples("bullmq_workers", &[]);
    let refreshes = work.calls("time") as f64 / (QUEUES as f64 / LOOKED_AT);
    ensure!(
        refreshes >= 1.0 && waiting == busy.waiting() as f64 && aged.count() == QUEUES,
        "Vigie looked wrongly: {waiting} waiting, {refreshes} refreshes"
    );
    ensure!(
        work.calls("client|list") > 0 && workers.count() == QUEUES,
        "Vigie did not count the workers"
    );
    costs.add(
        work.all_commands().div_f64(refreshes),
        work.cpu.as_secs_f64() * 1e3 / refreshes,
        elapsed.div_f64(refreshes),
    );
    Ok(())
}

/// How often a refresh waits for the line, by what the line's length adds to it.
pub(super) async fn round_trips(server: &mut Server) -> anyhow::Result<f64> {
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
        let (work, elapsed) = quietly(server, Duration::from_secs(3)).await?;
        let refreshes = work.calls("llen") as f64 / (LLENS * QUEUES as u64) as f64;
        walls.push(elapsed.as_secs_f64() / refreshes);
        tokio::task::spawn_blocking(move || drop(watched)).await?;
    }
    Ok((walls[1] - walls[0]) / (2.0 * ONE_WAY.as_secs_f64()))
}
