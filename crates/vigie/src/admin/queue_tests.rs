#![allow(clippy::unwrap_used)]

use std::time::{Duration, SystemTime};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use vigie_bullmq::{Failures, Levels, QueueStatus};

use super::*;

fn queue(prefix: &str, name: &str) -> QueueStatus {
    QueueStatus {
        database: None,
        prefix: prefix.into(),
        name: name.into(),
        levels: Some(Levels {
            states: [Some(1); 6],
            retained: [Some(0); 2],
            paused: Some(false),
            ..Levels::default()
        }),
        age: Some(Duration::ZERO),
        oldest_waiting: None,
        workers: Some(2),
        error: None,
    }
}

fn reason(name: &str, reason: &str, last: u64) -> FailureReason {
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    FailureReason {
        name: name.into(),
        reason: reason.into(),
        frame: Some("at f (/app/a.js:1:2)".into()),
        count: 3,
        first: at(10),
        last: at(last),
    }
}

fn failures(prefix: &str, reasons: Option<Vec<FailureReason>>) -> QueueFailures {
    QueueFailures {
        database: None,
        prefix: prefix.into(),
        failures: reasons.map(|reasons| Failures {
            reasons,
            forgotten: 2,
        }),
    }
}

fn known(queues: Vec<QueueStatus>, failures: Option<Vec<QueueFailures>>) -> Known {
    Known {
        status: Status {
            queues,
            last_levels: Some(tokio::time::Instant::now().into_std()),
            error: None,
            events_error: None,
        },
        failures,
        is_redacted: true,
    }
}

fn shown(known: &Known, name: &str, link: Option<&str>) -> Value {
    serde_json::to_value(page(Some(known), name, link).unwrap()).unwrap()
}

fn refused(known: Option<&Known>, name: &str) -> (u16, String) {
    let (code, error) = page(known, name, None).unwrap_err();
    (code.as_u16(), error)
}

#[test]
fn the_reasons_of_all_prefixes_are_in_one_list() {
    let of_one = failures("bull", Some(vec![reason("a", "old", 20)]));
    let of_other = failures("shop", Some(vec![reason("b", "new", 30)]));
    let queues = vec![
        queue("bull", "mail"),
        queue("shop", "mail"),
        queue("bull", "other"),
    ];
    let known = known(queues, Some(vec![of_one, of_other]));
    let link = Some("https://bull.example.org/queue/{queue}");
    let page = shown(&known, "mail", link);
    assert_eq!(page["queue"], "mail");
    assert_eq!((&page["waiting"], &page["workers"]), (&json!(2), &json!(4)));
    assert_eq!(page["prefixes"]["shop"]["waiting"], 1);
    assert_eq!(page["link"], "https://bull.example.org/queue/mail");
    assert_eq!(
        (&page["redacted"], &page["forgotten"]),
        (&json!(true), &json!(4))
    );
    assert_eq!(
        page["failures"],
        json!([
            {"prefix": "shop", "name": "b", "reason": "new", "stack": "at f (/app/a.js:1:2)", "count": 3,
             "first": "1970-01-01T00:00:10Z", "last": "1970-01-01T00:00:30Z"},
            {"prefix": "bull", "name": "a", "reason": "old", "stack": "at f (/app/a.js:1:2)", "count": 3,
             "first": "1970-01-01T00:00:10Z", "last": "1970-01-01T00:00:20Z"},
        ])
    );
}

#[test]
fn unknown_reasons_are_not_an_empty_list() {
    let one = |failures| known(vec![queue("bull", "mail")], Some(vec![failures]));
    let page = shown(&one(failures("bull", None)), "mail", None);
    assert_eq!(
        (&page["failures"], &page["link"]),
        (&Value::Null, &Value::Null)
    );
    let page = shown(&one(failures("bull", Some(Vec::new()))), "mail", None);
    assert_eq!(page["failures"], json!([]));
}

#[test]
fn the_reasons_are_answered_while_redis_cannot_be_read() {
    let lost = QueueStatus {
        levels: None,
        error: Some("h:2: broken".into()),
        ..queue("bull", "mail")
    };
    let mut known = known(
        vec![lost],
        Some(vec![failures("bull", Some(vec![reason("a", "x", 20)]))]),
    );
    known.status.error = Some("h:2: broken".into());
    let page = shown(&known, "mail", None);
    assert_eq!(
        (&page["error"], &page["waiting"]),
        (&json!("h:2: broken"), &Value::Null)
    );
    assert_eq!(page["failures"][0]["reason"], "x");
    let unread = "Redis cannot be read: h:2: broken".to_owned();
    assert_eq!(refused(Some(&known), "other"), (503, unread));
}

#[test]
fn missing_queues() {
    let mut known = known(vec![queue("bull", "mail")], None);
    assert_eq!(
        refused(Some(&known), "mai"),
        (404, "no queue has this name".into())
    );
    known.status.last_levels = None;
    let uncounted = "no queue has been counted yet".to_owned();
    assert_eq!(refused(Some(&known), "mai"), (503, uncounted));
    assert_eq!(refused(None, "mail").0, 503);
}

#[test]
fn any_name_fits_into_the_link() {
    for (name, encoded) in [
        ("a/b?c#d", "a%2Fb%3Fc%23d"),
        ("{queue}", "%7Bqueue%7D"),
        ("javascript:\"<é", "javascript%3A%22%3C%C3%A9"),
    ] {
        let known = known(vec![queue("bull", name)], None);
        let page = shown(&known, name, Some("https://h/{queue}/{queue}"));
        assert_eq!(page["link"], format!("https://h/{encoded}/{encoded}"));
    }
}

/// Without a watcher every name that is read from the path is answered with 503.
#[tokio::test]
async fn any_name_is_read_from_the_path() {
    let router = router::<()>(None, None).with_state(());
    for path in [
        "mail",
        "a%2Fb",
        "%3Cimg%20src=x%3E",
        "%00",
        "..%2F..",
        "a:b",
        "%F0%9F%90%82",
    ] {
        let request = Request::get(format!("/queues/{path}"));
        let request = request.body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 503, "{path}");
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        assert!(serde_json::from_slice::<Value>(&body).unwrap()["error"].is_string());
    }
}
