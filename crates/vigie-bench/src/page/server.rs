//! The program with a day of history.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::bail;
use tokio::time::{Instant, sleep};
use vigie_testkit::{Process, http, ports};

use super::dashboard;
use crate::{pinned, queries, usage};

/// How long a start may take.
const START: Duration = Duration::from_secs(60);

/// `vigie run` on the core of what is measured.
pub(super) struct Server {
    process: Process,
    pub(super) admin: SocketAddr,
}

impl Server {
    /// Writes the history until now, and starts the program.
    pub(super) async fn start(program: &Path, directory: &Path) -> anyhow::Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let [history, dashboards] = ["history", "dashboards"].map(|name| directory.join(name));
        for directory in [&history, &dashboards] {
            std::fs::create_dir(directory)?;
        }
        queries::write_like_ours(&history, i64::try_from(now)?)?;
        std::fs::write(dashboards.join("bench.json"), dashboard::json().to_string())?;
        let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()));
        let config = format!(
            "[admin]\nlisten = \"{admin}\"\n[history]\npath = {history:?}\n[page]\ndashboards = {dashboards:?}\n"
        );
        let file = directory.join("vigie.toml");
        std::fs::write(&file, config)?;
        let mut command = pinned::command(pinned::MEASURED, program)?;
        command.args(["run", "--config"]).arg(&file);
        let mut server = Self {
            process: Process::spawn("vigie", command)?,
            admin,
        };
        server.until_ready().await?;
        Ok(server)
    }

    async fn until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START;
        loop {
            match http::get(self.admin, "/-/ready").await {
                Ok(answer) if answer.status == 200 => return Ok(()),
                _ if self.process.status().is_none() && Instant::now() < deadline => {
                    sleep(Duration::from_millis(100)).await;
                }
                _ => bail!("vigie does not become ready\n{}", self.process.tail()),
            }
        }
    }

    /// The share of a core that it takes for so long.
    pub(super) async fn cpu(&self, during: Duration) -> anyhow::Result<f64> {
        let (before, start) = (usage::cpu(self.process.id())?, Instant::now());
        sleep(during).await;
        let used = usage::cpu(self.process.id())? - before;
        Ok(used.as_secs_f64() / start.elapsed().as_secs_f64())
    }
}
