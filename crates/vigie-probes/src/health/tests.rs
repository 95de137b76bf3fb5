#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::{Method, Request};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tower::ServiceExt;
use vigie_metrics::Registry;

use super::*;
use crate::clock::{Clock, Moment, at};
use crate::report::Report;
use crate::report::tests::{entry, group, report, verdict};
use crate::source::CheckSource;
use crate::state::{State as CheckState, Status, Verdict};

/// A group whose parts are set by the test.
struct Fixed(&'static str, Mutex<Vec<(String, Verdict)>>);

impl CheckSource for Fixed {
    fn name(&self) -> &str {
        self.0
    }

    fn verdicts(&self, _: Moment) -> Vec<(String, Verdict)> {
        self.1.lock().clone()
    }
}

fn one(name: &'static str, status: Status) -> Arc<Fixed> {
    Arc::new(Fixed(
        name,
        Mutex::new(vec![("part".into(), verdict(status))]),
    ))
}

fn checks(sources: impl IntoIterator<Item = (Arc<Fixed>, bool)>) -> Checks {
    let mut builder = Checks::builder(Clock::new(|| at(12_345))).unwatched("app");
    for (source, required) in sources {
        builder = builder.source(source, required, None);
    }
    builder.build(&Registry::new())
}

async fn send(checks: &Checks, detail: Detail, method: Method, uri: &str) -> Response {
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .body(Body::empty())
        .unwrap();
    router(checks.clone(), detail)
        .oneshot(request)
        .await
        .unwrap()
}

async fn ask(checks: &Checks, uri: &str) -> (StatusCode, String) {
    let response = send(checks, Detail::Full, Method::GET, uri).await;
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn value(answer: &impl Serialize) -> Value {
    serde_json::to_value(answer).unwrap()
}

#[tokio::test]
async fn liveness_depends_on_nothing() {
    let checks = checks([(one("redis", Status::Failed), true)]);
    checks.drain();
    for path in [
        "/healthz",
        "/healthz/",
        "/livez",
        "/livez/",
        "/healthz?verbose",
    ] {
        let (status, body) = ask(&checks, path).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(body, "{\"status\":\"ok\",\"uptime\":12.345}\n");
    }
}

#[tokio::test]
async fn readiness_follows_the_checks() {
    let redis = one("redis", Status::Ok);
    let app = one("app", Status::Ok);
    let checks = checks([(redis.clone(), true), (app.clone(), false)]);
    let turn = |source: &Arc<Fixed>, status| source.1.lock()[0].1 = verdict(status);
    let expect = async |code: u16, word: &str| {
        for path in ["/readyz", "/readyz/"] {
            let (status, body) = ask(&checks, path).await;
            assert_eq!(status.as_u16(), code, "{body}");
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["status"], word);
        }
    };
    expect(200, "ok").await;
    turn(&app, Status::Failed);
    expect(200, "degraded").await;
    turn(&redis, Status::Pending);
    expect(503, "pending").await;
    turn(&redis, Status::Failed);
    expect(503, "failed").await;
    assert_eq!(
        ask(&checks, "/readyz?exclude=redis").await.0,
        StatusCode::OK
    );
    assert_eq!(
        ask(&checks, "/readyz?exclude=redis%2Fpart").await.0,
        StatusCode::OK
    );
    turn(&redis, Status::Ok);
    turn(&app, Status::Ok);
    checks.drain();
    expect(503, "draining").await;
    assert_eq!(ask(&checks, "/readyz/redis").await.0, StatusCode::OK);
}

#[tokio::test]
async fn each_check_has_its_own_path() {
    let checks = checks([
        (one("redis", Status::Failed), true),
        (one("app", Status::Ok), false),
    ]);
    for (path, code) in [
        ("/readyz/redis", 503),
        ("/readyz/redis/", 503),
        ("/readyz/redis/part", 503),
        ("/readyz/app", 200),
        ("/readyz/app/part?verbose", 200),
        ("/readyz/none", 404),
        ("/readyz/redis/none", 404),
        ("/elsewhere", 404),
    ] {
        let (status, body) = ask(&checks, path).await;
        assert_eq!(status.as_u16(), code, "{path}: {body}");
    }
    let (_, body) = ask(&checks, "/readyz/redis/part").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["error"], "db:5432: connection refused");
    assert_eq!(body["since"], "2026-01-01T12:00:01.500Z");
    let (_, body) = ask(&checks, "/readyz/n%22%0Ane").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["error"], r#"the check "n\"\nne" is not known"#);
    assert_eq!(body["checks"], json!(["redis", "app"]));
}

#[tokio::test]
async fn answers_are_never_stored_and_have_heads() {
    let checks = checks([(one("redis", Status::Failed), true)]);
    for (uri, code) in [
        ("/healthz", 200),
        ("/readyz", 503),
        ("/readyz?verbose", 503),
        ("/readyz/redis", 503),
        ("/readyz/none", 404),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let response = send(&checks, Detail::Full, method.clone(), uri).await;
            assert_eq!(response.status().as_u16(), code);
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
            assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
            let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
            assert_eq!(body.is_empty(), method == Method::HEAD, "{method} {uri}");
        }
    }
    let post = send(&checks, Detail::Full, Method::POST, "/readyz").await;
    assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
}

fn mixed() -> Report {
    report(vec![
        entry("database", true, Status::Ok),
        entry("redis", true, Status::Failed),
        entry("slow", false, Status::Pending),
        group(
            "queues",
            &[("mail", Status::Ok), ("vi\ndeo", Status::Failed)],
        ),
    ])
}

#[test]
fn json_names_what_failed_and_since_when() {
    let mut report = mixed();
    let unknown = report.exclude(["slow", "no\nne"]);
    let failed = json!({
        "status": "failed",
        "since": "2026-01-01T12:00:01.500Z",
        "duration_ms": 1.25,
        "error": "db:5432: connection refused",
    });
    let expected = json!({
        "status": "failed",
        "checks": {
            "database": {"status": "ok", "since": "2026-01-01T12:00:01.500Z", "duration_ms": 1.25},
            "redis": failed,
            "queues": {
                "status": "failed",
                "since": "2026-01-01T12:00:01.500Z",
                "duration_ms": 1.25,
                "error": "1 of 2 failed: vi deo: db:5432: connection refused",
                "count": 2,
                "not_ok": {"vi\ndeo": failed},
            },
        },
        "unwatched": ["app"],
        "excluded": ["slow"],
        "warnings": [r#"exclude: the check "no\nne" is not known"#],
    });
    let answer = ReadyAnswer::new(&report, &unknown, Detail::Full);
    assert_eq!(value(&answer), expected);
    let text = serde_json::to_string(&answer).unwrap();
    assert!(text.find("database") < text.find("redis") && text.find("redis") < text.find("queues"));
}

#[test]
fn without_detail_only_names_and_statuses_are_shown() {
    let answer = value(&ReadyAnswer::new(&mixed(), &[], Detail::Names));
    assert_eq!(
        answer["checks"],
        json!({
            "database": {"status": "ok"},
            "redis": {"status": "failed"},
            "slow": {"status": "pending", "required": false},
            "queues": {"status": "failed", "count": 2, "not_ok": {"vi\ndeo": {"status": "failed"}}},
        })
    );
    let page = answer::verbose(&mixed(), &[], Detail::Names);
    assert!(!page.contains("5432") && !page.contains("2026"), "{page}");
    assert!(page.contains("[-]redis failed: reason withheld\n"));
}

#[test]
fn verbose_lines_are_those_of_kubernetes() {
    let mut report = mixed();
    report.draining = true;
    let unknown = report.exclude(["database", "no\nne"]);
    let page = answer::verbose(&report, &unknown, Detail::Full);
    let refused = "db:5432: connection refused";
    let since = "(since 2026-01-01T12:00:01.500Z)";
    let expected = format!(
        "[-]redis failed: {refused} {since}\n\
         [-]slow pending: no result yet (not required)\n\
         [-]queues failed: 1 of 2 failed: vi deo: {refused} {since}\n\
         [-]queues/vi\u{fffd}deo failed: {refused} {since}\n\
         [+]database excluded\n\
         [ ]app not configured\n\
         [-]shutdown failed: draining\n\
         warn: exclude: the check \"no\\nne\" is not known\n\
         readyz check failed (draining)\n"
    );
    assert_eq!(page, expected);
    let well = super::answer::verbose(&super::tests::well(), &[], Detail::Full);
    assert_eq!(
        well,
        "[+]database ok\n[ ]app not configured\nreadyz check passed (ok)\n"
    );
}

fn well() -> Report {
    report(vec![entry("database", true, Status::Ok)])
}

#[test]
fn the_output_is_bounded() {
    let names = Vec::from_iter((0..1_000).map(|i| format!("q{i}")));
    let parts = Vec::from_iter(names.iter().map(|name| (name.as_str(), Status::Failed)));
    let many = report(vec![group("queues", &parts)]);
    let answer = value(&ReadyAnswer::new(&many, &[], Detail::Full));
    assert_eq!(
        answer["checks"]["queues"]["not_ok"]
            .as_object()
            .unwrap()
            .len(),
        100
    );
    assert_eq!(answer["checks"]["queues"]["and_more"], 900);
    let page = answer::verbose(&many, &[], Detail::Full);
    assert!(page.contains("... and 900 more of queues\n"));
    assert!(page.lines().count() < 110);

    let query = "exclude=x&".repeat(1_000);
    assert_eq!(Query::parse(&query).excluded.len(), MAX_EXCLUDED);
}

#[test]
fn queries_are_read_leniently() {
    for (query, verbose, excluded) in [
        ("", false, vec![]),
        ("verbose", true, vec![]),
        ("verbose=true&exclude=a&x=y&exclude=b", true, vec!["a", "b"]),
        ("verbose=0&exclude=a%20b", false, vec!["a b"]),
        ("&&%zz=&=", false, vec![]),
    ] {
        let expected = Query {
            verbose,
            excluded: excluded.into_iter().map(String::from).collect(),
        };
        assert_eq!(Query::parse(query), expected, "{query}");
    }
}

#[tokio::test]
async fn a_stale_group_is_shown_as_its_source_reports_it() {
    let stale = CheckState::new(at(0), Duration::from_secs(1)).verdict(at(5_000));
    let source = Arc::new(Fixed("queues", Mutex::new(vec![("mail".into(), stale)])));
    let checks = checks([(source, true)]);
    let (status, body) = ask(&checks, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        body.contains("stale: no result since 2026-01-01T12:00:00.000Z"),
        "{body}"
    );
}
