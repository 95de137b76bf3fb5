//! Queues in a real Redis.

pub(crate) mod apart;
mod busy;
mod distance;
pub(crate) mod events;
mod feed;
pub(crate) mod idle;
mod lag;
pub(crate) mod levels;
pub(crate) mod memory;
mod server;
mod watched;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use vigie_testkit::{Process, tools};

use crate::pinned;

/// How many queues there are.
const QUEUES: usize = 1_000;
/// The time that a measurement may take beyond its measured time.
const LATE: Duration = Duration::from_secs(60);

/// BullMQ in Node, with all the queues open.
async fn bullmq(redis: &str) -> anyhow::Result<Process> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("node/queues.mjs");
    let mut command: Command = pinned::command(pinned::OTHERS, &tools::NODE.find()?)?;
    command.arg(script).args(["--redis", redis]);
    command.args(["--queues", &QUEUES.to_string()]);
    let mut node = Process::spawn("node", command)?;
    node.find_json(LATE, |line| line["msg"] == "ready").await?;
    Ok(node)
}

/// Puts jobs into every queue.
async fn fill(node: &mut Process) -> anyhow::Result<()> {
    node.ask(&json!({"cmd": "fill"}), LATE).await?;
    Ok(())
}
