//! `vigie alerts` and `vigie silence`, the real binary, against a real Prometheus, a real Alertmanager and Vigie's API.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use vigie_notify::api::{self, Configured, Settings};
use vigie_notify::dispatch::{Dispatcher, Limits, Plan};
use vigie_notify::service::Handle;
use vigie_notify::{Alert, config};
use vigie_promql::Labels;
use vigie_testkit::{Alertmanager, Prometheus, SOON, Webhook, eventually};

const RULES: &str = r#"
groups:
  - name: queues
    interval: 1s
    rules:
      - alert: Backlog
        expr: label_replace(vector(512), "queue", "mail", "", "") > 500 and on () vector(1)
        labels: {severity: critical}
      - alert: Waiting
        expr: vector(1) > 0
        for: 1h
      - alert: Quiet
        expr: 3 < rate(nothing_total{queue="x"}[5m])
        for: 5m
      - alert: Many
        expr: MANY
"#;

fn vigie(url: SocketAddr, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.env_clear().env("TZ", "UTC").env("USER", "ada");
    command.env("VIGIE_URL", format!("http://{url}"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The standard output of a command that succeeds.
fn printed(url: SocketAddr, arguments: &[&str]) -> String {
    let output = vigie(url, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?} {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The exit code and the standard error of a command that fails.
fn failed(url: SocketAddr, arguments: &[&str]) -> (Option<i32>, String) {
    let output = vigie(url, arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), text)
}

/// The rows of a table, without the times in parentheses.
fn cells(table: &str) -> Vec<Vec<&str>> {
    let rows = table.lines();
    rows.map(|row| {
        row.split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect()
    })
    .collect()
}

async fn prometheus() -> (Prometheus, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("rules.yml");
    let many: Vec<_> = (0..32).map(|at| format!("many_{at}")).collect();
    fs::write(&rules, RULES.replace("MANY", &many.join(" or "))).unwrap();
    let config = format!("rule_files: ['{}']\n", rules.display());
    let prometheus = Prometheus::start(&config).await.unwrap();
    (prometheus, directory)
}

#[tokio::test]
async fn the_alerts_of_a_prometheus() {
    let (prometheus, _directory) = prometheus().await;
    let url = prometheus.addr();
    let table = eventually(SOON, async || {
        let table = printed(url, &["alerts"]);
        match table.contains("Backlog") && table.contains("Waiting") {
            true => Ok(table),
            false => Err(table),
        }
    })
    .await;
    let rows = cells(&table);
    assert_eq!(
        rows[0],
        ["state", "since", "value", "alert", "next message"]
    );
    assert_eq!(rows[1][0], "firing");
    assert_eq!(
        rows[1][2..],
        [
            "512",
            "Backlog{queue=\"mail\", severity=\"critical\"}",
            "this server does not notify"
        ]
    );
    assert_eq!(
        (rows[2][0], rows[2][2], rows[2][3]),
        ("pending", "1", "Waiting")
    );
    assert!(rows[2][4].starts_with("fires at "), "{table}");

    let all: Value = serde_json::from_str(&printed(url, &["alerts", "--json"])).unwrap();
    assert_eq!(all["alerts"][0]["labels"]["queue"], "mail");
    assert_eq!(
        vigie(url, &["alerts", "--fail-on", "firing"]).status.code(),
        Some(1)
    );

    let explained = printed(url, &["alerts", "explain", "Backlog"]);
    for line in [
        "    label_replace(vector(512), \"queue\", \"mail\", \"\", \"\")\n        512  {queue=\"mail\"}\n      must be > 500: 1 of 1\n",
        "  and\n    vector(1)\n        1\n",
    ] {
        assert!(explained.contains(line), "{explained}");
    }
    let explained = printed(url, &["alerts", "explain", "Quiet"]);
    for line in [
        "inactive; an alert fires after a result for 5m\n",
        "  rate(nothing_total{queue=\"x\"}[5m])\n      no result\n    must be > 3\n",
        "    none  nothing_total{queue=\"x\"}[5m]\n",
    ] {
        assert!(explained.contains(line), "{explained}");
    }
    let explained = printed(url, &["alerts", "explain", "Many"]);
    for line in [
        "  or\n  … and 33 more, which are not shown\n",
        "    none  many_29\n  … and 2 more, which are not shown\n",
    ] {
        assert!(explained.contains(line), "{explained}");
    }
    let (code, text) = failed(url, &["alerts", "explain", "Backlok"]);
    assert_eq!(code, Some(1));
    assert!(
        text.contains("there are: Backlog, Many, Quiet, Waiting"),
        "{text}"
    );
    let (code, text) = failed(url, &["alerts", "ack", "Backlog"]);
    assert!(
        code == Some(1) && text.contains("does not notify"),
        "{text}"
    );
}

/// Runs a server on a thread of its own: the commands block that of the test.
fn aside(server: impl Future<Output = ()> + Send + 'static) {
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        runtime.block_on(server);
    });
}

/// The API with one firing alert, and the rules of no file.
async fn notifier(writes: bool) -> (SocketAddr, Handle) {
    let text = "route: {receiver: ops, group_wait: 1h}\nreceivers: [{name: ops, webhook_configs: [{url: 'http://example.org'}]}]\n";
    let loaded = config::load(text).unwrap();
    let now = || Timestamp::now().as_millisecond();
    let dispatcher = Dispatcher::new(Plan::new(&loaded), Limits::default());
    let handle = Handle::new(dispatcher, now);
    let labels = Labels::new([("alertname", "Backlog"), ("queue", "mail")]);
    let alert = Alert {
        value: Some(512.0),
        ..Alert::firing(labels, now())
    };
    assert_eq!(handle.observe(vec![alert]), 0);
    let configured = Arc::new(Configured::new(&loaded, text));
    let settings = Settings {
        writes,
        started: now(),
        configured: Arc::new(move || Arc::clone(&configured)),
    };
    let empty = json!({"status": "success", "data": {"groups": []}}).to_string();
    let rules = axum::routing::get(move || async move { empty });
    let router = api::router(handle.clone(), settings).route("/api/v1/rules", rules);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let addr = listener.local_addr().unwrap();
    aside(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, router).await.unwrap();
    });
    (addr, handle)
}

#[tokio::test]
async fn an_alert_is_acknowledged_until_that_is_undone() {
    let (url, handle) = notifier(true).await;
    let table = printed(url, &["alerts"]);
    assert!(
        table.contains("to ops: the group waits for more alerts (group_wait)"),
        "{table}"
    );
    let (code, text) = failed(url, &["alerts", "ack", "Backlog", "queue=push"]);
    assert!(
        code == Some(1) && text.contains("no firing alert"),
        "{text}"
    );
    let done = printed(
        url,
        &[
            "alerts",
            "ack",
            "Backlog",
            "queue=mail",
            "--comment",
            "on it",
        ],
    );
    assert_eq!(
        done,
        "Backlog{queue=\"mail\"}: acknowledged, muted until it resolves\n"
    );
    let table = printed(url, &["alerts"]);
    assert!(
        table.contains("none to ops: acknowledged by ada@"),
        "{table}"
    );
    let all: Value = serde_json::from_str(&printed(url, &["alerts", "--json"])).unwrap();
    let fingerprint = all["alerts"][0]["fingerprint"].as_str().unwrap();
    printed(url, &["alerts", "ack", "--undo", fingerprint]);
    let acknowledged = handle.read(|dispatcher, _| {
        let mut alerts = dispatcher.alerts();
        alerts.any(|(_, acknowledgement)| acknowledgement.is_some())
    });
    assert!(!acknowledged);
    let (reading, _) = notifier(false).await;
    let (code, text) = failed(reading, &["alerts", "ack", "Backlog"]);
    assert!(
        code == Some(1) && text.contains("changes need credentials"),
        "{text}"
    );
}

fn silences(url: SocketAddr) {
    let arguments = [
        "silence",
        "add",
        "Backlog",
        "queue=~mail|push",
        "--for",
        "2h",
        "--comment",
        "import",
    ];
    let id = printed(url, &arguments);
    let id = id.trim();
    let table = printed(url, &["silence", "list", "alertname=Backlog"]);
    let rows = cells(&table);
    assert_eq!(
        rows[0],
        ["id", "state", "matchers", "ends", "author", "comment"]
    );
    assert_eq!(
        rows[1][..3],
        [id, "active", "alertname=\"Backlog\" queue=~\"mail|push\""]
    );
    assert!(
        rows[1][3].ends_with("(in 1h59m)") || rows[1][3].ends_with("(in 2h)"),
        "{table}"
    );
    assert!(rows[1][4].starts_with("ada@"), "{table}");
    assert_eq!(
        printed(url, &["silence", "list", "alertname=Other"]),
        "no silences\n"
    );
    assert_eq!(printed(url, &["silence", "expire", id]), "");
    assert_eq!(printed(url, &["silence", "list"]), "no silences\n");
    assert!(printed(url, &["silence", "list", "--expired"]).contains("expired"));
    let all: Value =
        serde_json::from_str(&printed(url, &["silence", "list", "--expired", "--json"])).unwrap();
    assert_eq!(all[0]["id"], id);
    for (arguments, code, part) in [
        (&["silence", "add", "a=~(", "--comment", "c"][..], 2, "a=~("),
        (
            &["silence", "add", "a=b", "c", "--comment", "c"],
            2,
            "accepted: name=value",
        ),
        (
            &["silence", "add", "a=b", "--for", "soon", "--comment", "c"],
            2,
            "like 30m, 2h or 1d",
        ),
        (
            &["silence", "add", "a=~.*", "--comment", "c"],
            1,
            "must not match the empty string",
        ),
        (&["silence", "expire", "../alerts"], 2, "no identifier"),
        (
            &["silence", "expire", "2b6e0c2c-0e48-4f06-8f2b-0e6b9b2b9f5a"],
            1,
            "2b6e0c2c",
        ),
    ] {
        let (found, text) = failed(url, arguments);
        assert!(
            found == Some(code) && text.contains(part),
            "{arguments:?} {found:?} {text}"
        );
    }
}

#[tokio::test]
async fn silences_of_vigie() {
    let (url, _) = notifier(true).await;
    silences(url);
}

#[tokio::test]
async fn silences_of_alertmanager() {
    let alertmanager = Alertmanager::start("route: {receiver: a}\nreceivers: [{name: a}]");
    let alertmanager = alertmanager.await.unwrap();
    silences(alertmanager.addr());
}

#[tokio::test]
async fn a_test_message_reaches_the_receivers_and_a_check_sends_none() {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    aside(async move {
        sender.send(Webhook::start().await.unwrap()).unwrap();
        std::future::pending::<()>().await;
    });
    let webhook = receiver.recv().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let closed = vigie_testkit::ports::free();
    let receivers = |good: &str| {
        format!(
            "route: {{receiver: good}}\nreceivers:\n  - {{name: good, webhook_configs: [{{url: '{good}'}}]}}\n  \
             - {{name: bad, webhook_configs: [{{url: 'http://127.0.0.1:{closed}/hidden'}}]}}\n",
        )
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}/hidden", listener.local_addr().unwrap());
    file("alertmanager.yml", &receivers(&silent));
    let config = file(
        "vigie.toml",
        "[admin]\nlisten = \"127.0.0.1:0\"\n[notify]\nconfig = \"alertmanager.yml\"\n",
    );
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
        command.env_clear().current_dir(directory.path());
        let output = command
            .args(arguments)
            .args(["--config", &config])
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (code, table, errors) = run(&["check"]);
    assert_eq!(code, Some(1), "{table} {errors}");
    assert!(
        table.contains("good webhook/0") && table.contains("ok      reachable"),
        "{table}"
    );
    assert!(
        table.contains("bad webhook/0") && table.contains("FAILED"),
        "{table}"
    );
    assert!(!table.contains("hidden"), "{table}");
    let mut sent = Vec::new();
    let (mut connection, _) = listener.accept().unwrap();
    std::io::Read::read_to_end(&mut connection, &mut sent).unwrap();
    assert_eq!(sent, b"");
    file("alertmanager.yml", &receivers(&webhook.url()));

    let (code, table, errors) = run(&["alerts", "test"]);
    assert_eq!(code, Some(1), "{table} {errors}");
    assert!(table.contains("good  webhook/0  delivered"), "{table}");
    assert!(
        table.contains("bad   webhook/0  FAILED") && !table.contains("hidden"),
        "{table}"
    );
    let sent = webhook.alerts().unwrap();
    assert_eq!(
        (sent.len(), &*sent[0].labels["alertname"]),
        (1, "VigieTest")
    );
    assert_eq!(run(&["alerts", "test", "good"]).0, Some(0));
    let (code, _, errors) = run(&["alerts", "test", "other"]);
    assert!(
        code == Some(2) && errors.contains("good (webhook/0), bad (webhook/0)"),
        "{errors}"
    );
}
