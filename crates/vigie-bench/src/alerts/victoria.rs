//! vmalert and VictoriaMetrics with the same rules and samples.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, ensure};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use vigie_testkit::{Process, http, ports, sid};

use super::data::{Data, write_rules};
use super::party::{Page, SETTLES, TURN, Turn};
use crate::usage;

/// How many series are imported with a request.
const BATCH: usize = 1_000;
/// How long a server may take to start.
const START: Duration = Duration::from_secs(60);

pub(super) struct Peer {
    // Before the directory: fields are dropped in this order.
    vmalert: Process,
    victoria: Process,
    addresses: [SocketAddr; 2],
    _directory: TempDir,
}

impl Peer {
    /// Imports the samples, and starts and stops both.
    pub(super) async fn start(data: &Data) -> anyhow::Result<Self> {
        let [vmalert, victoria] = [sid::VMALERT, sid::VICTORIA_METRICS].map(|one| one.find());
        let (vmalert, victoria) = (
            vmalert.map_err(anyhow::Error::msg)?,
            victoria.map_err(anyhow::Error::msg)?,
        );
        let directory = TempDir::with_prefix("vigie-bench-")?;
        let addresses = [ports::free(), ports::free()]
            .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let [alerting, storing] = addresses;
        let mut command = bare(&victoria);
        command
            .arg(format!(
                "-storageDataPath={}",
                directory.path().join("data").display()
            ))
            .arg(format!("-httpListenAddr={storing}"))
            .args(["-retentionPeriod=1d", "-loggerLevel=ERROR"]);
        let victoria = Process::spawn("victoria-metrics", command)?;
        until_healthy(storing, &victoria).await?;
        import(data, storing).await?;
        write_rules(directory.path(), &data.rule_files())?;
        let rules = directory.path().join("rules-*.yml");
        let mut command = bare(&vmalert);
        command
            .arg(format!("-rule={}", rules.display()))
            .arg(format!("-datasource.url=http://{storing}"))
            .arg(format!("-remoteWrite.url=http://{storing}"))
            .arg(format!("-httpListenAddr={alerting}"))
            .args(["-notifier.blackhole", "-loggerLevel=ERROR"]);
        let vmalert = Process::spawn("vmalert", command)?;
        until_healthy(alerting, &vmalert).await?;
        let peer = Self {
            vmalert,
            victoria,
            addresses,
            _directory: directory,
        };
        peer.freeze();
        Ok(peer)
    }

    /// Lets both run for an interval.
    pub(super) async fn turn(&self) -> anyhow::Result<Turn> {
        self.thaw();
        sleep(SETTLES).await;
        let before = self.state().await?;
        sleep(TURN).await;
        let after = self.state().await?;
        self.freeze();
        Turn::between(before, after)
    }

    async fn state(&self) -> anyhow::Result<Turn> {
        let page = Page::of(self.addresses[0]).await?;
        let failed = page.sum("vmalert_execution_errors_total")?;
        ensure!(failed == 0.0, "{failed} evaluations of vmalert failed");
        let cpu = usage::cpu(self.vmalert.id())? + usage::cpu(self.victoria.id())?;
        Ok(Turn {
            rules: page.sum("vmalert_execution_total")?,
            seconds: page.sum("vmalert_iteration_duration_seconds_sum")?,
            cpu: cpu.as_secs_f64(),
        })
    }

    /// The number of alerts that are pending or fire.
    pub(super) async fn alerts(&self) -> anyhow::Result<usize> {
        self.thaw();
        let page = Page::of(self.addresses[0]).await?;
        let alerts = page.sum("vmalert_alerts_firing")? + page.sum("vmalert_alerts_pending")?;
        Ok(alerts as usize)
    }

    fn freeze(&self) {
        self.vmalert.freeze();
        self.victoria.freeze();
    }

    fn thaw(&self) {
        self.victoria.thaw();
        self.vmalert.thaw();
    }
}

async fn import(data: &Data, addr: SocketAddr) -> anyhow::Result<()> {
    let times: Vec<_> = (0..data.scrapes).map(|at| data.time(at) * 1_000).collect();
    for first in (0..data.series()).step_by(BATCH) {
        let mut body = String::new();
        for series in first..data.series().min(first + BATCH) {
            let labels: serde_json::Map<_, _> = data
                .labels(series)
                .map(|(name, value)| (name.to_owned(), value.into()))
                .into_iter()
                .collect();
            let values: Vec<_> = (0..data.scrapes)
                .map(|at| Data::value(series, at))
                .collect();
            let line = json!({"metric": labels, "values": values, "timestamps": times});
            body += &line.to_string();
            body.push('\n');
        }
        let answer = http::request(addr, "POST", "/api/v1/import", &[], body.as_bytes()).await?;
        ensure!(answer.status == 204, "import: {}", answer.text());
    }
    // Imported samples are visible to queries after a second otherwise.
    http::get(addr, "/internal/force_flush").await?;
    Ok(())
}

async fn until_healthy(addr: SocketAddr, process: &Process) -> anyhow::Result<()> {
    let deadline = Instant::now() + START;
    loop {
        match http::get(addr, "/health").await {
            Ok(answer) if answer.status == 200 => return Ok(()),
            _ if Instant::now() < deadline => sleep(Duration::from_millis(50)).await,
            _ => bail!("{addr} does not answer\n{}", process.tail()),
        }
    }
}

fn bare(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command
}
