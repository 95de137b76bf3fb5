//! The program evaluates rules: after a start, a reload, SIGKILL and a restart.

use serde_json::Value;
use vigie_testkit::http;
use vigie_testkit::process::Signal;
use vigie_testkit::{SOON, eventually, ports};

use crate::common::Vigie;

const RULES: &str = "
groups:
  - name: own
    interval: 1s
    rules:
      - {record: 'up:max', expr: 'max(vigie_build_info)'}
      - alert: Always
        expr: up:max == 1
        labels: {severity: warning}
        annotations: {summary: 'it is {{ $value }}'}
";

async fn alerts(vigie: &Vigie) -> Vec<Value> {
    let answer = vigie.get("/api/v1/alerts").await;
    let answer = answer.json().unwrap_or_default();
    answer["data"]["alerts"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// Waits until exactly the alerts with these names and states are there, and returns them.
async fn until(vigie: &Vigie, expected: &[(&str, &str)]) -> Vec<Value> {
    eventually(SOON, async || {
        let alerts = alerts(vigie).await;
        let mut found: Vec<_> = alerts
            .iter()
            .map(|alert| {
                let name = alert["labels"]["alertname"].as_str().unwrap_or_default();
                (
                    name.to_owned(),
                    alert["state"].as_str().unwrap_or_default().to_owned(),
                )
            })
            .collect();
        found.sort();
        let same = found.iter().map(|(name, state)| (&**name, &**state));
        match same.eq(expected.iter().copied()) {
            true => Ok(alerts),
            false => Err(format!("{found:?}")),
        }
    })
    .await
}

async fn reload(vigie: &Vigie) -> http::Response {
    http::request(vigie.admin, "POST", "/-/reload", &[], b"")
        .await
        .unwrap()
}

#[tokio::test]
async fn rules_are_evaluated_reloaded_and_restored() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("own.yml");
    std::fs::write(&file, RULES).unwrap();
    let app = ports::free();
    let sections = format!(
        "[gateway]\napp = \"http://127.0.0.1:{app}\"\n[checks.app]\nrequired = false\n\
         [history]\npath = {:?}\n[alerts]\nrules = [{:?}]\nbuiltin = []\nreload = true\n",
        directory.path().join("history"),
        directory.path().join("*.yml"),
    );
    let mut vigie = Vigie::start(&sections).await;
    let firing = [("Always", "firing")];
    let before = until(&vigie, &firing).await;
    assert_eq!(before[0]["annotations"]["summary"], "it is 1");
    assert_eq!(before[0]["value"], "1e+00");
    let query = vigie.get("/api/v1/query?query=ALERTS").await;
    let series = &query.json().unwrap()["data"]["result"][0]["metric"];
    assert_eq!(series["alertname"], "Always");
    assert!(
        series["job"].is_null() && series["instance"].is_null(),
        "{series}"
    );

    // The state is written after it is shown.
    let state = directory.path().join("history/alerts/rules.state");
    eventually(SOON, async || {
        let saved = std::fs::read(&state).unwrap_or_default();
        let saved = String::from_utf8_lossy(&saved).into_owned();
        saved.contains("Always").then_some(()).ok_or(saved)
    })
    .await;
    vigie.kill9_and_restart().await;
    let after = until(&vigie, &firing).await;
    assert_eq!(
        after[0]["activeAt"], before[0]["activeAt"],
        "it is the same alert"
    );

    std::fs::write(&file, RULES.replace("== 1", "== ")).unwrap();
    let answer = reload(&vigie).await;
    assert_eq!(answer.status, 400);
    let text = answer.text();
    assert!(text.contains("own.yml:8:") && text.contains('^'), "{text}");
    until(&vigie, &firing).await;

    let later = "      - {alert: Later, expr: 'up:max == 1', for: 1h}\n";
    std::fs::write(&file, RULES.to_owned() + later).unwrap();
    vigie.program.process.signal(Signal::HUP);
    let both = until(&vigie, &[("Always", "firing"), ("Later", "pending")]).await;
    let always = both
        .iter()
        .find(|alert| alert["labels"]["alertname"] == "Always");
    assert_eq!(always.unwrap()["activeAt"], before[0]["activeAt"]);

    std::fs::write(&file, "groups: []").unwrap();
    assert_eq!(reload(&vigie).await.status, 200);
    assert_eq!(alerts(&vigie).await, [Value::Null; 0]);
    assert!(directory.path().join("history/alerts/rules.state").exists());
    vigie.stop().await;
}

#[tokio::test]
async fn a_mistake_in_a_rule_file_is_an_error_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("own.yml");
    std::fs::write(&file, RULES.replace("annotations", "anotations")).unwrap();
    let sections = format!("[alerts]\nrules = [{file:?}]\n");
    let mut vigie = Vigie::launch(&sections, &[]);
    let (code, _) = vigie.program.end().await;
    let log = vigie.program.log();
    assert_eq!(code, Some(2), "{log}");
    for expected in ["own.yml:10:", "did you mean `annotations`?", "^^^"] {
        assert!(log.contains(expected), "{expected} in {log}");
    }
}

#[tokio::test]
async fn reloads_by_http_are_off_by_default() {
    let vigie = Vigie::start("").await;
    let answer = reload(&vigie).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("alerts.reload"));
    let rules = vigie.get("/api/v1/rules").await.json().unwrap();
    let group = &rules["data"]["groups"][0];
    assert_eq!(group["file"], "builtin/essential.yml");
    vigie.stop().await;
}
