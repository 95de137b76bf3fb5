//! The load: wrk, connections that are open and idle, and clients that do not read.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};
use vigie_testkit::{Process, http, tools};

use super::BODY_BYTES;
use crate::pinned;

/// The time that a measurement may take beyond its measured time.
const LATE: Duration = Duration::from_secs(20);

/// The requests and connections of the clients in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    path: &'static str,
    connections: usize,
    /// Whether each request has its own connection.
    closes: bool,
}

impl Load {
    pub(crate) const BUSY: Self = Self::small(64);
    pub(super) const ONE: Self = Self::small(1);
    pub(super) const CLOSING: Self = Self {
        closes: true,
        ..Self::BUSY
    };
    pub(super) const LARGE: Self = Self {
        path: "/large",
        ..Self::small(16)
    };
    pub(super) const ALL: [Self; 4] = [Self::BUSY, Self::ONE, Self::CLOSING, Self::LARGE];

    const fn small(connections: usize) -> Self {
        Self {
            path: "/players/42",
            connections,
            closes: false,
        }
    }
}

/// wrk with one thread, on the core of the load.
pub(crate) struct Wrk {
    program: PathBuf,
    script: PathBuf,
    _directory: TempDir,
}

/// The figures that wrk prints; times in microseconds.
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
        load: Load,
        length: Duration,
    ) -> anyhow::Result<Loaded> {
        let mut command = pinned::command(pinned::OTHERS, &self.program)?;
        command
            .args(["-t1", &format!("-c{}", load.connections)])
            // It knows whole seconds only.
            .arg(format!("-d{}s", length.as_secs().max(1)))
            .arg("-s")
            .arg(&self.script);
        if load.closes {
            command.args(["-H", "Connection: close"]);
        }
        command.arg(format!("http://127.0.0.1:{port}{}", load.path));
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

/// Connections that stay open until they are dropped.
pub(super) struct Connections {
    _open: Vec<TcpStream>,
}

impl Connections {
    /// Connections that have each carried a request and are kept alive.
    pub(super) async fn idle(port: u16, count: usize) -> anyhow::Result<Self> {
        let mut open = Vec::with_capacity(count);
        for _ in 0..count {
            let one = timeout(LATE, used(port)).await;
            open.push(one.context("no answer on a new connection")??);
        }
        // Memory whose release was deferred is released now.
        sleep(Duration::from_secs(1)).await;
        Ok(Self { _open: open })
    }

    /// Connections that each ask for a response of many bytes, and read the first ones only.
    pub(super) async fn slow(port: u16, count: usize) -> anyhow::Result<Self> {
        let mut open = Vec::with_capacity(count);
        for _ in 0..count {
            let socket = TcpSocket::new_v4()?;
            // A small window, as over a slow network.
            socket.set_recv_buffer_size(16 * 1024)?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let mut stream = timeout(LATE, socket.connect(address)).await??;
            stream
                .write_all(b"GET /slow HTTP/1.1\r\nHost: bench\r\n\r\n")
                .await?;
            let begin = timeout(LATE, stream.read_exact(&mut [0; 1024])).await;
            begin.context("no answer to a slow reader")??;
            open.push(stream);
        }
        // All buffers fill.
        sleep(Duration::from_secs(2)).await;
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

/// Waits until a server gives the small response.
pub(super) async fn until_answers(port: u16, process: &Process) -> anyhow::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let deadline = Instant::now() + LATE;
    loop {
        match http::get(address, "/").await {
            Ok(response) if response.status == 200 && response.body.len() == BODY_BYTES => {
                return Ok(());
            }
            _ if Instant::now() < deadline => sleep(Duration::from_millis(50)).await,
            Ok(response) => bail!("port {port} answers {}", response.status),
            Err(error) => bail!("{error}\n{}", process.tail()),
        }
    }
}
