//! The requests of Grafana's Prometheus datasource.

use serde_json::{Value, json};

use crate::common::{get, ours, post};

async fn data(answer: vigie_testkit::http::Response) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let mut envelope = answer.json().unwrap();
    assert_eq!(envelope["status"], "success", "{envelope}");
    envelope["data"].take()
}

#[tokio::test]
async fn save_and_test() {
    let ours = ours().await;
    let two = data(post(ours, "/api/v1/query", b"query=1%2B1&time=4").await).await;
    assert_eq!(two, json!({"resultType": "scalar", "result": [4, "2"]}));
    let build = data(get(ours, "/api/v1/status/buildinfo").await).await;
    // A version of 2.24 or later, so that it requests label values with match[].
    let version: Vec<u32> = build["version"]
        .as_str()
        .unwrap()
        .split('.')
        .map(|part| part.parse().unwrap())
        .collect();
    assert!(version >= vec![2, 24, 0], "{build}");
    assert!(
        build.get("features").is_none(),
        "with features it is Mimir: {build}"
    );
    assert!(build.get("application").is_none(), "{build}");
}

#[tokio::test]
async fn on_load() {
    let ours = ours().await;
    assert_eq!(
        data(get(ours, "/api/v1/rules").await).await,
        json!({"groups": []})
    );
    // Milliseconds instead of seconds: the year 55,840.
    let exemplars = "/api/v1/query_exemplars?query=test&start=1699996400000&end=1700000000000";
    assert_eq!(data(get(ours, exemplars).await).await, json!([]));
    let metadata = data(get(ours, "/api/v1/metadata?limit=40000").await).await;
    assert_eq!(
        metadata["odd"],
        json!([{"type": "gauge", "help": "Odd \"values\".", "unit": ""}])
    );
    assert_eq!(metadata["http_requests_total"][0]["type"], "counter");
    assert_eq!(metadata["latency_seconds"][0]["type"], "histogram");
    let one = data(get(ours, "/api/v1/metadata?metric=odd").await).await;
    assert_eq!(one.as_object().unwrap().len(), 1);
    let two = data(get(ours, "/api/v1/metadata?limit=2").await).await;
    assert_eq!(two.as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn a_panel() {
    let ours = ours().await;
    let form = b"query=sum%20by(job)(rate(http_requests_total%5B1m0s%5D))&start=1700000085.001&end=1700000385.001&step=15";
    let panel = data(post(ours, "/api/v1/query_range", form).await).await;
    assert_eq!(panel["resultType"], "matrix");
    assert_eq!(panel["result"][0]["metric"], json!({"job": "api"}));
    assert_eq!(panel["result"][0]["values"].as_array().unwrap().len(), 21);
    let instant = post(
        ours,
        "/api/v1/query",
        b"query=odd%7Bk%3D%22inf%22%7D&time=1700000385.001",
    )
    .await;
    let instant = data(instant).await;
    assert_eq!(
        instant["result"][0]["value"],
        json!([1_700_000_385.001, "+Inf"])
    );
}

#[tokio::test]
async fn the_query_builder_and_template_variables() {
    let ours = ours().await;
    let range = "start=1700000000&end=1700003600";
    let names = get(
        ours,
        &format!("/api/v1/label/__name__/values?{range}&limit=40000"),
    )
    .await;
    assert_eq!(
        data(names).await,
        json!(["http_requests_total", "latency_seconds_bucket", "odd"])
    );
    // label_values(http_requests_total, job)
    let values = format!("/api/v1/label/job/values?match[]=http_requests_total&{range}");
    assert_eq!(data(get(ours, &values).await).await, json!(["api", "web"]));
    // metrics(http.*)
    let metrics = format!(
        "/api/v1/label/__name__/values?match%5B%5D=%7B__name__%3D~%22.*http.*%22%7D&{range}"
    );
    assert_eq!(
        data(get(ours, &metrics).await).await,
        json!(["http_requests_total"])
    );
    // label_names()
    let form = format!("match%5B%5D=http_requests_total&{range}");
    let labels = data(post(ours, "/api/v1/labels", form.as_bytes()).await).await;
    assert_eq!(labels, json!(["__name__", "code", "instance", "job"]));
    let series = data(post(ours, "/api/v1/series", form.as_bytes()).await).await;
    assert_eq!(series.as_array().unwrap().len(), 3);
    // A request that may not be POSTed is repeated with GET after a 405.
    let posted = post(ours, "/api/v1/label/job/values", form.as_bytes()).await;
    assert_eq!(posted.status, 405);
    // query_result(odd): an instant query.
    let result = data(get(ours, "/api/v1/query?query=odd&time=1700000100").await).await;
    assert_eq!(result["result"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn limits_truncate_with_a_warning() {
    let ours = ours().await;
    for (path, found) in [
        ("/api/v1/labels?limit=2", 2),
        ("/api/v1/label/k/values?limit=3", 3),
        ("/api/v1/series?match[]=odd&limit=1", 1),
        ("/api/v1/query?query=odd&time=1700000100&limit=4", 4),
        (
            "/api/v1/query_range?query=odd&start=1700000100&end=1700000130&step=15&limit=2",
            2,
        ),
    ] {
        let answer = get(ours, path).await.json().unwrap();
        assert_eq!(
            answer["warnings"],
            json!(["results truncated due to limit"]),
            "{path}"
        );
        let data = answer["data"]
            .as_array()
            .or(answer["data"]["result"].as_array());
        assert_eq!(data.unwrap().len(), found, "{path}");
        let more = path.split_once("limit=").unwrap().0;
        for enough in ["limit=0", "limit=1000000"] {
            let answer = get(ours, &format!("{more}{enough}")).await.json().unwrap();
            assert!(answer.get("warnings").is_none(), "{path} {enough}");
        }
        assert_eq!(get(ours, &format!("{more}limit=-1")).await.status, 400);
    }
}
