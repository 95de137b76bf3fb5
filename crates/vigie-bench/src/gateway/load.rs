//! The load: wrk, and connections that are open and idle.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use vigie_testkit::{Process, tools};

use super::servers::BODY_BYTES;
use crate::pinned;

/// What anything may take beyond its measured time.
const LATE: Duration = Duration::from_secs(20);

/// wrk with one thread, on the core of the load.
pub(crate) struct Wrk {
    program: PathBuf,
    script: PathBuf,
    _directory: TempDir,
}

/// What wrk measured; times in microseconds.
pub(crate) struct Loaded {
    pub(super) requests: f64,
    micros: f64,
    pub(super) p50: f64,
    pub(crate) p99: f64,
}

impl Loaded {
    /// Requests a second.
    pub(super) fn rate(&self) -> f64 {
        self.requests / self.micros * 1e6
    }
}

impl Wrk {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("vigie-bench-").tempdir()?;
        let script = directory.path().join("report.lua");
        std::fs::write(&script, include_str!("../../wrk/report.lua"))?;
        Ok(Self {
            program: tools::WRK.find()?,
            script,
            _directory: directory,
        })
    }

    pub(crate) async fn run(
        &self,
        port: u16,
        connections: usize,
        length: Duration,
    ) -> anyhow::Result<Loaded> {
        let mut command = pinned::command(pinned::OTHERS, &self.program)?;
        command
            .args(["-t1", &format!("-c{connections}")])
            // It knows whole seconds only.
            .arg(format!("-d{}s", length.as_secs().max(1)))
            .arg("-s")
            .arg(&self.script)
            .arg(format!("http://127.0.0.1:{port}/players/42"));
        let mut wrk = Process::spawn("wrk", command)?;
        let is_report = |line: &Value| line.is_object();
        let report = wrk.find_json(length + LATE, is_report).await?;
        wrk.wait(LATE).await?;
        let number = |name: &str| {
            let number = report[name].as_f64();
            number.with_context(|| format!("wrk says no {name}: {report}"))
        };
        let (requests, errors) = (number("requests")?, number("errors")?);
        ensure!(
            errors == 0.0 && requests > 0.0,
            "a run with errors says nothing: {report}"
        );
        Ok(Loaded {
            requests,
            micros: number("microseconds")?,
            p50: number("p50")?,
            p99: number("p99")?,
        })
    }
}

/// Connections that have each carried a request and are kept alive.
pub(super) struct IdleConnections {
    _open: Vec<TcpStream>,
}

impl IdleConnections {
    pub(super) async fn open(port: u16, count: usize) -> anyhow::Result<Self> {
        let mut open = Vec::with_capacity(count);
        for _ in 0..count {
            let one = timeout(LATE, used(port)).await;
            open.push(one.context("no answer on a new connection")??);
        }
        // What is freed late is freed now.
        sleep(Duration::from_secs(1)).await;
        Ok(Self { _open: open })
    }
}

/// A connection after its first response.
async fn used(port: u16) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream
        .write_all(b"GET /players/42 HTTP/1.1\r\nHost: bench\r\n\r\n")
        .await?;
    let mut response = Vec::new();
    let is_whole = |response: &[u8]| {
        let end = response.windows(4).position(|four| four == b"\r\n\r\n");
        end.is_some_and(|end| response.len() >= end + 4 + BODY_BYTES)
    };
    while !is_whole(&response) {
        let read = stream.read_buf(&mut response).await?;
        ensure!(read > 0, "a connection was closed after a response");
    }
    Ok(stream)
}
