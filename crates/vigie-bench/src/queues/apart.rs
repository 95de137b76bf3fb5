//! A watcher in a process of its own, whose memory is nobody else's.

use std::io::{BufRead, Write};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use vigie_bullmq::metrics::MAX_QUEUES;
use vigie_bullmq::{Settings, Watcher};
use vigie_metrics::{Format, Registry};
use vigie_testkit::Process;

use super::LATE;
use crate::{pinned, usage};

/// Runs until its standard input ends. Says how it is doing at every line.
pub(crate) async fn serve(redis: &str) -> anyhow::Result<()> {
    let registry = Registry::new();
    let mut settings = Settings::new(redis::Client::open(redis)?);
    settings.max_queues = MAX_QUEUES;
    let watcher = Watcher::new(settings, &registry);
    let stop = CancellationToken::new();
    let running = watcher.clone().run(stop.clone());
    let asked = std::thread::spawn(move || {
        let result = answer(&registry, &watcher);
        stop.cancel();
        result
    });
    running.await;
    match asked.join() {
        Ok(result) => result,
        Err(_) => bail!("the thread that answers panicked"),
    }
}

fn answer(registry: &Registry, watcher: &Watcher) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let command: Value = serde_json::from_str(&line?)?;
        let answer = match command["cmd"].as_str() {
            Some("page") => json!({"cmd": "page", "bytes": registry.expose(Format::Text).len()}),
            _ => {
                let sum = |wanted: &str| {
                    let (mut sum, mut series) = (0.0, 0);
                    registry.visit(|name, _, value| {
                        if name == wanted {
                            sum += value;
                            series += 1;
                        }
                    });
                    (sum as u64, series)
                };
                let queues = watcher.status().queues;
                let counted = queues.iter().filter(|queue| queue.levels.is_some());
                let (read, followed) = sum("bullmq_events_read_total");
                json!({
                    "cmd": command["cmd"], "counted": counted.count(), "followed": followed, "read": read,
                    "lost": sum("bullmq_events_lost_total").0, "ended": sum("bullmq_jobs_finished_total").0,
                })
            }
        };
        writeln!(output, "{answer}")?;
    }
    Ok(())
}

/// That process, as its parent sees it.
pub(super) struct Apart {
    process: Process,
}

impl Apart {
    pub(super) fn start(redis: &str, core: usize) -> anyhow::Result<Self> {
        let mut command: Command = pinned::command(core, &std::env::current_exe()?)?;
        command.args(["--serve-queues", redis]);
        let process = Process::spawn("the watcher", command)?;
        Ok(Self { process })
    }

    pub(super) async fn ask(&mut self, what: &str) -> anyhow::Result<Value> {
        Ok(self.process.ask(&json!({"cmd": what}), LATE).await?)
    }

    /// Waits until what it says of itself is so.
    pub(super) async fn until(&mut self, is: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let deadline = Instant::now() + LATE;
        loop {
            let start = Instant::now();
            let said = self.ask("how").await?;
            if is(&said) {
                return Ok(said);
            }
            if Instant::now() > deadline {
                bail!("not in time: {said}");
            }
            // Telling takes its time from watching.
            let pause = (10 * start.elapsed()).max(Duration::from_millis(5));
            tokio::time::sleep(pause).await;
        }
    }

    pub(super) fn resident(&self) -> anyhow::Result<f64> {
        // `taskset` becomes what it starts.
        Ok(usage::resident(self.process.id())? as f64)
    }

    pub(super) fn peak(&self) -> anyhow::Result<f64> {
        Ok(usage::resident_peak(self.process.id())? as f64)
    }
}
