//! Event streams as BullMQ writes them, faster than BullMQ can.

use std::thread::sleep;
use std::time::{Duration, Instant};

use redis::{Connection, Pipeline};

/// BullMQ's own bound of a stream.
const KEPT: usize = 10_000;
/// Between two batches of a paced feed.
const BEAT: Duration = Duration::from_millis(5);
/// Jobs of a batch when there is no pace.
const BATCH: u64 = 400;
/// What a job leaves in the stream: added, waiting, active, and its end.
pub(super) const ENTRIES_A_JOB: u64 = 4;
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

impl Feed {
    /// Makes the queues, as BullMQ does when one is opened.
    pub(super) fn open(&self, connection: &mut Connection) -> anyhow::Result<()> {
        let mut pipeline = redis::pipe();
        for queue in &self.queues {
            let meta = format!("bull:{queue}:meta");
            let bound = ("opts.maxLenEvents", KEPT);
            let fields = pipeline.cmd("HSET").arg(meta);
            fields
                .arg("version")
                .arg("bullmq:5")
                .arg(bound.0)
                .arg(bound.1);
        }
        Ok(pipeline.query(connection)?)
    }

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
    let key = format!("bull:{queue}:events");
    for fields in [
        &["event", "added", "name", name],
        &["event", "waiting"][..],
        &["event", "active", "prev", "waiting"],
        end,
    ] {
        let entry = pipeline.cmd("XADD").arg(&key);
        entry.arg("MAXLEN").arg("~").arg(KEPT).arg("*");
        entry.arg(fields).arg("jobId").arg(job).ignore();
    }
}
