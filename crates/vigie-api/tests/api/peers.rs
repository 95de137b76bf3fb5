//! `/federate` and `/status/tsdb`, side by side with Prometheus.

use std::time::{SystemTime, UNIX_EPOCH};

use vigie_api::Settings;
use vigie_promql::storage::MemoryStorage;
use vigie_promql::value::stale_marker;
use vigie_promql::{Labels, Sample};
use vigie_testkit::Prometheus;

use crate::common::{get, ours, serve};

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

/// Series with one sample each, so many seconds ago.
const SERIES: &[(&str, &str, &str, i64)] = &[
    ("up", "job=\"api\",instance=\"a:1\"", "1", 20),
    ("up", "job=\"web\"", "0", 10),
    ("size", "", "1234567", 15),
    ("size", "n=\"2\"", "0.00001234", 15),
    ("size", "n=\"3\",q=\"a\\\\b\\\"c\\nd\"", "NaN", 15),
    ("a_total", "n=\"inf\"", "+Inf", 15),
    ("a_total", "n=\"neg\"", "-123456.5", 15),
    ("old", "", "1", 4_000),
];

fn both() -> (MemoryStorage, String) {
    let now = now();
    let mut storage = MemoryStorage::new();
    let mut page = String::new();
    for (metric, labels, value, ago) in SERIES {
        let time = now - ago;
        page.push_str(&format!("{metric}{{{labels}}} {value} {time}\n"));
        let expr = vigie_promql::parse(&format!("{metric}{{{labels}}}")).unwrap();
        let vigie_promql::Expr::Selector(selector) = expr else {
            panic!("{labels}");
        };
        let pairs = selector.all_matchers();
        let pairs = pairs.map(|one| (one.name().to_owned(), one.value().to_owned()));
        let sample = Sample {
            time: time * 1000,
            value: value.parse().unwrap(),
        };
        storage.insert(&Labels::new(pairs), sample);
    }
    (storage, page + "# EOF\n")
}

/// The lines of a page, metrics in order and the series of each in any.
fn lines(page: &str) -> Vec<String> {
    let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
    lines.sort_by_key(|line| {
        let text = line.trim_start_matches("# TYPE ");
        let name = text.split(['{', ' ']).next().unwrap_or_default().to_owned();
        (name, !line.starts_with('#'), line.clone())
    });
    lines
}

#[tokio::test]
async fn federation_gives_the_newest_samples_as_prometheus_does() {
    let (storage, page) = both();
    let prometheus = Prometheus::with_samples(&page).await.unwrap();
    let ours = serve(storage, Settings::default()).await;
    for (query, series) in [
        ("match[]=%7B__name__=~%22.%2B%22%7D", 7),
        ("match[]=up&match[]=size&match[]=up%7Bjob=%22api%22%7D", 5),
        ("match[]=old", 0),
        ("match[]=nothing", 0),
        ("match[]=%7B%7D", 0),
        ("match[]=%7Bn=%22%22%7D", 3),
        ("match[]=%7Bn=~%22.*%22%7D&match[]=up", 7),
        ("match[]=up%7B__name__!=%22size%22%7D", 2),
        ("", 0),
    ] {
        let path = format!("/federate?{query}");
        let theirs = get(prometheus.addr(), &path).await;
        let found = get(ours, &path).await;
        assert_eq!((found.status, theirs.status), (200, 200), "{path}");
        assert_eq!(found.header("content-type"), theirs.header("content-type"));
        let (found, theirs) = (found.text(), theirs.text());
        assert_eq!(lines(&found), lines(&theirs), "{path}");
        let samples = found.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(samples.count(), series, "{path}");
    }
    let path = "/federate?match[]=up%7B";
    let theirs = get(prometheus.addr(), path).await;
    let found = get(ours, path).await;
    assert_eq!((found.status, theirs.status), (400, 400));
    assert!(
        found
            .header("content-type")
            .unwrap()
            .starts_with("text/plain")
    );
}

#[tokio::test]
async fn a_series_that_ended_is_not_federated() {
    let time = now() * 1000;
    let mut storage = MemoryStorage::new();
    let up = Labels::new([("__name__", "up")]);
    let values = [(time - 20_000, 1.0), (time - 10_000, stale_marker())];
    for (time, value) in values {
        storage.insert(&up, Sample { time, value });
    }
    let ours = serve(storage, Settings::default()).await;
    assert_eq!(get(ours, "/federate?match[]=up").await.text(), "");
}

#[tokio::test]
async fn the_most_frequent_labels_are_counted() {
    let ours = ours().await;
    let answer = get(ours, "/api/v1/status/tsdb?limit=2").await;
    let data = &answer.json().unwrap()["data"];
    let head = &data["headStats"];
    assert_eq!(head["numSeries"], 11);
    assert_eq!(head["numLabelPairs"], 17);
    assert_eq!(head["minTime"], 1_700_000_000_000_i64);
    assert_eq!(head["maxTime"], 1_700_003_720_000_i64);
    let first = |key: &str, name: &str, value: u64| {
        let list = data[key].as_array().unwrap();
        assert_eq!(list.len(), 2, "{key}");
        assert_eq!(list[0]["name"], name, "{key}");
        assert_eq!(list[0]["value"], value, "{key}");
    };
    first("seriesCountByMetricName", "odd", 5);
    first("labelValueCountByLabelName", "k", 5);
    first("memoryInBytesByLabelName", "__name__", 44);
    first("seriesCountByLabelValuePair", "__name__=odd", 5);
    for limit in ["0", "-1", "x"] {
        let answer = get(ours, &format!("/api/v1/status/tsdb?limit={limit}")).await;
        assert_eq!(answer.status, 400, "{limit}");
        let error = answer.json().unwrap();
        assert_eq!(error["error"], "limit must be a positive number");
    }
}

/// The same, counted by Prometheus over what it holds in memory.
#[tokio::test]
async fn the_status_has_the_shape_of_prometheus() {
    let prometheus = Prometheus::start("global: {}\n").await.unwrap();
    let theirs = get(prometheus.addr(), "/api/v1/status/tsdb").await;
    let theirs = theirs.json().unwrap()["data"].clone();
    let empty = serve(MemoryStorage::new(), Settings::default()).await;
    let found = get(empty, "/api/v1/status/tsdb").await;
    let found = found.json().unwrap()["data"].clone();
    let mut expected = theirs;
    expected["headStats"]
        .as_object_mut()
        .unwrap()
        .remove("chunkCount");
    assert_eq!(found, expected);
}
