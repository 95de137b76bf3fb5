//! What many queues, and many jobs in flight, take of our memory.

use std::time::Duration;

use anyhow::ensure;
use tokio::time::sleep;

use super::apart::Apart;
use super::feed::{self, ENTRIES_A_JOB, ENTRIES_TO_WAIT};
use super::server::Server;
use crate::report::{MIB, Table, Targets, figure, heading, note};
use crate::{Options, pinned};

const QUEUES: usize = 10_000;
const JOBS: usize = 1_000_000;
/// Queues of the many jobs, when they are in many.
const SPREAD: usize = 1_000;
/// What the jobs are called, and how one ends.
const NAME: &str = "mail";
const END: [&str; 2] = ["event", "completed"];
/// Jobs written at a time, to streams that keep 10,000 entries.
const BATCH: usize = 2_000;
/// It is looked at all queues, and all streams are checked, by then.
const SETTLED: Duration = Duration::from_secs(35);

pub(crate) async fn run(_: &Options) -> anyhow::Result<()> {
    pinned::prepare()?;
    let none = {
        let server = Server::start(pinned::OTHERS).await?;
        let mut watcher = Apart::start(&server.redis.url(), pinned::MEASURED)?;
        watcher.ask("how").await?;
        sleep(Duration::from_secs(2)).await;
        watcher.resident()?
    };
    let many = queues().await?;
    let one = jobs(1).await?;
    let spread = jobs(SPREAD).await?;

    heading("Memory of the queues");
    note(&format!(
        "Resident MiB of a process that runs only the watcher. {QUEUES} queues as created by BullMQ, with \
         one finished job each; and {JOBS} waiting jobs, in one queue and in {SPREAD}."
    ));
    let mut table = Table::new(["when", "resident, MiB"]);
    for (what, bytes) in [
        ("no queue", none),
        ("10,000 queues found, counted and followed", many.idle),
        ("… after one job in each", many.busy),
        ("… at most, while their page was written twice", many.peak),
    ] {
        table.row([what.into(), figure(bytes / MIB)]);
    }
    table.print();
    let mut table = Table::new([
        "1,000,000 jobs in flight",
        "bytes a job",
        "at most, bytes a job",
        "read",
        "lost",
    ]);
    for (what, jobs) in [("in one queue", &one), ("in 1,000 queues", &spread)] {
        let cells = [jobs.each, jobs.peak, jobs.read, jobs.lost].map(figure);
        let [each, peak, read, lost] = cells;
        table.row([what.into(), each, peak, read, lost]);
    }
    table.print();
    let mut targets = Targets::new();
    targets.at_most(
        "10,000 queues found, counted and followed",
        100.0,
        many.idle / MIB,
        " MiB",
    );
    let peak = one.peak.max(spread.peak);
    targets.at_most(
        "for each of 1,000,000 jobs in flight, at most",
        64.0,
        peak,
        " B",
    );
    targets.print();
    Ok(())
}

struct Many {
    idle: f64,
    busy: f64,
    peak: f64,
}

async fn queues() -> anyhow::Result<Many> {
    let mut server = Server::start(pinned::OTHERS).await?;
    let names: Vec<_> = (0..QUEUES).map(|n| format!("queue-{n}")).collect();
    feed::open(&mut server.connection, &names)?;
    let mut watcher = Apart::start(&server.redis.url(), pinned::MEASURED)?;
    let all = |field: &'static str| move |said: &serde_json::Value| said[field] == QUEUES;
    watcher.until(all("counted")).await?;
    watcher.until(all("followed")).await?;
    sleep(SETTLED).await;
    let idle = watcher.resident()?;
    for names in names.chunks(100) {
        let mut pipeline = redis::pipe();
        for name in names {
            feed::life(&mut pipeline, name, "1", NAME, &END);
        }
        pipeline.query::<()>(&mut server.connection)?;
    }
    let said = watcher.until(|said| said["ended"] == QUEUES).await?;
    ensure!(said["lost"] == 0, "{said}");
    let busy = watcher.resident()?;
    watcher.ask("page").await?;
    watcher.ask("page").await?;
    Ok(Many {
        idle,
        busy,
        peak: watcher.peak()?,
    })
}

struct Jobs {
    each: f64,
    peak: f64,
    read: f64,
    lost: f64,
}

async fn jobs(queues: usize) -> anyhow::Result<Jobs> {
    let mut server = Server::start(pinned::OTHERS).await?;
    let names: Vec<_> = (0..queues).map(|n| format!("queue-{n}")).collect();
    let mut watcher = Apart::start(&server.redis.url(), pinned::MEASURED)?;
    feed::open(&mut server.connection, &names)?;
    watcher.until(|said| said["followed"] == queues).await?;
    // What comes before a stream was first checked is not of the watcher's time.
    sleep(Duration::from_secs(2)).await;
    let mut job = 0;
    let mut written = 0_u64;
    let mut write = |server: &mut Server, ends: bool| -> anyhow::Result<u64> {
        let mut pipeline = redis::pipe();
        for _ in 0..BATCH {
            job += 1;
            let (queue, job) = (&names[job % queues], job.to_string());
            match ends {
                true => feed::life(&mut pipeline, queue, &job, NAME, &END),
                false => feed::come(&mut pipeline, queue, &job, NAME),
            }
            written += if ends { ENTRIES_A_JOB } else { ENTRIES_TO_WAIT };
        }
        pipeline.query::<()>(&mut server.connection)?;
        Ok(written)
    };
    // What an answer of that size takes to be read is there from then on.
    for _ in 0..10 {
        let written = write(&mut server, true)?;
        watcher.until(|said| said["read"] == written).await?;
    }
    let before = watcher.resident()?;
    let mut end = 0;
    for _ in 0..JOBS / BATCH {
        let written = write(&mut server, false)?;
        end = written;
        // Streams keep 10,000 entries.
        watcher
            .until(|said| said["read"].as_u64() >= Some(written - 4_000))
            .await?;
    }
    let said = watcher.until(|said| said["read"] == end).await?;
    let a_job = |more: f64| more / JOBS as f64;
    let number = |field: &str| said[field].as_f64().unwrap_or_default();
    Ok(Jobs {
        each: a_job(watcher.resident()? - before),
        peak: a_job(watcher.peak()? - before),
        read: number("read"),
        lost: number("lost"),
    })
}
