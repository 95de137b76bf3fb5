//! Methods, trailing slashes and forms, compared with Prometheus 2.42.

use std::net::SocketAddr;

use vigie_testkit::Prometheus;
use vigie_testkit::http::{self, Response};

use crate::common::{get, openmetrics, ours};

async fn ask(address: SocketAddr, method: &str, path: &str) -> Response {
    let headers = [("origin", "http://grafana.test")];
    http::request(address, method, path, &headers, b"")
        .await
        .unwrap()
}

#[tokio::test]
async fn methods_are_those_of_prometheus_without_cors() {
    let prometheus = Prometheus::with_samples(&openmetrics()).await.unwrap();
    let ours = ours().await;
    for (method, path) in [
        ("OPTIONS", "query"),
        ("OPTIONS", "nothing"),
        ("GET", "labels"),
        ("POST", "labels"),
        ("GET", "query?query="),
        ("DELETE", "labels"),
        ("PUT", "query?query=1"),
        ("POST", "rules"),
        ("HEAD", "rules"),
        ("HEAD", "query?query=1"),
        ("POST", "label/job/values"),
        ("GET", "label/%FF/values"),
        ("GET", "rules?exclude_alerts=T"),
        ("GET", "rules?exclude_alerts="),
        ("GET", "status/runtimeinfo"),
        ("GET", "status/flags"),
        ("GET", "status/config"),
    ] {
        let path = format!("/api/v1/{path}");
        let theirs = ask(prometheus.addr(), method, &path).await;
        let found = ask(ours, method, &path).await;
        assert_eq!(found.status, theirs.status, "{method} {path}");
        if theirs.status == 405 {
            assert_eq!(
                found.header("allow"),
                theirs.header("allow"),
                "{method} {path}"
            );
            continue;
        }
        for (header, _) in &found.headers {
            assert!(!header.starts_with("access-control-"), "{path}: {header}");
        }
        if let (Ok(found), Ok(theirs)) = (found.json(), theirs.json()) {
            assert_eq!(found["status"], theirs["status"], "{method} {path}");
            assert_eq!(found["errorType"], theirs["errorType"], "{method} {path}");
        }
    }
}

/// As in Prometheus 3.5; 2.42 does not have the parameter.
#[tokio::test]
async fn exclude_alerts_is_a_boolean() {
    let ours = ours().await;
    for (value, status) in [("maybe", 400), ("yes", 400), ("False", 200), ("1", 200)] {
        let path = format!("/api/v1/rules?exclude_alerts={value}");
        assert_eq!(get(ours, &path).await.status, status, "{value}");
    }
}

#[tokio::test]
async fn a_trailing_slash_redirects() {
    let ours = ours().await;
    for (path, location) in [
        ("labels/", "../labels"),
        ("query/?query=up%7B%7D", "../query?query=up%7B%7D"),
        ("status/buildinfo/", "../buildinfo"),
    ] {
        let answer = get(ours, &format!("/api/v1/{path}")).await;
        assert_eq!(answer.status, 301, "{path}");
        assert_eq!(answer.header("location"), Some(location), "{path}");
    }
    assert_eq!(ask(ours, "POST", "/api/v1/labels/").await.status, 307);
    for path in ["/api/v1/", "/api/v1//", "/api/v1/nothing"] {
        assert_eq!(get(ours, path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn forms_are_parsed_as_in_prometheus() {
    let prometheus = Prometheus::with_samples(&openmetrics()).await.unwrap();
    let ours = ours().await;
    let part = "--b\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\n4\r\n--b--\r\n";
    for (content_type, body, path) in [
        ("multipart/form-data; boundary=b", part, "query"),
        (
            "Multipart/Form-Data; charset=utf-8; boundary=\"b\"",
            part,
            "query",
        ),
        ("multipart/form-data; boundary=c", part, "query"),
        ("multipart/form-data", part, "query"),
        ("multipart/form-data; boundary=b", "", "query?query=4"),
        (
            "application/x-www-form-urlencoded; charset=UTF-8",
            "query=4",
            "query",
        ),
        ("application/x-www-form-urlencoded", "", "query?query=4"),
        ("text/plain", "query=4", "query"),
        ("application/json", "{\"query\":\"4\"}", "query"),
    ] {
        let path = format!("/api/v1/{path}");
        let headers = [("content-type", content_type)];
        let ask = async |address| {
            let answer = http::request(address, "POST", &path, &headers, body.as_bytes());
            let answer = answer.await.unwrap();
            let json = answer.json().unwrap();
            (answer.status, json["data"]["result"][1].clone())
        };
        let theirs = ask(prometheus.addr()).await;
        assert_eq!(ask(ours).await, theirs, "{content_type} {body:?}");
    }
}
