//! Reloads of the running program keep the state of unchanged groups.

use serde_json::Value;
use vigie_testkit::eventually;
use vigie_testkit::process::Signal;

use super::ARRIVES;
use super::setup::{GUARDED, Setup, request};
use crate::common::Vigie;

const PENDING: &str = "
groups:
  - name: waiting
    interval: 1s
    rules:
      - {alert: Later, expr: 'vector(1)', for: 1h}
";

/// A file with one alert of this name.
fn other(name: &str) -> String {
    format!(
        "groups: [{{name: other, interval: 1s, rules: [{{alert: {name}, expr: 'vector(1)'}}]}}]\n"
    )
}

/// Waits until the alerts are `Later` and this one, and returns `Later`.
async fn beside(vigie: &Vigie, name: &str) -> Value {
    eventually(ARRIVES, async || {
        let answer = request(vigie, "GET", "/api/v1/alerts").await;
        let answer = answer.json().map_err(|error| error.to_string())?;
        let alerts = answer["data"]["alerts"].as_array().ok_or("none")?;
        let named = |name: &str| {
            let mut alerts = alerts.iter();
            alerts.find(|alert| alert["labels"]["alertname"] == name)
        };
        match (alerts.len(), named("Later"), named(name)) {
            (2, Some(later), Some(_)) => Ok(later.clone()),
            _ => Err(answer.to_string()),
        }
    })
    .await
}

#[tokio::test]
async fn a_pending_alert_of_an_unchanged_group_keeps_its_start() {
    let setup = Setup::new(PENDING);
    setup.write("other.rules", &other("First"));
    let sections = setup.sections() + "reload = true\n";
    let vigie = Vigie::start_with(&sections, &GUARDED).await;
    let before = beside(&vigie, "First").await;
    assert_eq!(before["state"], "pending");

    setup.write("other.rules", &other("Second"));
    vigie.program.process.signal(Signal::HUP);
    let after = beside(&vigie, "Second").await;
    assert_eq!(after, before, "after SIGHUP");

    setup.write("other.rules", &other("Third"));
    let unknown = vigie_testkit::http::request(vigie.admin, "POST", "/-/reload", &[], b"");
    assert_eq!(unknown.await.unwrap().status, 401);
    beside(&vigie, "Second").await;
    assert_eq!(request(&vigie, "POST", "/-/reload").await.status, 200);
    let after = beside(&vigie, "Third").await;
    assert_eq!(after, before, "after POST /-/reload");

    // A mistake in one file leaves the rules of all as they were.
    setup.write("other.rules", &other("Fourth").replace("expr", "exrp"));
    assert_eq!(request(&vigie, "POST", "/-/reload").await.status, 400);
    vigie.program.process.signal(Signal::HUP);
    let after = beside(&vigie, "Third").await;
    assert_eq!(after, before, "after a mistake");
    let metric = request(&vigie, "GET", "/metrics").await.text();
    assert!(
        metric.contains("\nvigie_config_last_reload_successful 0\n"),
        "{metric}"
    );
    vigie.stop().await;
}
