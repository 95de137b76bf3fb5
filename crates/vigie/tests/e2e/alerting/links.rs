//! The link in a message acknowledges an alert of the running program.

use serde_json::Value;
use vigie_notify::ack::{Key, Token};
use vigie_store::{Directory, Kind, Loaded};
use vigie_testkit::eventually;
use vigie_testkit::http::{self, Response};
use vigie_testkit::receivers::{Receiver, Service};
use vigie_testkit::webhook::{Status, Webhook};

use super::ARRIVES;
use super::setup::{APP_DOWN, Setup, request};
use crate::common::Vigie;

const DAY: i64 = 24 * 3_600_000;

/// Who acknowledged the alert, if someone did.
async fn acknowledged(vigie: &Vigie) -> Value {
    let filter = "/vigie/v1/alerts?filter=alertname%3DAppDown";
    let alerts = request(vigie, "GET", filter).await.json().unwrap();
    alerts["alerts"][0]["acknowledged"]["by"].clone()
}

/// Presses the button of the page.
async fn press(vigie: &Vigie, path: &str, form: &str) -> Response {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = http::request(vigie.admin, "POST", path, &headers, form.as_bytes());
    answer.await.unwrap()
}

/// The key that signs the links, from a copy of its file: the directory is in use.
fn key(setup: &Setup) -> Key {
    let copy = tempfile::tempdir().unwrap();
    let name = "ack.key";
    std::fs::copy(
        setup.path("history/alerts").join(name),
        copy.path().join(name),
    )
    .unwrap();
    let directory = Directory::open(copy.path()).unwrap();
    match directory.load(name, Kind::new(*b"AKEY", 1), 32).unwrap() {
        Loaded::Document(bytes) => Key::new(bytes.try_into().unwrap()),
        other => panic!("{other:?}"),
    }
}

/// An alert with the runbook of a built-in one.
const LINKED: &str = "
groups:
  - name: own
    interval: 1s
    rules:
      - alert: AppDown
        expr: vigie_check_up{check='app'} == 0
        annotations: {runbook_url: 'https://github.com/vigie-rs/vigie/blob/main/docs/runbooks/CheckDown.md'}
";

#[tokio::test]
async fn links_lead_to_the_page_at_its_external_address() {
    let webhook = Webhook::start().await.unwrap();
    let setup = Setup::new(LINKED);
    setup.notifies(&format!("webhook_configs: [{{url: {:?}}}]", webhook.url()));
    let external = "https://vigie.example.org/vigie";
    let sections = setup.notifying() + &format!("[page]\nexternal_url = \"{external}/\"\n");
    let vigie = setup.start(&sections).await;
    let name = [("alertname", "AppDown")];
    let told = webhook.wait_for(Status::Firing, &name, 0, ARRIVES).await;
    let (told, _) = told.unwrap();
    let runbook = &told.annotations["runbook_url"];
    assert_eq!(runbook, &format!("{external}/runbooks/CheckDown"));
    let alerts = request(&vigie, "GET", "/api/v2/alerts").await.json();
    let alerts = alerts.unwrap();
    let query = alerts[0]["generatorURL"].as_str().unwrap();

    // A proxy removes the prefix; the address that the browser is sent to is relative.
    let browser = [("accept", "text/html"), ("sec-fetch-site", "cross-site")];
    for (link, place) in [
        (&**runbook, "../#/runbooks/CheckDown"),
        (
            query,
            "./#/explore?q=vigie_check_up%7Bcheck%3D%22app%22%7D+%3D%3D+0&as=table",
        ),
    ] {
        let path = link.strip_prefix(external).unwrap();
        let answer = http::request(vigie.admin, "GET", path, &browser, b"").await;
        let answer = answer.unwrap();
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some(place))
        );
    }
    vigie.stop().await;
}

#[tokio::test]
async fn the_button_acknowledges_and_opening_does_not() {
    let slack = Receiver::start(Service::Slack).await.unwrap();
    let setup = Setup::new(APP_DOWN);
    let url = slack.url("/services/T/B/x");
    setup.notifies(&format!(
        "slack_configs: [{{api_url: '{url}', channel: ops}}]"
    ));
    let vigie = setup.start(&setup.notifying()).await;
    let start = format!("http://{}", vigie.admin);
    let path = eventually(ARRIVES, async || {
        let posted = slack.posted();
        let mut bodies = posted.iter().map(|posted| &posted.body);
        let body = bodies.find(|body| body.contains("AppDown")).ok_or("none")?;
        let at = body.find(&format!("{start}/ack/")).ok_or("no link")?;
        let link = &body[at + start.len()..];
        let end = link.find(['|', '>', '"', '\\', ' ']).ok_or("no end")?;
        Ok::<_, &str>(link[..end].to_owned())
    })
    .await;

    for method in ["GET", "GET", "HEAD"] {
        let page = http::request(vigie.admin, method, &path, &[], b"").await;
        assert_eq!(
            page.unwrap().status,
            200,
            "{method} needs no other credential"
        );
    }
    assert_eq!(press(&vigie, &path, "by=Ada").await.status, 400);
    assert_eq!(acknowledged(&vigie).await, Value::Null);

    let text = path.strip_prefix("/ack/").unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    let key = key(&setup);
    let token = key.verify(text, now).unwrap();
    assert!((now - DAY / 24..=now + DAY).contains(&token.expires_at));
    let expires_at = now - 1;
    let expired = format!(
        "/ack/{}",
        key.sign(&Token {
            expires_at,
            ..token
        })
    );
    let foreign = format!("/ack/{}", Key::new([7; 32]).sign(&token));
    for (path, status) in [(&expired, 410), (&foreign, 404)] {
        assert_eq!(vigie.get(path).await.status, status);
        let pressed = press(&vigie, path, "do=acknowledge").await;
        assert_eq!(pressed.status, status);
    }
    assert_eq!(acknowledged(&vigie).await, Value::Null);

    let pressed = press(&vigie, &path, "by=Ada&do=acknowledge").await;
    assert_eq!(pressed.status, 303);
    assert_eq!(acknowledged(&vigie).await, "Ada");
    let page = vigie.get(&path).await.text();
    assert!(page.contains("Acknowledged by Ada"), "{page}");
    assert_eq!(press(&vigie, &path, "do=undo").await.status, 303);
    assert_eq!(acknowledged(&vigie).await, Value::Null);
    vigie.stop().await;
}
