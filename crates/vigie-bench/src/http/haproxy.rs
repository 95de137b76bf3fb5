//! HAProxy with one thread.

use tempfile::TempDir;
use vigie_testkit::{Process, tools};

use super::load::until_answers;
use crate::pinned;

/// HAProxy with its default reuse of connections to the app, which tells the app what Vigie does.
pub(super) struct Haproxy {
    // Before the directory: fields are dropped in this order.
    process: Process,
    _directory: TempDir,
}

impl Haproxy {
    pub(super) async fn start(port: u16, app: u16) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("vigie-bench-").tempdir()?;
        let path = directory.path().join("haproxy.cfg");
        // Two descriptors a connection.
        let connections = pinned::MANY_FILES / 2 - 100;
        let configuration = format!(
            "global
  nbthread 1
  maxconn {connections}
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h
frontend clients
  bind 127.0.0.1:{port}
  option forwardfor
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Proto http
  http-request set-header Forwarded for=%[src];host=\"%[req.hdr(host)]\";proto=http
  default_backend app
backend app
  server app 127.0.0.1:{app}
"
        );
        std::fs::write(&path, configuration)?;
        let mut command = pinned::command(pinned::MEASURED, &tools::HAPROXY.find()?)?;
        // In the foreground.
        command.arg("-db").arg("-f").arg(&path);
        let process = Process::spawn("haproxy", command)?;
        until_answers(port, &process).await?;
        Ok(Self {
            process,
            _directory: directory,
        })
    }

    pub(super) fn process(&self) -> u32 {
        self.process.id()
    }
}
