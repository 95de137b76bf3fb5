//! Vigie as a gateway, and as a capture.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::bail;
use tokio::time::sleep;
use vigie_testkit::promtext::{Format, Scrape};
use vigie_testkit::{Process, http, ports};

use super::load::until_answers;
use crate::pinned;

/// How long a start may take.
const START: Duration = Duration::from_secs(20);

/// `vigie run` on the core of what is measured.
pub(super) struct Vigie {
    process: Process,
    admin: SocketAddr,
}

impl Vigie {
    /// The gateway on a port.
    pub(super) async fn gateway(program: &Path, port: u16, app: u16) -> anyhow::Result<Self> {
        let app = format!("http://127.0.0.1:{app}");
        let listen = format!("127.0.0.1:{port}");
        let vigie = Self::start(program, &["--app", &app, "--listen", &listen])?;
        until_answers(port, &vigie.process).await?;
        Ok(vigie)
    }

    /// The capture of the app's port.
    pub(super) async fn capture(program: &Path, app: u16) -> anyhow::Result<Self> {
        let vigie = Self::start(program, &["--capture", &format!(":{app}")])?;
        let deadline = Instant::now() + START;
        // The admin port answers after the ring is open.
        while let Err(error) = http::get(vigie.admin, "/healthz").await {
            if Instant::now() > deadline {
                bail!("{error}\n{}", vigie.process.tail());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(vigie)
    }

    fn start(program: &Path, source: &[&str]) -> anyhow::Result<Self> {
        let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()));
        let mut command = pinned::command(pinned::MEASURED, program)?;
        command.arg("run").args(source);
        command.args(["--admin", &admin.to_string()]);
        let process = Process::spawn("vigie", command)?;
        Ok(Self { process, admin })
    }

    pub(super) fn process(&self) -> u32 {
        self.process.id()
    }

    /// The number of requests it has counted, once it counts no further.
    pub(super) async fn requests(&self) -> anyhow::Result<f64> {
        let mut before = f64::NAN;
        loop {
            let page = http::get(self.admin, "/metrics").await?.text();
            let scrape = Scrape::parse(&page, Format::Text)?;
            let requests = scrape.sum("http_request_duration_seconds_count", &[]);
            if requests == before {
                return Ok(requests);
            }
            before = requests;
            sleep(Duration::from_millis(200)).await;
        }
    }
}
