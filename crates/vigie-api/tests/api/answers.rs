//! `answers.txt` and `refusals.txt`: the responses of Prometheus 2.42 and of this API.

use std::net::SocketAddr;

use vigie_testkit::Prometheus;

use crate::common::{openmetrics, ours, send};

/// Requests, each with its status and complete response.
const ANSWERS: &str = include_str!("answers.txt");
/// Requests, each with its status and error type; the texts differ from Prometheus'.
const REFUSALS: &str = include_str!("refusals.txt");

/// Requests whose response differs from 2.42, with the reason and both statuses.
const DIFFERENCES: &[(&str, &str, u16, u16)] = &[
    (
        "GET /api/v1/query?query=1&time=NaN",
        "there, it is a time 292 years before 1970",
        200,
        400,
    ),
    (
        "GET /api/v1/query?query=1&time=1e100",
        "there, it is the time 0, after an overflow",
        200,
        400,
    ),
    (
        "GET /api/v1/query_range?query=time()&start=0&end=3&step=0.0004",
        "there, a division by zero",
        422,
        400,
    ),
    (
        "GET /api/v1/query_range?query=time()&start=0&end=1e300&step=1e9",
        "there, the end overflows",
        400,
        400,
    ),
    (
        "GET /api/v1/query?query=rate(odd[300])&time=1700000100",
        "numbers are durations since 3.0",
        400,
        200,
    ),
    (
        "GET /api/v1/query?query={%22odd%22}&time=1700000100",
        "quoted names are since 3.0",
        400,
        200,
    ),
    (
        "GET /api/v1/query?query=holt_winters(odd[5m],0.5,0.5)&time=1700000100",
        "renamed and experimental since 3.0",
        200,
        400,
    ),
    (
        "GET /api/v1/label/a-b/values",
        "every name is valid since 3.0",
        400,
        200,
    ),
    (
        "GET /api/v1/query?query=odd&time=1700000100&limit=x",
        "limits are since 3.0",
        200,
        400,
    ),
    (
        "GET /api/v1/query?query=1&time=1&lookback_delta=x",
        "lookback_delta is since 2.43",
        200,
        400,
    ),
    (
        "GET /api/v1/label/__name__/values?start=1700003700",
        "there, whole blocks are answered for",
        200,
        200,
    ),
    (
        "GET /api/v1/query_range?query=odd&start=1700003900&end=1700003900&step=1",
        "a sample exactly as old as the lookback is stale since 3.0",
        200,
        200,
    ),
    (
        "GET /api/v1/query?query=count_over_time(odd[30s])&time=1700000090",
        "windows are open at their left end since 3.0",
        200,
        200,
    ),
    (
        "GET /api/v1/query?query=quantile(2,odd)&time=1700000100",
        "annotations are since 2.48",
        200,
        200,
    ),
];

/// The lines below each request of a file.
fn cases(text: &str) -> Vec<(&str, &str)> {
    let blocks = text.split("\n\n").filter(|block| !block.trim().is_empty());
    let cases: Vec<_> = blocks
        .map(|block| block.trim().split_once('\n').unwrap())
        .collect();
    assert!(cases.len() > 20, "{}", cases.len());
    cases
}

/// The requests whose response differs from the file.
async fn differences(address: SocketAddr) -> Vec<String> {
    let mut differences = Vec::new();
    for (request, expected) in cases(ANSWERS) {
        let answer = send(address, request).await;
        let found = format!("{} {}", answer.status, answer.text().trim_end());
        if found != expected {
            differences.push(format!(
                "{request}\n  expected {expected}\n  found    {found}\n"
            ));
        }
    }
    for (request, expected) in cases(REFUSALS) {
        let answer = send(address, request).await;
        let error = answer.json().unwrap();
        let kind = error["errorType"].as_str().unwrap_or("no error");
        if format!("{} {kind}", answer.status) != expected {
            differences.push(format!(
                "{request}\n  expected {expected}\n  found    {error}\n"
            ));
        }
    }
    differences
}

async fn same_answers(address: SocketAddr) {
    let differences = differences(address).await;
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test]
async fn responses_are_those_of_the_files() {
    same_answers(ours().await).await;
}

#[tokio::test]
async fn prometheus_2_42_responds_the_same() {
    let prometheus = Prometheus::with_samples(&openmetrics()).await.unwrap();
    let ours = ours().await;
    if std::env::var_os("UPDATE_ANSWERS").is_some() {
        update(prometheus.addr()).await;
        return;
    }
    same_answers(prometheus.addr()).await;
    for (request, why, theirs, ours_expected) in DIFFERENCES {
        let there = send(prometheus.addr(), request).await;
        let here = send(ours, request).await;
        assert_eq!(
            (there.status, here.status),
            (*theirs, *ours_expected),
            "{request}: {why}"
        );
        assert_ne!(
            there.text(),
            here.text(),
            "{request}: no longer true that {why}"
        );
    }
}

/// Rewrites `answers.txt` with the same requests.
async fn update(prometheus: SocketAddr) {
    let mut text = String::new();
    for (request, _) in cases(ANSWERS) {
        let answer = send(prometheus, request).await;
        text += &format!(
            "{request}\n{} {}\n\n",
            answer.status,
            answer.text().trim_end()
        );
    }
    std::fs::write("tests/api/answers.txt", text).unwrap();
}
