//! A disk that hangs: the gateway serves, and rules are evaluated.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use vigie_testkit::process::Signal;
use vigie_testkit::{HeldFile, eventually, http, ports};

use crate::common::{Program, Vigie};

/// Several evaluations, on a busy machine.
const SOON: Duration = Duration::from_secs(60);
/// A pending alert, whose state is saved at each evaluation.
const RULES: &str = "
groups:
  - name: own
    interval: 1s
    rules:
      - {alert: Later, expr: 'vector(1)', for: 1h}
";

fn sections(directory: &Path) -> String {
    format!(
        "[gateway]\napp = \"http://127.0.0.1:{}\"\n[checks.app]\nrequired = false\n\
         [alerts]\npath = {:?}\nrules = [{:?}]\nbuiltin = []\n",
        ports::free(),
        directory.join("state"),
        directory.join("own.yml"),
    )
}

/// The only group, if the rules are read.
async fn group(vigie: &Vigie) -> Value {
    let rules = vigie.get("/api/v1/rules").await.json().unwrap();
    rules["data"]["groups"][0].clone()
}

/// Waits for an evaluation that is not the one at `before`, and returns its time.
async fn next_evaluation(vigie: &Vigie, before: &Value) -> Value {
    eventually(SOON, async || {
        let last = group(vigie).await["lastEvaluation"].clone();
        match last.is_null() || last == *before {
            true => Err(format!("{last}")),
            false => Ok(last),
        }
    })
    .await
}

/// Waits until the gateway answers. There is no app behind it.
async fn gateway_serves(vigie: &Vigie) {
    eventually(SOON, async || match http::get(vigie.gateway, "/").await {
        Ok(answer) if answer.status == 502 => Ok(()),
        Ok(answer) => Err(answer.text()),
        Err(error) => Err(error.to_string()),
    })
    .await;
}

#[tokio::test]
async fn rules_are_evaluated_while_their_state_cannot_be_written() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("own.yml"), RULES).unwrap();
    let vigie = Vigie::start(&sections(directory.path())).await;
    let mut last = next_evaluation(&vigie, &Value::Null).await;
    let state = directory.path().join("state/rules.state");
    eventually(SOON, async || {
        state.exists().then_some(()).ok_or("no state")
    })
    .await;
    let mut held = HeldFile::hold(&state).await.unwrap();
    held.awaited().await.unwrap();
    for _ in 0..3 {
        last = next_evaluation(&vigie, &last).await;
    }
    gateway_serves(&vigie).await;
    drop(held);
    vigie.stop().await;
}

#[tokio::test]
async fn the_gateway_does_not_wait_for_rule_files() {
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("own.yml");
    std::fs::write(&rules, RULES).unwrap();
    let mut held = HeldFile::hold(&rules).await.unwrap();
    let mut vigie = Vigie::launch(&sections(directory.path()), &[]);
    held.awaited().await.unwrap();
    gateway_serves(&vigie).await;
    vigie.until_ready().await;
    drop(held);
    next_evaluation(&vigie, &Value::Null).await;
    vigie.stop().await;
}

#[tokio::test]
async fn a_reload_that_waits_for_a_disk_delays_neither_evaluations_nor_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("own.yml");
    std::fs::write(&rules, RULES).unwrap();
    let vigie = Vigie::start(&sections(directory.path())).await;
    let mut last = next_evaluation(&vigie, &Value::Null).await;
    let mut held = HeldFile::hold(&rules).await.unwrap();
    vigie.program.process.signal(Signal::HUP);
    held.awaited().await.unwrap();
    for _ in 0..3 {
        last = next_evaluation(&vigie, &last).await;
    }
    vigie.stop().await;
    drop(held);
}

#[tokio::test]
async fn the_check_names_a_file_of_receivers_on_a_disk_that_hangs() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("alertmanager.yml");
    std::fs::write(&file, "route: {receiver: a}\nreceivers: [{name: a}]\n").unwrap();
    let settings = directory.path().join("vigie.toml");
    let text = format!("[checks]\ntimeout = \"1s\"\n[notify]\nconfig = {file:?}\n");
    std::fs::write(&settings, text).unwrap();
    let held = HeldFile::hold(&file).await.unwrap();
    let log = directory.path().join("log");
    let arguments = ["check", "--config", settings.to_str().unwrap()];
    let mut check = Program::start(&arguments, &[], &log);
    let (code, table) = check.end().await;
    drop(held);
    assert_eq!(code, Some(1), "{table}");
    assert!(table.contains("the disk with the file hangs"), "{table}");
    assert!(table.contains("rules "), "the other rows follow: {table}");
}
