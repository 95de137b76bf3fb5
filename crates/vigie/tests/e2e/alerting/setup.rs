//! A Vigie with rules and receivers of its own, whose app is only a port that is opened and closed.

use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use vigie_testkit::http::{self, Response};
use vigie_testkit::{eventually, ports};

use super::ARRIVES;
use crate::common::Vigie;

/// The credential of the admin port.
pub(super) const TOKEN: &str = "a-token-for-the-api";
/// The environment that sets it.
pub(super) const GUARDED: [(&str, &str); 1] = [("VIGIE__ADMIN__TOKEN", TOKEN)];

/// Two alerts that fire while the app is down.
pub(super) const APP_DOWN: &str = "
groups:
  - name: own
    interval: 1s
    rules:
      - alert: AppDown
        expr: vigie_check_up{check='app'} == 0
        labels: {severity: critical}
        annotations: {summary: 'the check {{ $labels.check }} is {{ $value }}'}
      - alert: AppGone
        expr: vigie_check_up{check='app'} == 0
";

/// The files of a Vigie, and the port of its app.
pub(super) struct Setup {
    directory: TempDir,
    port: u16,
}

/// The app; its port is closed when this is dropped.
pub(super) struct App(JoinHandle<()>);

impl Setup {
    /// Vigie evaluates these rules.
    pub(super) fn new(rules: &str) -> Self {
        let setup = Self {
            directory: TempDir::new().unwrap(),
            port: ports::free(),
        };
        setup.write("own.rules", rules);
        setup
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Writes an `alertmanager.yml` with one receiver, `ops`, which gets each group of one name at once, and only once.
    pub(super) fn notifies(&self, integration: &str) {
        let text = format!(
            "route: {{receiver: ops, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}}\n\
             receivers: [{{name: ops, {integration}}}]\n"
        );
        self.write("alertmanager.yml", &text);
    }

    /// The sections of the configuration, without `[notify]`. More keys of `[alerts]` may follow.
    pub(super) fn sections(&self) -> String {
        format!(
            "[gateway]\napp = \"http://127.0.0.1:{}\"\n[checks.app]\nrequired = false\n\
             [history]\npath = {:?}\n[alerts]\nrules = [{:?}]\nbuiltin = []\n",
            self.port,
            self.path("history"),
            self.path("*.rules"),
        )
    }

    /// The sections of a Vigie that notifies the receiver of `alertmanager.yml`.
    pub(super) fn notifying(&self) -> String {
        let config = self.path("alertmanager.yml");
        self.sections() + &format!("[notify]\nconfig = {config:?}\n")
    }

    /// Starts Vigie with the credential, and waits until it has loaded the state of alerts.
    pub(super) async fn start(&self, sections: &str) -> Vigie {
        let vigie = Vigie::start_with(sections, &GUARDED).await;
        eventually(ARRIVES, async || {
            let answer = request(&vigie, "GET", "/api/v2/silences").await;
            (answer.status == 200).then_some(()).ok_or(answer.text())
        })
        .await;
        vigie
    }

    /// Opens the port of the app.
    pub(super) async fn app(&self) -> App {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        App(tokio::spawn(async move {
            while listener.accept().await.is_ok() {}
        }))
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A request to the admin port, with its credential.
pub(super) async fn request(vigie: &Vigie, method: &str, path: &str) -> Response {
    let headers = [("authorization", &*format!("Bearer {TOKEN}"))];
    let answer = http::request(vigie.admin, method, path, &headers, b"");
    answer.await.unwrap()
}

/// Waits until the log has this text.
pub(super) async fn logged(vigie: &Vigie, text: &str) {
    eventually(ARRIVES, async || match vigie.program.log() {
        log if log.contains(text) => Ok(()),
        _ => Err(format!("no {text:?} in the log")),
    })
    .await;
}

/// Runs `vigie` with these arguments and the configuration of the running one.
pub(super) async fn command(vigie: &Vigie, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.env_clear().envs(GUARDED).env("USER", "ada");
    command.args(arguments).arg("--config").arg(vigie.config());
    // Aside, because the servers of the test answer on this thread.
    let output = tokio::task::spawn_blocking(move || command.output());
    output.await.unwrap().unwrap()
}

/// The standard output of a command that succeeds.
pub(super) fn printed(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
