//! The program with a configuration.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use vigie_testkit::{Process, http, ports};

use super::data::write_rules;
use super::party::Page;
use super::receiver::Receiver;
use crate::{pinned, usage};

/// How long a start may take.
const START: Duration = Duration::from_secs(60);

/// `vigie run` on the core of what is measured.
pub(super) struct Program {
    // Before the directory: fields are dropped in this order.
    process: Process,
    admin: SocketAddr,
    /// The port of the gateway.
    pub(super) port: u16,
    _directory: TempDir,
}

impl Program {
    /// Starts it in front of an app, with more sections; the alerts of a rule file, if there is one, go to the receiver.
    pub(super) async fn start(
        program: &Path,
        app: u16,
        sections: &str,
        rules: Option<(&[String], &Receiver)>,
    ) -> anyhow::Result<Self> {
        let directory = TempDir::with_prefix("vigie-bench-")?;
        let [admin, gateway] = [ports::free(), ports::free()]
            .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let mut config = format!(
            "[admin]\nlisten = \"{admin}\"\n[gateway]\nlisten = \"{gateway}\"\napp = \"http://127.0.0.1:{app}\"\n{sections}"
        );
        if let Some((rules, receiver)) = rules {
            write_rules(directory.path(), rules)?;
            std::fs::write(directory.path().join("alertmanager.yml"), receiver.config())?;
            config += "[alerts]\nrules = [\"rules-*.yml\"]\nbuiltin = []\n[notify]\nconfig = \"alertmanager.yml\"\n";
        }
        let file = directory.path().join("vigie.toml");
        std::fs::write(&file, config)?;
        let mut command = pinned::command(pinned::MEASURED, program)?;
        command.args(["run", "--config"]).arg(&file);
        let process = Process::spawn("vigie", command)?;
        let program = Self {
            process,
            admin,
            port: gateway.port(),
            _directory: directory,
        };
        program.until_evaluated().await?;
        Ok(program)
    }

    /// Waits until every rule was evaluated.
    async fn until_evaluated(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START;
        loop {
            let answer = http::get(self.admin, "/api/v1/rules").await;
            let evaluated = answer.ok().and_then(|answer| {
                let groups = answer.json().ok()?["data"]["groups"].as_array()?.clone();
                let evaluated = groups
                    .iter()
                    .all(|group| group["evaluationTime"].as_f64() > Some(0.0));
                (!groups.is_empty() && evaluated).then_some(())
            });
            match evaluated {
                Some(()) => return Ok(()),
                None if Instant::now() < deadline => sleep(Duration::from_millis(100)).await,
                None => bail!("vigie does not evaluate its rules\n{}", self.process.tail()),
            }
        }
    }

    pub(super) async fn metrics(&self) -> anyhow::Result<Page> {
        Page::of(self.admin).await
    }

    /// Resident bytes.
    pub(super) fn resident(&self) -> anyhow::Result<f64> {
        usage::resident(self.process.id())
            .map(|bytes| bytes as f64)
            .context("vigie ended")
    }
}
