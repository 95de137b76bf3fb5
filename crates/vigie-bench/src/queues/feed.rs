//! Event streams as BullMQ writes them, faster than BullMQ can.

use std::thread::sleep;
use std::time::{Duration, Instant};

use redis::{Connection, Pipeline};

/// BullMQ's own bound of a stream.
const KEPT: usize = 10_000;
/// Queues that are opened at a time.
const OPENED: usize = 1_000;
/// Between two batches of a paced feed.
const BEAT: Duration = Duration::from_millis(5);
/// Jobs of a batch when there is no pace.
const BATCH: u64 = 400;
/// What a job leaves in the stream: added, waiting, active, and its end.
pub(super) const ENTRIES_A_JOB: u64 = 4;
/// What a job that waits has left so far.
pub(super) const ENTRIES_TO_WAIT: u64 = 2;
pub(super) const NAMES: [&str; 3] = ["mail", "resize", "report"];
/// One job in ten fails.
const FAILS: u64 = 10;

/// What is to be written.
pub(super) struct Feed {
    pub(super) queues: Vec<String>,
    /// Entries a second; `None`: as fast as Redis takes them.
    pub(super) pace: Option<u64>,
    pub(super) length: Duration,
    /// Bytes of a return value.
    pub(super) value: usize,
}

/// What was written.
#[derive(Default)]
pub(super) struct Fed {
    pub(super) jobs: u64,
    /// By name: completed and failed.
    pub(super) ends: [[u64; 2]; NAMES.len()],
}

/// Makes queues, as BullMQ does when one is opened.
pub(super) fn open(connection: &mut Connection, queues: &[String]) -> anyhow::Result<()> {
    for queues in queues.chunks(OPENED) {
        let mut pipeline = redis::pipe();
        for queue in queues {
            let meta = pipeline.cmd("HSET").arg(format!("bull:{queue}:meta"));
            meta.arg("version").arg("bullmq:5.81.5");
            meta.arg("opts.maxLenEvents").arg(KEPT).ignore();
        }
        pipeline.query::<()>(connection)?;
    }
    Ok(())
}

impl Feed {
    /// Writes for its length.
    pub(super) fn write(&self, connection: &mut Connection) -> anyhow::Result<Fed> {
        let mut fed = Fed::default();
        let value = match self.value {
            0 => r#"{"sent":true}"#.to_owned(),
            bytes => format!("\"{}\"", "x".repeat(bytes)),
        };
        // Enough to have a round trip's worth of work, and no more than fits a socket's buffers for long.
        let batch = match self.value {
            0 => BATCH,
            _ => BATCH / 8,
        };
        let start = Instant::now();
        while start.elapsed() < self.length {
            let due = match self.pace {
                Some(pace) => {
                    let entries = start.elapsed().as_secs_f64() * pace as f64;
                    (entries as u64 / ENTRIES_A_JOB).saturating_sub(fed.jobs)
                }
                None => batch,
            };
            let mut pipeline = redis::pipe();
            for _ in 0..due {
                let queue = &self.queues[fed.jobs as usize % self.queues.len()];
                one(&mut pipeline, queue, &value, &mut fed);
            }
            if due > 0 {
                pipeline.query::<()>(connection)?;
            }
            if self.pace.is_some() {
                sleep(BEAT);
            }
        }
        Ok(fed)
    }
}

/// The life of one job.
fn one(pipeline: &mut Pipeline, queue: &str, value: &str, fed: &mut Fed) {
    let number = fed.jobs;
    let name = (number / 7) as usize % NAMES.len();
    let fails = number.is_multiple_of(FAILS);
    let end: &[&str] = match fails {
        true => &["event", "failed", "failedReason", "Error: as told"],
        false => &["event", "completed", "returnvalue", value],
    };
    life(pipeline, queue, &number.to_string(), NAMES[name], end);
    fed.jobs += 1;
    fed.ends[name][usize::from(fails)] += 1;
}

/// All entries of one job that ends like that.
pub(super) fn life(pipeline: &mut Pipeline, queue: &str, job: &str, name: &str, end: &[&str]) {
    come(pipeline, queue, job, name);
    let active = ["event", "active", "prev", "waiting"];
    entries(pipeline, queue, job, [&active, end]);
}

/// The entries of a job that was added and waits.
pub(super) fn come(pipeline: &mut Pipeline, queue: &str, job: &str, name: &str) {
    let added = ["event", "added", "name", name];
    entries(pipeline, queue, job, [&added, &["event", "waiting"]]);
}

fn entries(pipeline: &mut Pipeline, queue: &str, job: &str, entries: [&[&str]; 2]) {
    let key = format!("bull:{queue}:events");
    for fields in entries {
        let entry = pipeline.cmd("XADD").arg(&key);
        entry.arg("MAXLEN").arg("~").arg(KEPT).arg("*");
        entry.arg(fields).arg("jobId").arg(job).ignore();
    }
}
