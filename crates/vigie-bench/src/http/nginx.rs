//! nginx, as the app and as a proxy.

use std::path::Path;
use std::process::Command;

use anyhow::Context;
use tempfile::TempDir;
use vigie_testkit::{Process, ports, tools};

use super::load::until_answers;
use super::{BODY_BYTES, LARGE_BYTES, SLOW_BYTES};
use crate::{pinned, usage};

/// nginx with one worker.
pub(super) struct Nginx {
    // Before the directory: fields are dropped in this order.
    process: Process,
    _directory: TempDir,
}

impl Nginx {
    /// Starts it on a core. `http` returns the contents of the block `http`, and may put files into the directory.
    async fn start(
        core: usize,
        port: u16,
        http: impl FnOnce(&Path) -> anyhow::Result<String>,
    ) -> anyhow::Result<Self> {
        let program = tools::NGINX.find()?;
        let directory = tempfile::Builder::new().prefix("vigie-bench-").tempdir()?;
        let path = directory.path().join("nginx.conf");
        let http = http(directory.path())?;
        std::fs::write(&path, configuration(&program, directory.path(), &http)?)?;
        let mut command = pinned::command(core, &program)?;
        command.args(["-e", "stderr", "-p"]).arg(directory.path());
        command.arg("-c").arg(&path);
        let process = Process::spawn("nginx", command)?;
        until_answers(port, &process).await?;
        Ok(Self {
            process,
            _directory: directory,
        })
    }

    /// A proxy with keep-alive connections to the app, as its manual has it, which tells the app what Vigie does.
    pub(super) async fn proxy(port: u16, app: u16) -> anyhow::Result<Self> {
        Self::start(pinned::MEASURED, port, |_| {
            // For clients that do not read, its memory is measured and not its disk.
            Ok(format!(
                "proxy_http_version 1.1;
                 proxy_set_header Connection '';
                 proxy_set_header Host $http_host;
                 proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                 proxy_set_header X-Forwarded-Host $http_host;
                 proxy_set_header X-Forwarded-Proto $scheme;
                 proxy_set_header Forwarded 'for=$remote_addr;host=\"$http_host\";proto=$scheme';
                 upstream app {{ server 127.0.0.1:{app}; keepalive 64; keepalive_requests 1000000000; }}
                 server {{ listen 127.0.0.1:{port} backlog=4096;
                   location / {{ proxy_pass http://app; }}
                   location = /slow {{ proxy_pass http://app; proxy_max_temp_file_size 0; }} }}"
            ))
        })
        .await
    }

    /// The process that serves.
    pub(super) fn worker(&self) -> anyhow::Result<u32> {
        usage::only_child(self.process.id())
    }
}

/// An app that answers by itself, on the core of the load.
pub(crate) struct Backend {
    pub(crate) port: u16,
    nginx: Nginx,
}

impl Backend {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let port = ports::free();
        let head = r#"{"id":42,"name":""#;
        let filler = "x".repeat(BODY_BYTES - head.len() - r#""}"#.len());
        let nginx = Nginx::start(pinned::OTHERS, port, |directory| {
            for (name, length) in [("large", LARGE_BYTES), ("slow", SLOW_BYTES)] {
                std::fs::write(directory.join(name), vec![b'x'; length])?;
            }
            let root = directory.display();
            Ok(format!(
                "sendfile on; tcp_nopush on; open_file_cache max=10; default_type application/json;
                 server {{ listen 127.0.0.1:{port} backlog=4096;
                   location / {{ return 200 '{head}{filler}\"}}'; }}
                   location = /large {{ root {root}; }}
                   location = /slow {{ root {root}; }} }}"
            ))
        })
        .await?;
        Ok(Self { port, nginx })
    }

    /// The process that serves.
    pub(super) fn worker(&self) -> anyhow::Result<u32> {
        self.nginx.worker()
    }
}

fn configuration(program: &Path, directory: &Path, http: &str) -> anyhow::Result<String> {
    let directory = directory.display();
    let mut text = format!(
        "daemon off; worker_processes 1; worker_rlimit_nofile {files}; pid {directory}/pid;
         error_log stderr error; events {{ worker_connections {connections}; }}\n",
        files = pinned::MANY_FILES,
        connections = pinned::MANY_FILES - 100,
    );
    if rustix::process::geteuid().is_root() {
        // The directory is ours alone.
        text.push_str("user root;\n");
    }
    // Idle connections stay open for as long as they are measured.
    text.push_str(
        "http { access_log off; keepalive_requests 1000000000; keepalive_timeout 3600;\n",
    );
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
