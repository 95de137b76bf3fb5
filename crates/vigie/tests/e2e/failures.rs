//! Why jobs failed: `/queues/NAME` and `vigie queue` of the running program, with credentials and a name that needs encoding.

use std::process::Command;

use serde_json::json;
use vigie_testkit::{Redis, SOON, eventually, http};

use crate::common::{Vigie, fill};

const QUEUE: &str = "mail/eu?#1 %";
const PATH: &str = "/queues/mail%2Feu%3F%231%20%25";
const TOKEN: &str = "queue-token";

/// The exit code and the output of `vigie queue`.
fn command(vigie: &Vigie, args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.arg("queue").args(args).arg("--config");
    command
        .arg(vigie.config())
        .env("VIGIE__ADMIN__TOKEN", TOKEN);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[tokio::test]
async fn the_reasons_of_failures_are_answered_and_printed() {
    let redis = Redis::start().await.unwrap();
    let sections = format!(
        "[redis]\nurl = {:?}\ndiscover_every = \"500ms\"\n[page]\nqueue_link = \"https://bull.example.org/{{queue}}\"\n",
        redis.url()
    );
    let vigie = Vigie::start_with(&sections, &[("VIGIE__ADMIN__TOKEN", TOKEN)]).await;
    let reason = "no mailbox for ada@example.org (user 4711)";
    fill(
        &redis,
        QUEUE,
        &["--name", "welcome", "--failed", "2", "--reason", reason],
    )
    .await;

    let token = format!("Bearer {TOKEN}");
    let answer = async || {
        let headers = [("authorization", &*token)];
        let answer = http::request(vigie.admin, "GET", PATH, &headers, b"").await;
        answer.unwrap()
    };
    let page = eventually(SOON, async || {
        let answer = answer().await;
        let page = answer.json().unwrap();
        let found = &page["failures"][0];
        match found["count"] == 2 && found["stack"].is_string() {
            true => Ok(page),
            false => Err(page.to_string()),
        }
    })
    .await;
    assert_eq!(
        (&page["queue"], &page["redacted"]),
        (&json!(QUEUE), &json!(true))
    );
    assert_eq!(
        page["link"],
        "https://bull.example.org/mail%2Feu%3F%231%20%25"
    );
    assert_eq!(page["failures"].as_array().unwrap().len(), 1);
    let found = &page["failures"][0];
    let shown = "no mailbox for <email> (user <number>)";
    assert_eq!(
        (&found["name"], &found["reason"]),
        (&json!("welcome"), &json!(shown))
    );
    assert_eq!(vigie.get(PATH).await.status, 401, "without credentials");

    let (code, output, errors) = command(&vigie, &[QUEUE]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(
        output.starts_with(QUEUE) && output.contains(shown),
        "{output}"
    );
    let row = output.lines().find(|line| line.starts_with("welcome  2 "));
    assert!(row.is_some(), "{output}");
    let stack = found["stack"].as_str().unwrap();
    assert!(output.lines().any(|line| line.trim() == stack), "{output}");
    let (_, json, _) = command(&vigie, &[QUEUE, "--json"]);
    let printed: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(printed["failures"], page["failures"]);
    for missing in ["missing", "..", "a/b"] {
        let (code, _, errors) = command(&vigie, &[missing]);
        let expected = format!("has no queue {missing}");
        assert_eq!(code, Some(1), "{errors}");
        assert!(errors.contains(&expected), "{errors}");
    }
    vigie.stop().await;
}
