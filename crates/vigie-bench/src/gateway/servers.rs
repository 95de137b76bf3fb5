//! The backend, and the two proxies in front of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;
use vigie_testkit::{Process, http, ports, tools};

use crate::{pinned, usage};

/// The length of the backend's response.
pub(crate) const BODY_BYTES: usize = 111;
/// A server gets this long to answer.
const START: Duration = Duration::from_secs(20);

/// nginx that answers by itself, on the core of the load.
pub(crate) struct Backend {
    pub(crate) port: u16,
    _nginx: Nginx,
}

impl Backend {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let port = ports::free();
        let head = r#"{"id":42,"name":""#;
        let filler = "x".repeat(BODY_BYTES - head.len() - r#""}"#.len());
        let http = format!(
            "server {{ listen 127.0.0.1:{port}; location / {{
               default_type application/json; return 200 '{head}{filler}\"}}'; }} }}"
        );
        let nginx = Nginx::start(pinned::OTHERS, &http)?;
        until_answers(port, &nginx.process).await?;
        Ok(Self {
            port,
            _nginx: nginx,
        })
    }
}

/// A proxy to be started, in front of the backend on that port.
pub(super) enum Proxy {
    Nginx(u16),
    Vigie(u16, PathBuf),
}

/// A proxy that runs.
pub(super) struct Running {
    pub(super) port: u16,
    /// The process that carries the requests.
    serving: u32,
    // Before the directory: dropped in this order.
    _process: Process,
    _directory: Option<TempDir>,
}

impl Proxy {
    pub(super) async fn start(&self) -> anyhow::Result<Running> {
        let port = ports::free();
        match self {
            Self::Nginx(backend) => {
                let nginx = Nginx::start(pinned::MEASURED, &proxying(port, *backend))?;
                until_answers(port, &nginx.process).await?;
                Ok(Running {
                    port,
                    serving: usage::only_child(nginx.process.id())?,
                    _process: nginx.process,
                    _directory: Some(nginx.directory),
                })
            }
            Self::Vigie(backend, program) => {
                let mut command = pinned::command(pinned::MEASURED, program)?;
                command
                    .args(["run", "--app", &format!("http://127.0.0.1:{backend}")])
                    .args(["--listen", &format!("127.0.0.1:{port}")])
                    .args(["--admin", &format!("127.0.0.1:{}", ports::free())]);
                let process = Process::spawn("vigie", command)?;
                until_answers(port, &process).await?;
                Ok(Running {
                    port,
                    serving: process.id(),
                    _process: process,
                    _directory: None,
                })
            }
        }
    }
}

impl Running {
    pub(super) fn cpu(&self) -> anyhow::Result<Duration> {
        usage::cpu(self.serving)
    }

    pub(super) fn resident(&self) -> anyhow::Result<u64> {
        usage::resident(self.serving)
    }
}

/// The part of nginx' configuration that makes it a proxy as its own manual has it for keep-alive, and lets it tell the
/// app what Vigie tells.
fn proxying(port: u16, backend: u16) -> String {
    format!(
        "upstream app {{ server 127.0.0.1:{backend}; keepalive 64; keepalive_requests 1000000000; }}
         server {{ listen 127.0.0.1:{port}; location / {{
           proxy_pass http://app;
           proxy_http_version 1.1;
           proxy_set_header Connection '';
           proxy_set_header Host $http_host;
           proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
           proxy_set_header X-Forwarded-Host $http_host;
           proxy_set_header X-Forwarded-Proto $scheme;
           proxy_set_header Forwarded 'for=$remote_addr;host=\"$http_host\";proto=$scheme';
           proxy_set_header Via '1.1 nginx'; }} }}"
    )
}

/// nginx with one worker.
struct Nginx {
    // Before the directory: dropped in this order.
    process: Process,
    directory: TempDir,
}

impl Nginx {
    fn start(core: usize, http: &str) -> anyhow::Result<Self> {
        let program = tools::NGINX.find()?;
        let directory = tempfile::Builder::new().prefix("vigie-bench-").tempdir()?;
        let path = directory.path().join("nginx.conf");
        std::fs::write(&path, configuration(&program, directory.path(), http)?)?;
        let mut command = pinned::command(core, &program)?;
        command.args(["-e", "stderr", "-p"]).arg(directory.path());
        command.arg("-c").arg(&path);
        Ok(Self {
            process: Process::spawn("nginx", command)?,
            directory,
        })
    }
}

fn configuration(program: &Path, directory: &Path, http: &str) -> anyhow::Result<String> {
    let directory = directory.display();
    let mut text = format!(
        "daemon off; worker_processes 1; worker_rlimit_nofile 10000; pid {directory}/pid;
         error_log stderr error; events {{ worker_connections 8192; }}\n"
    );
    if rustix::process::geteuid().is_root() {
        // The directory is ours alone.
        text.push_str("user root;\n");
    }
    text.push_str("http { access_log off; keepalive_requests 1000000000;\n");
    // The built-in places belong to the installed service; only modules that were built in have one.
    let built = Command::new(program).arg("-V").output().context("nginx")?;
    let built = String::from_utf8_lossy(&built.stderr).into_owned();
    for (option, module) in [
        ("client-body", "client_body"),
        ("proxy", "proxy"),
        ("fastcgi", "fastcgi"),
        ("uwsgi", "uwsgi"),
        ("scgi", "scgi"),
    ] {
        if built.contains(&format!("--http-{option}-temp-path=")) {
            text.push_str(&format!("{module}_temp_path {directory}/{module};\n"));
        }
    }
    text.push_str(http);
    text.push_str("\n}\n");
    Ok(text)
}

async fn until_answers(port: u16, process: &Process) -> anyhow::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let deadline = Instant::now() + START;
    loop {
        match http::get(address, "/").await {
            Ok(response) if response.status == 200 && response.body.len() == BODY_BYTES => {
                return Ok(());
            }
            _ if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(50)).await,
            Ok(response) => bail!("port {port} answers {}", response.status),
            Err(error) => bail!("{error}\n{}", process.tail()),
        }
    }
}
