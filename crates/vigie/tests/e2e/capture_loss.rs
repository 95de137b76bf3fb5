//! A capture that misses too much is down: alerts on what it cannot know are neither fired nor resolved.

use serde_json::Value;
use tempfile::TempDir;
use vigie_testkit::http::Connection;
use vigie_testkit::{Fault, FaultServer, SOON, eventually, faults};

use crate::common::Vigie;

/// Several times what fits into the ring.
const REQUESTS: usize = 6_000;
const RULES: &str = "
groups:
  - name: own
    interval: 1s
    rules:
      - {alert: NoSockets, expr: socket_active_connections == 0}
      - {alert: Lossy, expr: vigie_capture_loss_ratio > 0.01}
";

#[tokio::test]
#[cfg_attr(not(tests_capture), ignore = "needs CAP_NET_RAW")]
async fn alerts_on_what_a_lossy_capture_cannot_know_are_not_resolved() {
    let answer = Fault::Answer(faults::http_answer(200, "x"));
    let app = FaultServer::start(answer).await.unwrap();
    let files = TempDir::new().unwrap();
    let rules = files.path().join("own.yml");
    std::fs::write(&rules, RULES).unwrap();
    let vigie = Vigie::start(&format!(
        "[capture]\nlisten = [\"lo:{}\"]\nring_bytes = \"512KiB\"\nsettle = \"0s\"\n\
         [alerts]\nrules = [{rules:?}]\nbuiltin = []\n",
        app.addr().port()
    ))
    .await;
    until(&vigie, "NoSockets", |alert| alert["unknownSince"].is_null()).await;
    assert_eq!(
        value(&vigie, "vigie_capture_loss_ratio", &[]).await,
        Some(0.0)
    );

    // Packets arrive while Vigie gets no processor.
    vigie.program.process.freeze();
    let mut client = Connection::open(app.addr()).await.unwrap();
    for _ in 0..REQUESTS {
        client
            .send(b"GET / HTTP/1.1\r\nHost: app\r\n\r\n")
            .await
            .unwrap();
        client.response().await.unwrap();
    }
    vigie.program.process.thaw();

    until(&vigie, "NoSockets", |alert| {
        alert["unknownSince"].is_string()
    })
    .await;
    until(&vigie, "Lossy", |_| true).await;
    let source = &[("source", "capture")];
    assert_eq!(value(&vigie, "vigie_source_up", source).await, Some(0.0));
    assert_eq!(value(&vigie, "socket_active_connections", &[]).await, None);
    vigie.stop().await;
}

async fn value(vigie: &Vigie, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    vigie.scrape().await.value(name, labels)
}

/// Waits until the alert fires and is as expected.
async fn until(vigie: &Vigie, name: &str, is_expected: impl Fn(&Value) -> bool) {
    eventually(SOON, async || {
        let answer = vigie.get("/api/v1/alerts").await.json().unwrap();
        let alerts = answer["data"]["alerts"].as_array().unwrap();
        let found = alerts
            .iter()
            .find(|alert| alert["labels"]["alertname"] == name && alert["state"] == "firing");
        match found {
            Some(alert) if is_expected(alert) => Ok(()),
            _ => Err(answer.to_string()),
        }
    })
    .await;
}
