//! Features that Alertmanager does not have: acknowledgements, the page of links, refused writes, and bounds.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use vigie_promql::Labels;

use super::{
    COMPATIBLE_VERSION, Configured, MAX_BODY_BYTES, Settings, acknowledgement_page, router,
};
use crate::ack::{Key, LIFETIME, Links};
use crate::dispatch::{Dispatcher, Limits, Mute, Plan, Why};
use crate::service::Handle;
use crate::{Alert, Fingerprint, Time, config};

const CONFIG: &str = "
route: {receiver: ops, group_wait: 30s}
receivers: [{name: ops, webhook_configs: [{url: 'https://example.org/hidden'}]}]
";
const START: Time = 1_700_000_000_000;

struct Port {
    handle: Handle,
    api: Router,
    page: Router,
    links: Links,
    clock: Arc<AtomicI64>,
}

fn port(writes: bool) -> Port {
    let loaded = config::load(CONFIG).unwrap();
    let dispatcher = Dispatcher::new(Plan::new(&loaded), Limits::default());
    let clock = Arc::new(AtomicI64::new(START));
    let now = Arc::clone(&clock);
    let handle = Handle::new(dispatcher, move || now.load(Ordering::Relaxed));
    let configured = Arc::new(Configured::new(&loaded, CONFIG));
    let settings = Settings {
        writes,
        started: START,
        configured: Arc::new(move || Arc::clone(&configured)),
    };
    let key = Key::new([1; 32]);
    Port {
        api: router(handle.clone(), settings),
        page: acknowledgement_page(handle.clone(), key.clone()),
        links: Links::new("", key, LIFETIME),
        handle,
        clock,
    }
}

fn slow() -> Alert {
    let labels = Labels::new([("alertname", "Slow"), ("route", "</dd><script>")]);
    Alert::firing(labels, START)
}

struct Answer {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

async fn send(
    router: &Router,
    method: &str,
    path: &str,
    kind: &str,
    body: impl Into<Body>,
) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("content-type", kind).body(body.into());
    let answer = router.clone().oneshot(request.unwrap()).await.unwrap();
    let (head, body) = answer.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    Answer {
        status: head.status,
        headers: head.headers,
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

impl Port {
    async fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        send(&self.api, method, path, "application/json", body.to_owned()).await
    }

    async fn form(&self, path: &str, form: &str) -> Answer {
        let kind = "application/x-www-form-urlencoded";
        send(&self.page, "POST", path, kind, form.to_owned()).await
    }

    async fn open(&self, path: &str) -> Answer {
        send(&self.page, "GET", path, "text/plain", "").await
    }

    fn acknowledged_by(&self) -> Option<String> {
        self.handle.read(|dispatcher, _| {
            let acknowledgement = dispatcher.acknowledgement(&slow().labels);
            acknowledgement.map(|acknowledgement| acknowledgement.by.clone())
        })
    }
}

#[tokio::test]
async fn an_acknowledged_alert_is_suppressed_until_it_resolves() {
    let port = port(true);
    port.handle.observe(vec![slow()]);
    let path = format!("/vigie/v1/alerts/{}/ack", Fingerprint::of(&slow().labels));
    let body = r#"{"by":"ops","comment":"on it"}"#;
    assert_eq!(
        port.send("POST", &path, body).await.status,
        StatusCode::NO_CONTENT
    );

    let overview = port.send("GET", "/vigie/v1/alerts", "").await.json();
    assert_eq!(overview["writable"], true);
    let alert = &overview["alerts"][0];
    assert_eq!(alert["acknowledged"]["comment"], "on it");
    assert_eq!(alert["next"][0]["at"], Value::Null);
    assert_eq!(alert["next"][0]["reason"], "acknowledged by ops");
    let alerts = port.send("GET", "/api/v2/alerts", "").await.json();
    assert_eq!(alerts[0]["status"]["state"], "suppressed");
    assert_eq!(
        alerts[0]["status"]["mutedBy"],
        json!(["acknowledged by ops"])
    );
    let none = port
        .send("GET", "/api/v2/alerts?silenced=false", "")
        .await
        .json();
    assert_eq!(none, json!([]));

    // It ends on request, or when the alert resolves.
    assert_eq!(
        port.send("DELETE", &path, "").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(port.acknowledged_by(), None);
    port.send("POST", &path, body).await;
    let ended = Alert {
        ends_at: Some(START),
        ..slow()
    };
    port.handle.observe(vec![ended]);
    assert_eq!(
        port.send("POST", &path, body).await.status,
        StatusCode::NOT_FOUND
    );
    port.handle.observe(vec![slow()]);
    assert_eq!(port.acknowledged_by(), None);
}

#[tokio::test]
async fn the_overview_tells_when_and_why_the_next_message_is_sent() {
    let port = port(false);
    let unknown = Alert {
        unknown_since: Some(START),
        value: Some(f64::NAN),
        ..slow()
    };
    port.handle.observe(vec![unknown]);
    let overview = port
        .send("GET", "/vigie/v1/alerts?filter=alertname%3DSlow", "")
        .await
        .json();
    assert_eq!(overview["writable"], false);
    let alert = &overview["alerts"][0];
    assert_eq!(alert["value"], "NaN");
    assert_eq!(alert["unknownSince"], "2023-11-14T22:13:20.000Z");
    assert_eq!(
        alert["next"][0],
        json!({
            "receiver": "ops",
            "integration": "webhook/0",
            "groupKey": "{}:{}",
            "at": "2023-11-14T22:13:50.000Z",
            "reason": "the group waits for more alerts (group_wait)",
        })
    );
    let none = port
        .send("GET", "/vigie/v1/alerts?filter=alertname%3DFast", "")
        .await
        .json();
    assert_eq!(none["alerts"], json!([]));
}

#[tokio::test]
async fn nothing_is_written_without_the_right_to() {
    let port = port(false);
    port.handle.observe(vec![slow()]);
    let ack = format!("/vigie/v1/alerts/{}/ack", Fingerprint::of(&slow().labels));
    for (method, path) in [
        ("POST", "/api/v2/alerts"),
        ("POST", "/api/v2/silences"),
        ("POST", "/alertmanager/api/v2/silences"),
        (
            "DELETE",
            "/api/v2/silence/2b6e0c2c-0e48-4f06-8f2b-0e6b9b2b9f5a",
        ),
        ("POST", &ack),
        ("DELETE", &ack),
        ("PUT", "/api/v2/alerts"),
    ] {
        let answer = port.send(method, path, "[]").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
        assert!(answer.text.contains("credentials"), "{}", answer.text);
    }
    assert_eq!(port.acknowledged_by(), None);
    assert_eq!(
        port.send("GET", "/alertmanager/api/v2/alerts", "")
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn clients_find_the_version_of_the_api() {
    let answer = port(false).send("GET", "/alertmanager/metrics", "").await;
    assert_eq!(answer.status, StatusCode::OK);
    let line = format!("\nalertmanager_build_info{{version=\"{COMPATIBLE_VERSION}\"}} 1\n");
    assert!(answer.text.contains(&line), "{}", answer.text);
}

#[tokio::test]
async fn bodies_are_bounded() {
    let port = port(true);
    let long = format!("[{}]", " ".repeat(MAX_BODY_BYTES));
    let answer = port.send("POST", "/api/v2/alerts", &long).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let deep = "[".repeat(100_000);
    let nested = format!(r#"[{{"labels":{{"a":"b"}},"other":{deep}"#);
    for body in [&deep, &nested] {
        let answer = port.send("POST", "/api/v2/alerts", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
    let plain = send(&port.api, "POST", "/api/v2/alerts", "text/plain", "[]").await;
    assert_eq!(plain.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let many = format!("/api/v2/alerts?{}", "filter=a%3Db&".repeat(101));
    assert_eq!(
        port.send("GET", &many, "").await.status,
        StatusCode::BAD_REQUEST
    );
    let ack = format!("/vigie/v1/alerts/{}/ack", Fingerprint::of(&slow().labels));
    let by = format!(r#"{{"by":"{}"}}"#, "a".repeat(201));
    for body in [&*by, r#"{"by":" "}"#, r#"{"by":"a","x":1}"#, "{}"] {
        assert_eq!(
            port.send("POST", &ack, body).await.status,
            StatusCode::BAD_REQUEST
        );
    }
    assert_eq!(
        port.send("POST", "/vigie/v1/alerts/x/ack", r#"{"by":"a"}"#)
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn the_configuration_is_shown_without_secrets() {
    let status = port(false).send("GET", "/api/v2/status", "").await;
    assert!(
        status.text.contains("https://example.org/<secret>"),
        "{}",
        status.text
    );
    assert!(!status.text.contains("hidden"));
}

#[tokio::test]
async fn opening_a_link_changes_nothing_and_its_button_acknowledges() {
    let port = port(false);
    port.handle.observe(vec![slow()]);
    let link = port.links.acknowledge(&slow(), START);
    for _ in 0..3 {
        let page = port.open(&link).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains("&lt;/dd&gt;&lt;script&gt;") && !page.text.contains("<script"));
        let header = |name: &str| page.headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert!(
            header("content-security-policy").starts_with("default-src 'none'; style-src 'sha256-")
        );
    }
    let head = send(&port.page, "HEAD", &link, "text/plain", "").await;
    assert_eq!(
        (head.status, port.acknowledged_by()),
        (StatusCode::OK, None)
    );

    let done = port.form(&link, "by=+Ada+&do=acknowledge").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert_eq!(
        format!("/ack/{}", done.headers["location"].to_str().unwrap()),
        link
    );
    assert_eq!(port.acknowledged_by().as_deref(), Some("Ada"));
    let listing = port
        .handle
        .read(|dispatcher, now| dispatcher.listing(now, |_| true));
    let muted = Why::Muted(Mute::Acknowledged("Ada".to_owned()));
    assert_eq!(listing.groups[0].planned[0].why, muted);
    assert!(port.open(&link).await.text.contains("Acknowledged by Ada"));
    assert_eq!(
        port.form(&link, "do=undo").await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(port.acknowledged_by(), None);
    port.form(&link, "do=acknowledge").await;
    assert_eq!(
        port.acknowledged_by().as_deref(),
        Some("the link in a message")
    );

    // Neither without the button nor with a large form.
    port.form(&link, "do=undo").await;
    assert_eq!(
        port.form(&link, "by=x").await.status,
        StatusCode::BAD_REQUEST
    );
    let large = "x".repeat(5_000);
    assert_eq!(
        port.form(&link, &large).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(port.acknowledged_by(), None);
}

/// A body that never ends.
struct Endless;

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_must_arrive_in_time() {
    let port = port(true);
    port.handle.observe(vec![slow()]);
    let link = port.links.acknowledge(&slow(), START);
    let form = "application/x-www-form-urlencoded";
    let late = async {
        let page = send(&port.page, "POST", &link, form, Body::new(Endless)).await;
        let path = "/api/v2/alerts";
        let api = send(
            &port.api,
            "POST",
            path,
            "application/json",
            Body::new(Endless),
        )
        .await;
        [page.status, api.status]
    };
    let minute = std::time::Duration::from_secs(60);
    let statuses = tokio::time::timeout(minute, late).await.unwrap();
    assert_eq!(statuses, [StatusCode::REQUEST_TIMEOUT; 2]);
    assert_eq!(port.acknowledged_by(), None);
}

#[tokio::test]
async fn a_link_is_for_one_alert_and_one_time() {
    let port = port(false);
    port.handle.observe(vec![slow()]);
    let link = port.links.acknowledge(&slow(), START);
    let foreign = Links::new("", Key::new([2; 32]), LIFETIME).acknowledge(&slow(), START);
    for wrong in [&*foreign, &link[..link.len() - 1], "/ack/x"] {
        assert_eq!(port.open(wrong).await.status, StatusCode::NOT_FOUND);
        assert_eq!(
            port.form(wrong, "do=acknowledge").await.status,
            StatusCode::NOT_FOUND
        );
    }
    // It resolves and fires again: that is another alert.
    port.handle.observe(vec![Alert {
        ends_at: Some(START),
        ..slow()
    }]);
    assert!(
        port.open(&link)
            .await
            .text
            .contains("nothing to acknowledge")
    );
    port.handle.observe(vec![Alert {
        starts_at: START + 1,
        ..slow()
    }]);
    assert!(port.open(&link).await.text.contains("fires since"));
    port.form(&link, "do=acknowledge").await;
    assert_eq!(port.acknowledged_by(), None);

    port.handle.observe(vec![slow()]);
    port.clock
        .store(START + 24 * 3_600_000 + 1, Ordering::Relaxed);
    assert_eq!(port.open(&link).await.status, StatusCode::GONE);
    assert_eq!(
        port.form(&link, "do=acknowledge").await.status,
        StatusCode::GONE
    );
    assert_eq!(port.acknowledged_by(), None);
}
