//! `/queues` as read by an autoscaler: existing and unknown queues, and responses without Redis.

use serde_json::{Value, json};
use vigie_testkit::{Redis, SOON, eventually};

use crate::common::{Vigie, fill};

/// Waits until this part of the page has the expected value.
async fn until(vigie: &Vigie, path: &str, pointer: &str, expected: &Value) -> Value {
    eventually(SOON, async || {
        let page = vigie.get(path).await.json().unwrap();
        match page.pointer(pointer) {
            Some(found) if found == expected => Ok(page),
            _ => Err(page.to_string()),
        }
    })
    .await
}

#[tokio::test]
async fn the_queues_are_read_by_name() {
    let mut redis = Redis::start().await.unwrap();
    let states = ["--waiting", "3", "--prioritized", "2", "--delayed", "4"];
    fill(&redis, "mail", &[&states[..], &["--active", "1"]].concat()).await;
    let elsewhere = ["--prefix", "shop:eu", "--waiting", "7", "--paused"];
    fill(&redis, "mail", &elsewhere).await;
    fill(&redis, "mail.eu", &["--waiting", "1"]).await;

    let sections = format!(
        "[redis]\nurl = {:?}\ndiscover_every = \"500ms\"\n",
        redis.url()
    );
    let mut vigie = Vigie::start(&sections).await;
    let page = until(
        &vigie,
        "/queues",
        "/queues/mail/prefixes/bull/workers",
        &json!(0),
    )
    .await;
    let mail = &page["queues"]["mail"];
    for (figure, expected) in [
        ("waiting", json!(3)),
        ("active", json!(1)),
        ("delayed", json!(4)),
        ("prioritized", json!(2)),
        ("waiting_children", json!(0)),
        ("paused_jobs", json!(7)),
        ("backlog", json!(6)),
        ("paused", json!(false)),
        ("workers", json!(0)),
    ] {
        assert_eq!(mail[figure], expected, "{figure} in {page}");
    }
    assert_eq!(mail["prefixes"]["shop:eu"]["paused"], true);
    assert_eq!(mail["prefixes"]["bull"]["waiting"], 3);
    let age = "/queues/mail/oldest_waiting_seconds";
    eventually(SOON, async || {
        let page = vigie.get("/queues").await.json().unwrap();
        let age = page.pointer(age).and_then(Value::as_f64);
        age.filter(|age| *age > 0.0).ok_or(page.to_string())
    })
    .await;

    let alone = vigie.get("/queues?queue=mail.eu").await;
    assert_eq!(alone.header("content-type"), Some("application/json"));
    let alone = alone.json().unwrap();
    assert_eq!(alone["queues"].as_object().unwrap().len(), 1);
    assert_eq!(alone["queues"]["mail.eu"]["waiting"], 1);
    assert_eq!(vigie.get("/queues?queue=none").await.status, 404);

    redis.kill9();
    eventually(SOON, async || {
        let answer = vigie.get("/queues?queue=mail").await;
        match answer.status {
            503 if answer.text().contains("Redis cannot be read") => Ok(()),
            _ => Err(answer.text()),
        }
    })
    .await;
    redis.restart().await.unwrap();
    // The jobs still exist, and are counted again.
    let path = "/queues?queue=mail.eu";
    until(&vigie, path, "/queues/mail.eu/waiting", &json!(1)).await;
    vigie.until_ready().await;
    vigie.stop().await;
}

#[tokio::test]
async fn without_redis_queues_are_unavailable() {
    let vigie = Vigie::start("").await;
    let answer = vigie.get("/queues").await;
    assert_eq!(answer.status, 503);
    let error = "no queue is watched: [redis] is not configured";
    assert_eq!(answer.json().unwrap(), json!({ "error": error }));
    vigie.stop().await;
}
