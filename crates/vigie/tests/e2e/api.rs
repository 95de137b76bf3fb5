//! The API of the real program, queried like a Prometheus.

use std::io::Read as _;
use std::process::Command;

use flate2::bufread::GzDecoder;
use serde_json::Value;
use vigie_testkit::{SOON, eventually, http, tools};

use crate::common::Vigie;

async fn data(vigie: &Vigie, path: &str) -> Value {
    let mut answer = vigie.get(path).await.json().unwrap();
    assert_eq!(answer["status"], "success", "{path}: {answer}");
    answer["data"].take()
}

async fn printed(program: std::path::PathBuf, arguments: Vec<String>) -> String {
    let output = tokio::task::spawn_blocking(move || {
        Command::new(program)
            .args(arguments)
            .env_clear()
            .output()
            .unwrap()
    });
    let output = output.await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_history_can_be_queried() {
    let vigie = Vigie::start("").await;
    let up = eventually(SOON, async || {
        let answer = data(&vigie, "/api/v1/query?query=up").await;
        let sample = answer["result"][0].clone();
        if sample.is_null() {
            Err("no sample yet")
        } else {
            Ok(sample)
        }
    })
    .await;
    assert_eq!(up["metric"]["job"], "vigie");
    assert_eq!(up["metric"]["instance"], vigie.admin.to_string());
    assert_eq!(up["value"][1], "1");

    let names = data(&vigie, "/api/v1/label/__name__/values").await;
    let names: Vec<_> = names
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(
        names.contains(&"up") && names.contains(&"process_start_time_seconds"),
        "{names:?}"
    );
    // The metadata is that of the registry.
    let metadata = data(&vigie, "/api/v1/metadata").await;
    assert_eq!(metadata["process_start_time_seconds"][0]["type"], "gauge");
    assert_eq!(
        metadata["queue_jobs_total"],
        Value::Null,
        "no queue is watched"
    );

    let headers = [("accept-encoding", "gzip")];
    let packed = http::request(vigie.admin, "GET", "/api/v1/labels", &headers, b"")
        .await
        .unwrap();
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    GzDecoder::new(&*packed.body)
        .read_to_string(&mut text)
        .unwrap();
    assert!(text.contains("\"instance\""), "{text}");

    let url = format!("http://{}", vigie.admin);
    let arguments = ["query", "instant", &url, "up"].map(str::to_owned).to_vec();
    let line = printed(tools::PROMTOOL.find().unwrap(), arguments).await;
    assert!(
        line.starts_with("up{instance=\"") && line.contains("=> 1 @["),
        "{line}"
    );
    let program = env!("CARGO_BIN_EXE_vigie").into();
    let arguments = ["query", "--url", &url, "up"].map(str::to_owned).to_vec();
    let line = printed(program, arguments).await;
    assert!(
        line.starts_with("up{instance=\"") && line.ends_with("  1\n"),
        "{line}"
    );
    vigie.stop().await;
}

#[tokio::test]
async fn the_limits_are_those_of_the_settings() {
    let vigie = Vigie::start("[query]\nmax_points = 100\nmax_bytes = 256\n").await;
    let range = "/api/v1/query_range?query=up&start=0&end=101&step=1";
    let refused = vigie.get(range).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text().contains("maximum resolution of 100 points"),
        "{}",
        refused.text()
    );
    let long = format!("/api/v1/query?query={}", "1%2B".repeat(200) + "1");
    assert!(
        vigie
            .get(&long)
            .await
            .text()
            .contains("at most 256 are accepted")
    );
    vigie.stop().await;
}
