//! VictoriaMetrics with the same samples.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use vigie_testkit::{Process, http, ports, sid};

use super::data::{self, Backend};

/// How many series are imported with a request.
const BATCH: usize = 200;
/// How long a start or a merge may take.
const LATE: Duration = Duration::from_secs(120);

pub(super) struct Victoria {
    // Before the directory: fields are dropped in this order.
    process: Process,
    addr: SocketAddr,
    _directory: TempDir,
}

impl Victoria {
    /// Starts it without its cache of results, imports the samples, and merges their parts, so that it answers soonest.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let program = sid::VICTORIA_METRICS.find().map_err(anyhow::Error::msg)?;
        let directory = TempDir::with_prefix("vigie-bench-")?;
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()));
        let data = directory.path().join("data");
        let mut command = Command::new(program);
        command
            .env_clear()
            .arg(format!("-storageDataPath={}", data.display()))
            .arg(format!("-httpListenAddr={addr}"))
            .args(["-search.disableCache", "-search.latencyOffset=0s"])
            .args(["-retentionPeriod=100y", "-loggerLevel=ERROR"]);
        let process = Process::spawn("victoria-metrics", command)?;
        let victoria = Self {
            process,
            addr,
            _directory: directory,
        };
        victoria
            .until("health", |answer| answer.status == 200)
            .await?;
        victoria.import().await?;
        http::get(addr, "/internal/force_flush").await?;
        http::get(addr, "/internal/force_merge").await?;
        // The merge runs in the background.
        let is_merged = |answer: &http::Response| {
            let text = answer.text();
            let mut lines = text.lines().filter(|line| line.starts_with("vm_active_"));
            text.contains("vm_active_force_merges") && lines.all(|line| line.ends_with(" 0"))
        };
        victoria.until("metrics", is_merged).await?;
        Ok(victoria)
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    async fn until(
        &self,
        path: &str,
        is_it: impl Fn(&http::Response) -> bool,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + LATE;
        loop {
            match http::get(self.addr, &format!("/{path}")).await {
                Ok(answer) if is_it(&answer) => return Ok(()),
                _ if Instant::now() < deadline => sleep(Duration::from_millis(50)).await,
                Ok(answer) => bail!("/{path} of VictoriaMetrics: {}", answer.text()),
                Err(error) => return Err(error).context(self.process.tail()),
            }
        }
    }

    async fn import(&self) -> anyhow::Result<()> {
        let (labels, times, columns) = columns();
        let all: Vec<_> = labels.iter().zip(&columns).collect();
        for batch in all.chunks(BATCH) {
            let mut body = String::new();
            for (labels, values) in batch {
                let labels = labels.iter();
                let labels: serde_json::Map<_, _> = labels
                    .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
                    .collect();
                let times = &times[times.len() - values.len()..];
                let line = json!({"metric": labels, "values": values, "timestamps": times});
                body += &line.to_string();
                body.push('\n');
            }
            let answer = http::request(self.addr, "POST", "/api/v1/import", &[], body.as_bytes());
            let answer = answer.await?;
            ensure!(answer.status == 204, "import: {}", answer.text());
        }
        Ok(())
    }
}

/// The labels of all series, the times of all scrapes in milliseconds, and the values of each series up to the last one.
fn columns() -> (Vec<data::Labels>, Vec<i64>, Vec<Vec<f64>>) {
    let mut backend = Backend::new();
    let labels = backend.labels.clone();
    let mut columns = vec![Vec::new(); labels.len()];
    let mut times = Vec::with_capacity(data::DAY);
    for _ in 0..data::DAY {
        let (time, values) = backend.scrape();
        times.push(time * 1_000);
        for (column, value) in columns.iter_mut().zip(values) {
            column.push(*value);
        }
    }
    (labels, times, columns)
}
