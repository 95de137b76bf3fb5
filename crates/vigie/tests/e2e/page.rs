//! The web page in a real browser. The tests are in `page/e2e`; here are the backend, its traffic and an alert.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use vigie_testkit::webhook::Webhook;
use vigie_testkit::{Process, Script, http, ports, tools};

use crate::common::{Stage, Vigie};

/// The time that the browser needs on a busy machine.
const BROWSER: Duration = Duration::from_secs(15 * 60);
/// Longer than the tests take; the script is stopped.
const PLAY: &str = "1800";
/// HTML that would run a script if the page inserted it as such.
const HOSTILE: &str = "<img src=x onerror=hostile=1>";

/// A queue whose jobs fail, and why: with personal data and secrets in the reasons.
const FAILING: &str = "deliveries/eu #1";
const REASONS: [(&str, &str, &str); 4] = [
    (
        "welcome",
        "3",
        "550 no mailbox for ada@example.org (user 4711, order 123e4567-e89b-12d3-a456-426614174000)",
    ),
    ("welcome", "1", "connect ECONNREFUSED 10.20.30.40:25"),
    (
        "digest",
        "2",
        "GET https://ada:hunter2@api.example.org/users/4711?key=hunter2 answered with status code 503",
    ),
    (HOSTILE, "1", HOSTILE),
];
const LINK: &str = "[page]\nqueue_link = \"https://bull.example.org/queue/{queue}\"\n";

/// A dashboard with a panel for each queue, and filters.
const REPEATED: &str = r#"{
  "title": "Each queue", "schemaVersion": 39, "time": {"from": "now-5m", "to": "now"},
  "templating": {"list": [
    {"type": "query", "name": "queue", "query": "label_values(queue_jobs_total, queue)", "multi": true, "includeAll": true, "sort": 1},
    {"type": "adhoc", "name": "filters", "label": "Filter"}
  ]},
  "panels": [
    {"type": "row", "title": "Queues", "gridPos": {"x": 0, "y": 0, "w": 24, "h": 1}, "panels": []},
    {"id": 1, "type": "stat", "title": "Jobs of $queue", "repeat": "queue", "maxPerRow": 4, "gridPos": {"x": 0, "y": 1, "w": 24, "h": 4},
     "targets": [{"refId": "A", "expr": "max by (state) (queue_jobs_total{queue=\"$queue\"})", "legendFormat": "{{state}}"}],
     "options": {"textMode": "value_and_name"}}
  ]
}"#;

/// The token of a Vigie that needs one.
const TOKEN: &str = "page-token";
/// The user and the password of another one.
const USER: [&str; 2] = ["ada", "page-password"];
/// The rule of the guarded ones, whose app does not run.
const RULES: &str = "
groups:
  - name: own
    rules:
      - alert: AppDown
        expr: vigie_check_up{check='app'} == 0
        labels: {severity: critical}
        annotations: {summary: 'the check {{ $labels.check }} is {{ $value }}'}
";

/// `page/` in the workspace.
fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../page")
}

/// A Vigie that needs credentials, whose alert `AppDown` fires and is sent to a receiver.
async fn guarded(
    directory: &Path,
    receiver: &Webhook,
    credentials: &[(&str, &str)],
    page: &str,
) -> Vigie {
    let [rules, config] = ["own.yml", "alertmanager.yml"].map(|name| directory.join(name));
    fs::write(&rules, RULES).unwrap();
    let receivers = format!(
        "route: {{receiver: ops}}\nreceivers: [{{name: ops, webhook_configs: [{{url: {:?}}}]}}]\n",
        receiver.url()
    );
    fs::write(&config, receivers).unwrap();
    let sections = format!(
        "[gateway]\napp = \"http://127.0.0.1:{}\"\n[checks.app]\nrequired = false\n\
         [alerts]\nrules = [{rules:?}]\nbuiltin = []\n[notify]\nconfig = {config:?}\n[page]\n{page}\n",
        ports::free()
    );
    Vigie::start_with(&sections, credentials).await
}

#[tokio::test]
async fn the_page_shows_the_backend_in_a_browser() {
    let chromium = tools::CHROMIUM.find().unwrap();
    let files = TempDir::new().unwrap();
    let dashboards = files.path().join("dashboards");
    fs::create_dir(&dashboards).unwrap();
    fs::write(dashboards.join("repeated.json"), REPEATED).unwrap();
    let sections = format!("{LINK}dashboards = {dashboards:?}\n");
    let stage = Stage::set_with_sections(&[], &sections).await;
    let index = [("accept", "text/html")];
    let index = http::request(stage.vigie.admin, "GET", "/", &index, b"").await;
    let index = index.unwrap().text();
    assert!(
        index.contains("<!doctype html>"),
        "the page is not built: run `cargo xtask page`, and compile again\n{index}"
    );

    stage.fill(HOSTILE, &["--waiting", "501"]).await;
    for (name, count, reason) in REASONS {
        let failed = ["--name", name, "--failed", count, "--reason", reason];
        stage.fill(FAILING, &failed).await;
    }
    stage.fill(FAILING, &["--waiting", "7"]).await;
    let target = format!("http://{}", stage.vigie.gateway);
    let traffic = Script::new("traffic/traffic.js");
    let traffic = traffic.args(["--target", &target, "--players", "8", "--seconds", PLAY]);
    let mut traffic = traffic.spawn().unwrap();

    let receiver = Webhook::start().await.unwrap();
    let token = [("VIGIE__ADMIN__TOKEN", TOKEN)];
    let password = [
        ("VIGIE__ADMIN__USERNAME", USER[0]),
        ("VIGIE__ADMIN__PASSWORD", USER[1]),
    ];
    let locked = guarded(files.path(), &receiver, &password, "public = true").await;
    let guarded = guarded(files.path(), &receiver, &token, "").await;
    let screenshots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
    let mut command = Command::new(tools::NPM.find().unwrap());
    command
        .args(["run", "--silent", "e2e"])
        .current_dir(page())
        .env("PAGE_ADMIN", format!("http://{}", stage.vigie.admin))
        .env("PAGE_QUEUE", HOSTILE)
        .env("PAGE_FAILING", FAILING)
        .env("PAGE_GUARDED", format!("http://{}", guarded.admin))
        .env("PAGE_TOKEN", TOKEN)
        .env("PAGE_LOCKED", format!("http://{}", locked.admin))
        .env("PAGE_USERNAME", USER[0])
        .env("PAGE_PASSWORD", USER[1])
        .env("PAGE_CHROMIUM", chromium)
        .env("PAGE_SCREENSHOTS", &screenshots);
    let mut tests = Process::spawn("npm run e2e in page/", command).unwrap();
    let status = tests.wait(BROWSER).await.unwrap();
    assert!(status.success(), "{}", tests.tail());

    traffic.stop(Duration::from_secs(10)).await;
    guarded.stop().await;
    locked.stop().await;
    stage.end().await;
}
