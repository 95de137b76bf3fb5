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
        let start = Instant::now();
        while start.elapsed() < self.length {
            let due = match self.pace {
                Some(pace) => {
                    let entries = start.elapsed().as_secs_f64() * pace as f64;
                    (entries as u64 / ENTRIES_A_JOB).saturating_sub(fed.jobs)
                }
                None => BATCH,
            };
            let mut pipeline = redis::pipe();
            for _ in 0..due {
                let queue = &self.queues[fed.jobs as usize % self.queues.len()];
                one(&mut pipeline, queue, &mut fed);
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
fn one(pipeline: &mut Pipeline, queue: &str, fed: &mut Fed) {
    let number = fed.jobs;
    let name = (number / 7) as usize % NAMES.len();
    let fails = number.is_multiple_of(FAILS);
    let end: &[&str] = match fails {
        true => &["event", "failed", "failedReason", "Error: as told"],
        false => &["event", "completed", "returnvalue", r#"{"sent":true}"#],
    };
    let key = format!("bull:{queue}:events");
    let job = number.to_string();
    for fields in [
        &["event", "added", "name", NAMES[name]],
        &["event", "waiting"][..],
        &["event", "active", "prev", "waiting"],
        end,
    ] {
        let entry = pipeline.cmd("XADD").arg(&key);
        entry.arg("MAXLEN").arg("~").arg(KEPT).arg("*");
        entry.arg(fields).arg("jobId").arg(&job).ignore();
    }
    fed.jobs += 1;
    fed.ends[name][usize::from(fails)] += 1;
}
