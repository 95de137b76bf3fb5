//! The real amtool against the running program.

use std::process::{Command, Output};

use serde_json::Value;
use vigie_testkit::webhook::Status;
use vigie_testkit::{Webhook, eventually, tools};

use super::ARRIVES;
use super::setup::{APP_DOWN, Setup, TOKEN, printed};
use crate::common::Vigie;

/// amtool with or without the credential.
struct Amtool<'a> {
    vigie: &'a Vigie,
    credentials: Option<String>,
}

impl Amtool<'_> {
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(tools::AMTOOL.find().unwrap());
        command.env_clear().env("HOME", "/nonexistent");
        command.arg(format!("--alertmanager.url=http://{}", self.vigie.admin));
        if let Some(file) = &self.credentials {
            command.arg(format!("--http.config.file={file}"));
        }
        command.args(arguments).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let printed = printed(self.run(&[arguments, &["-o", "json"]].concat()));
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }

    /// Asserts that it fails and says this.
    fn fails(&self, arguments: &[&str], reason: &str) {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(reason), "{said}");
    }
}

/// The names of alerts, sorted.
fn names(alerts: &Value) -> Vec<&str> {
    let alerts = alerts.as_array().unwrap();
    let names = alerts.iter().map(|alert| &alert["labels"]["alertname"]);
    let mut names: Vec<_> = names.map(|name| name.as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

const ADD: [&str; 6] = [
    "silence",
    "add",
    "alertname=AppDown",
    "--comment=maintenance",
    "--author=ada",
    "--duration=1h",
];

#[tokio::test]
async fn a_silence_mutes_and_its_end_unmutes() {
    let webhook = Webhook::start().await.unwrap();
    let setup = Setup::new(APP_DOWN);
    setup.notifies(&format!("webhook_configs: [{{url: '{}'}}]", webhook.url()));
    let app = setup.app().await;
    let vigie = setup.start(&setup.notifying()).await;
    let file = setup.path("http.yml");
    std::fs::write(&file, format!("authorization: {{credentials: {TOKEN}}}\n")).unwrap();
    let amtool = Amtool {
        vigie: &vigie,
        credentials: Some(file.display().to_string()),
    };
    let unknown = Amtool {
        vigie: &vigie,
        credentials: None,
    };
    unknown.fails(&ADD, "401");
    unknown.fails(&["alert", "query"], "401");
    assert_eq!(amtool.json(&["silence", "query"]), serde_json::json!([]));

    let config = printed(amtool.run(&["config", "show"]));
    assert!(config.contains("receiver: ops"), "{config}");
    let routes = printed(amtool.run(&["config", "routes"]));
    assert!(routes.contains("receiver: ops"), "{routes}");
    let routed = printed(amtool.run(&["config", "routes", "test", "alertname=AppDown"]));
    assert_eq!(routed.trim(), "ops");

    let id = printed(amtool.run(&ADD));
    let id = id.trim();
    let silences = amtool.json(&["silence", "query", "alertname=AppDown"]);
    assert_eq!(silences[0]["id"], id);
    assert_eq!(silences[0]["status"]["state"], "active");
    drop(app);
    let gone = [("alertname", "AppGone")];
    let firing = webhook.wait_for(Status::Firing, &gone, 0, ARRIVES);
    firing.await.unwrap();
    assert_eq!(names(&amtool.json(&["alert"])), ["AppGone"]);
    let silenced = amtool.json(&["alert", "query", "--silenced"]);
    assert_eq!(names(&silenced), ["AppDown"]);
    assert_eq!(silenced[0]["status"]["state"], "suppressed");
    assert_eq!(silenced[0]["status"]["silencedBy"][0], id);

    // Both fired at the same evaluation, and their groups do not wait.
    let down = [("alertname", "AppDown")];
    let alerts = webhook.alerts().unwrap();
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
    unknown.fails(&["silence", "expire", id], "401");
    printed(amtool.run(&["silence", "expire", id]));
    let firing = webhook.wait_for(Status::Firing, &down, 0, ARRIVES);
    firing.await.unwrap();
    eventually(ARRIVES, async || {
        let alerts = amtool.json(&["alert"]);
        match names(&alerts)[..] {
            ["AppDown", "AppGone"] => Ok(()),
            _ => Err(alerts),
        }
    })
    .await;
    assert_eq!(amtool.json(&["silence", "query"]), serde_json::json!([]));
    let expired = amtool.json(&["silence", "query", "--expired"]);
    assert_eq!(expired[0]["id"], id);
    vigie.stop().await;
}

#[tokio::test]
async fn writes_need_configured_credentials() {
    let setup = Setup::new("groups: []\n");
    let vigie = Vigie::start(&setup.sections()).await;
    let amtool = Amtool {
        vigie: &vigie,
        credentials: None,
    };
    // Until the state is loaded, the answer is 503.
    eventually(ARRIVES, async || {
        let answer = vigie.get("/api/v2/silences").await;
        (answer.status == 200).then_some(()).ok_or(answer.text())
    })
    .await;
    amtool.fails(&ADD, "403");
    amtool.fails(&["alert", "add", "alertname=Foreign"], "403");
    assert_eq!(amtool.json(&["alert"]), serde_json::json!([]));
    assert_eq!(amtool.json(&["silence", "query"]), serde_json::json!([]));
    vigie.stop().await;
}
