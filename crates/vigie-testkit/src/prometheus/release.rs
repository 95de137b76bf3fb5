//! The installed releases.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::{NAME, NO_TARGETS, Prometheus};
use crate::server::{Server, User, output};
use crate::{Error, ports, sid, tools};

/// The programs of a release of Prometheus.
#[derive(Clone, Debug)]
pub struct Release {
    server: PathBuf,
    promtool: PathBuf,
}

impl Release {
    /// The release that is installed, Debian 12's 2.42.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn installed() -> Result<Self, Error> {
        Ok(Self {
            server: tools::PROMETHEUS.find()?,
            promtool: tools::PROMTOOL.find()?,
        })
    }

    /// The release of Debian's unstable suite, 3.5 or later.
    ///
    /// # Errors
    /// When it was not unpacked.
    pub fn sid() -> Result<Self, String> {
        Ok(Self {
            server: sid::PROMETHEUS.find()?,
            promtool: sid::PROMTOOL.find()?,
        })
    }

    /// Starts a server that scrapes nothing and holds these samples, in the OpenMetrics format with a time each.
    ///
    /// # Errors
    /// When Prometheus does not start, or cannot read the samples.
    pub async fn with_samples(&self, openmetrics: &str) -> Result<Prometheus, Error> {
        let directory = User::OURSELVES.directory()?;
        let file = directory.path().join("samples.om");
        std::fs::write(&file, openmetrics).map_err(Error::io("samples.om"))?;
        let mut promtool = User::OURSELVES.command(&self.promtool);
        promtool.args(["tsdb", "create-blocks-from", "openmetrics"]);
        promtool.arg(&file).arg(directory.path().join("data"));
        output("promtool", promtool).await?;
        self.start_in(directory, NO_TARGETS).await
    }

    /// Starts a server on a free port with this configuration file.
    ///
    /// # Errors
    /// When Prometheus does not start, or refuses the configuration.
    pub async fn start(&self, config: &str) -> Result<Prometheus, Error> {
        self.start_in(User::OURSELVES.directory()?, config).await
    }

    /// The same, for a server that sends a firing alert again after `resend`. Alertmanager resolves an alert that it was not sent
    /// for four times as long.
    ///
    /// # Errors
    /// When Prometheus does not start, or refuses the configuration.
    pub async fn start_notifying(
        &self,
        config: &str,
        resend: Duration,
    ) -> Result<Prometheus, Error> {
        let resend = format!("--rules.alert.resend-delay={}ms", resend.as_millis());
        let directory = User::OURSELVES.directory()?;
        self.start_with(directory, config, vec![resend]).await
    }

    /// Starts a server with this configuration file, and with the database in `data` of this directory if there is one. The
    /// directory is dropped with the server.
    ///
    /// # Errors
    /// When Prometheus does not start, or refuses the configuration.
    pub async fn start_in(&self, directory: TempDir, config: &str) -> Result<Prometheus, Error> {
        self.start_with(directory, config, Vec::new()).await
    }

    async fn start_with(
        &self,
        directory: TempDir,
        config: &str,
        arguments: Vec<String>,
    ) -> Result<Prometheus, Error> {
        let file = directory.path().join("prometheus.yml");
        std::fs::write(&file, config).map_err(Error::io("prometheus.yml"))?;
        let addr = SocketAddr::from(([127, 0, 0, 1], ports::free()));
        let program = self.server.clone();
        let mut server = Server::spawn(NAME, directory, move |directory| {
            let file = |name: &str| directory.join(name).display().to_string();
            let mut command = User::OURSELVES.command(&program);
            command
                .arg(format!("--config.file={}", file("prometheus.yml")))
                .arg(format!("--storage.tsdb.path={}", file("data")))
                .args(&arguments)
                .arg("--storage.tsdb.retention.time=100y")
                .arg(format!("--web.listen-address={addr}"))
                .arg("--log.level=warn");
            command
        })?;
        server.until_ready(addr).await?;
        Ok(Prometheus { server, addr })
    }
}
