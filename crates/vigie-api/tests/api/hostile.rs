//! Arbitrary requests get a response, which is a client error if they are invalid.

use axum::body::Body;
use http::{Method, Request};
use proptest::prelude::*;
use tower::ServiceExt as _;
use vigie_api::{Api, BuildInfo, Settings};

use crate::common::{get, ours, post, samples};

const PATHS: [&str; 13] = [
    "query",
    "query_range",
    "query_exemplars",
    "format_query",
    "series",
    "labels",
    "label/job/values",
    "label/U__a_2e_b/values",
    "metadata",
    "rules",
    "alerts",
    "targets",
    "status/buildinfo",
];

/// A parameter, often an existing one with an almost valid value.
fn parameter() -> impl Strategy<Value = String> {
    let names = prop_oneof![
        Just("query"),
        Just("time"),
        Just("start"),
        Just("end"),
        Just("step"),
        Just("timeout"),
        Just("limit"),
        Just("match[]"),
        Just("match%5B%5D"),
        Just("lookback_delta"),
        Just("stats"),
        Just("metric"),
        Just("limit_per_metric"),
        Just("type"),
        Just("x"),
        Just(""),
    ];
    let values = prop_oneof![
        prop::sample::select(vec![
            "odd",
            "rate(odd[5m])",
            "odd[1h:1s]",
            "sum(",
            "{}",
            "odd offset 300y",
            "odd @ 1e15",
            "1/0",
            "http_requests_total * on() group_left odd",
            "-9007199254740",
            "9007199254740",
            "1e308",
            "-1",
            "NaN",
            "1700000000000",
            "0",
            "1",
            "-292273086-05-16T16:47:06Z",
            "292277025-08-18T07:12:54.999999999Z",
            "9223372036",
            "1e-9",
            "5m",
            "300y",
            "99999999999999999999",
            "alert",
            "all",
            "quantile_over_time(2,odd[1d]) offset -1d",
            "label_replace(odd,\"a\",\"$9\",\"k\",\"(\")",
            "{k=~\"((a{1000}){1000}){1000}\"}",
        ])
        .prop_map(escaped),
        "[0-9.eE+-]{0,12}",
        "(?s).{0,12}".prop_map(|text| escaped(&text)),
        "[%&=;+a-f0-9]{0,12}",
    ];
    (names, values).prop_map(|(name, value)| format!("{name}={value}"))
}

fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Never a 500 or a panic, always JSON.
    #[test]
    fn no_parameters_are_our_fault(
        path in prop::sample::select(PATHS.to_vec()),
        parameters in prop::collection::vec(parameter(), 0..7),
        posted: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (status, body) = runtime.block_on(async {
            let router = vigie_api::router(Api::new(
                std::sync::Arc::new(samples()),
                Settings { timeout: std::time::Duration::from_secs(20), ..Settings::default() },
                BuildInfo::default(),
            ));
            let parameters = parameters.join("&");
            let request = if posted {
                Request::builder()
                    .method(Method::POST)
                    .uri(format!("/api/v1/{path}"))
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(Body::from(parameters))
            } else {
                Request::get(format!("/api/v1/{path}?{parameters}")).body(Body::empty())
            };
            let answer = router.oneshot(request.unwrap()).await.unwrap();
            let status = answer.status().as_u16();
            (status, axum::body::to_bytes(answer.into_body(), 64 << 20).await.unwrap())
        });
        prop_assert!([200, 400, 405, 422, 503].contains(&status), "{status}");
        if status != 405 {
            let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let expected = if status == 200 { "success" } else { "error" };
            prop_assert_eq!(&answer["status"], expected);
        }
    }
}

#[tokio::test]
async fn unknown_paths_and_methods() {
    let ours = ours().await;
    for path in [
        "/api/v1/nothing",
        "/api/v1/label/job",
        "/api/v1/query/x",
        "/api/v1/read",
    ] {
        let answer = get(ours, path).await;
        assert_eq!(answer.status, 404, "{path}");
        let answer = answer.json().unwrap();
        assert_eq!(answer["errorType"], "not_found", "{path}: {answer}");
        assert!(
            answer["error"].as_str().unwrap().ends_with(path),
            "{path}: {answer}"
        );
    }
    for (method, path) in [
        ("PUT", "/api/v1/query"),
        ("DELETE", "/api/v1/series"),
        ("POST", "/api/v1/rules"),
        ("POST", "/-/ready"),
    ] {
        let answer = vigie_testkit::http::request(ours, method, path, &[], b"")
            .await
            .unwrap();
        assert_eq!(answer.status, 405, "{method} {path}");
    }
    for path in ["/-/healthy", "/-/ready"] {
        assert_eq!(get(ours, path).await.status, 200);
        let head = vigie_testkit::http::request(ours, "HEAD", path, &[], b"")
            .await
            .unwrap();
        assert_eq!(head.status, 200);
    }
}

#[tokio::test]
async fn forms_and_queries_are_bounded() {
    let ours = ours().await;
    // 40 KB is a realistic query.
    let long = format!("query={}1&time=1", "1%2B".repeat(20_000));
    let answer = post(ours, "/api/v1/query", long.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json().unwrap()["data"]["result"][1], "20001");

    let names: Vec<String> = (0..10_000)
        .map(|n| format!("backend-7d4b9c6f5d-{n:07}"))
        .collect();
    let all = format!(
        "query=count(odd{{pod!~\"{}\"}})&time=1700000100",
        names.join("|")
    );
    let answer = post(ours, "/api/v1/query", all.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json().unwrap()["data"]["result"][0]["value"][1], "5");

    let blanks = "%20".repeat(320 << 10);
    let too_long = format!("query=1{blanks}");
    let answer = post(ours, "/api/v1/query", too_long.as_bytes()).await;
    assert_eq!(answer.status, 400);
    let error = answer.json().unwrap()["error"].as_str().unwrap().to_owned();
    assert_eq!(
        error,
        "invalid parameter \"query\": it is 327681 bytes long, at most 327680 are accepted"
    );

    let huge = vec![b'a'; 3 * (320 << 10) + (64 << 10) + 1];
    let answer = post(ours, "/api/v1/query", &huge).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json().unwrap()["errorType"], "bad_data");

    let selectors = "match[]=odd&".repeat(101);
    let answer = post(ours, "/api/v1/series", selectors.as_bytes()).await;
    assert_eq!(answer.status, 400, "{}", answer.text());

    let deep = format!("query={}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let answer = post(ours, "/api/v1/query", deep.as_bytes()).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
}

/// Other bodies are not parsed.
#[tokio::test]
async fn only_forms_are_read() {
    let ours = ours().await;
    let json = [("content-type", "application/json")];
    let body = br#"{"query":"1"}"#;
    let answer =
        vigie_testkit::http::request(ours, "POST", "/api/v1/query?query=3&time=1", &json, body);
    assert_eq!(
        answer.await.unwrap().json().unwrap()["data"]["result"][1],
        "3"
    );
    let typed = [(
        "content-type",
        "application/x-www-form-urlencoded; charset=utf-8",
    )];
    let answer =
        vigie_testkit::http::request(ours, "POST", "/api/v1/query", &typed, b"query=4&time=1");
    assert_eq!(
        answer.await.unwrap().json().unwrap()["data"]["result"][1],
        "4"
    );
}
