//! What it costs Redis that 1,000 idle event streams are followed.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use vigie_bullmq::Settings;

use super::server::{Server, Work};
use super::watched::Watched;
use super::{QUEUES, bullmq, fill};
use crate::report::{Table, Targets, figure, heading, note};
use crate::{Options, pinned};

/// What the watcher follows streams with.
const FOLLOWING: &[&str] = &["xread", "xinfo", "xinfo|stream"];
/// What it counts and looks with.
const COUNTING: &[&str] = &[
    "llen",
    "zcard",
    "hmget",
    "lrange",
    "time",
    "zrangebyscore",
    "zcount",
    "pttl",
    "get",
    "xrevrange",
    "exists",
    "client|list",
];
const NEVER: Duration = Duration::from_secs(86_400);
/// All streams are checked for losses once in that time, so less would not show it.
const CHECKS: Duration = Duration::from_secs(30);

/// Shares of a core, in percent.
struct Shares {
    following: f64,
    counting: f64,
    process: f64,
    /// The watcher's thread.
    own: f64,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    pinned::prepare()?;
    let mut server = Server::start(pinned::MEASURED).await?;
    let url = server.redis.url();
    let mut node = bullmq(&url).await?;
    fill(&mut node).await?;
    drop(node);
    let length = options.idle_seconds;

    let nothing = shares(&mut server, None, length).await?;

    let mut settings = Settings::new(redis::Client::open(url.as_str())?);
    settings.levels_every = NEVER;
    settings.signals_every = NEVER;
    settings.workers_every = NEVER;
    settings.discover_every = NEVER;
    let watched = Watched::start(settings, pinned::OTHERS)?;
    settled(&watched).await?;
    let streams = shares(&mut server, Some(&watched), length).await?;
    drop(watched);

    let settings = Settings::new(redis::Client::open(url.as_str())?);
    let watched = Watched::start(settings, pinned::OTHERS)?;
    settled(&watched).await?;
    let all = shares(&mut server, Some(&watched), length).await?;
    drop(watched);

    heading("Following 1,000 idle streams");
    note(&format!(
        "Percent of one core, over {:.0} s. \"All of it\" also counts the jobs of all queues in turn once a \
         second, reads their age, lateness and stalls every 5 s, and searches for new queues.",
        length.as_secs_f64()
    ));
    if length < CHECKS {
        note("Too short: what is done every 30 s is missing, or counts too much.");
    }
    let mut table = Table::new([
        "Redis",
        "inside XREAD, XINFO",
        "inside counting, looking",
        "whole process",
        "vigie's own",
    ]);
    for (what, shares) in [
        ("alone", &nothing),
        ("streams followed", &streams),
        ("all of it, as it comes", &all),
    ] {
        let cells = [
            shares.following,
            shares.counting,
            shares.process,
            shares.own,
        ];
        let [following, counting, process, own] = cells.map(|share| format!("{} %", figure(share)));
        table.row([what.into(), following, counting, process, own]);
    }
    table.print();
    let mut targets = Targets::new();
    targets.at_most("inside XREAD, XINFO", 1.0, streams.following, " %");
    let more = streams.process - nothing.process;
    targets.at_most("more in the whole process", 1.0, more, " %");
    let all_more = all.process - nothing.process;
    targets.at_most("all of it: more in the whole process", 1.0, all_more, " %");
    targets.at_most("all of it: of our own core", 1.0, all.own, " %");
    targets.print();
    Ok(())
}

/// Waits until all is found and looked at for the first time.
async fn settled(watched: &Watched) -> anyhow::Result<()> {
    watched.until_counted(QUEUES)?;
    sleep(Duration::from_secs(2)).await;
    Ok(())
}

async fn shares(
    server: &mut Server,
    watched: Option<&Watched>,
    length: Duration,
) -> anyhow::Result<Shares> {
    let own = || watched.map_or(Ok(Duration::ZERO), Watched::cpu);
    let (before, own_before, start) = (server.work()?, own()?, Instant::now());
    sleep(length).await;
    let work: Work = server.work()?.since(&before);
    let share = |time: Duration| time.as_secs_f64() / start.elapsed().as_secs_f64() * 100.0;
    Ok(Shares {
        following: share(work.commands(FOLLOWING)),
        counting: share(work.commands(COUNTING)),
        process: share(work.cpu),
        own: share(own()? - own_before),
    })
}
