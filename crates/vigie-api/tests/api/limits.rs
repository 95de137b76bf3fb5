//! Each limit has its own error; clients disconnect; long results.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use vigie_api::{Settings, Source};
use vigie_promql::storage::{MemoryStorage, Selection, StorageError};
use vigie_promql::{Labels, Limits, Matcher, Sample, Storage};
use vigie_testkit::http::{self, Connection};

use crate::common::{get, ours, samples, serve};

async fn refused(settings: Settings, path: &str) -> (u16, String, String) {
    let answer = get(serve(samples(), settings).await, path).await;
    let error = answer.json().unwrap();
    let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
    (answer.status, text("errorType"), text("error"))
}

#[tokio::test]
async fn each_limit_has_its_own_error() {
    let limits = Limits {
        samples: 1_000,
        points: 100,
        series: 4,
        ..Limits::default()
    };
    let settings = || Settings {
        query_bytes: 40,
        limits,
        ..Settings::default()
    };
    let range = "start=1700000000&end=1700000100&step=1";
    for (path, status, kind, error) in [
        (
            "/api/v1/query?query=sum(odd)%2Bsum(odd)%2Bsum(odd)%2Bsum(odd)%2Bsum(odd)".to_owned(),
            400,
            "bad_data",
            "invalid parameter \"query\": it is 44 bytes long, at most 40 are accepted",
        ),
        (
            "/api/v1/query_range?query=odd&start=1700000000&end=1700000101&step=1".to_owned(),
            400,
            "bad_data",
            "exceeded maximum resolution of 100 points per timeseries. Try decreasing the query resolution (?step=XX)",
        ),
        (
            format!("/api/v1/query_range?query=rate(http_requests_total[5m:1s])&{range}"),
            422,
            "execution",
            "query processing would load too many samples into memory in query execution: more than 1000",
        ),
        (
            "/api/v1/query?query=odd&time=1700000100".to_owned(),
            422,
            "execution",
            "the result has 5 series, more than the limit of 4",
        ),
        (
            "/api/v1/series?match[]=odd".to_owned(),
            422,
            "execution",
            "more than 4 series match: select fewer",
        ),
        (
            "/api/v1/query?query=odd*on()odd&time=1700000100".to_owned(),
            422,
            "execution",
            "1:1: ",
        ),
    ] {
        let found = refused(settings(), &path).await;
        assert_eq!((found.0, &*found.1), (status, kind), "{path}: {found:?}");
        assert!(found.2.starts_with(error), "{path}: {}", found.2);
    }
    let one_less = "/api/v1/query_range?query=sum(odd)&start=1700000000&end=1700000100&step=1";
    assert_eq!(refused(settings(), one_less).await.0, 200);
}

/// Samples that never end: reports when a reader came, and continues until the reader stops.
struct Endless {
    came: SyncSender<()>,
    gave_up: SyncSender<()>,
}

impl Storage for Endless {
    fn select(
        &self,
        _: &Selection<'_>,
        each: &mut dyn FnMut(&Labels, &[Sample]) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let _ = self.came.send(());
        let mut value = 0.0;
        loop {
            value += 1.0;
            let labels = Labels::new([("n", value.to_string())]);
            let sample = Sample { time: 0, value };
            if each(&labels, &[sample]).is_break() {
                let _ = self.gave_up.send(());
                return Ok(());
            }
            std::thread::sleep(Duration::from_micros(100));
        }
    }
}

impl Source for Endless {}

fn endless() -> (Endless, Waiting, Waiting) {
    let (came, has_come) = sync_channel(1_000);
    let (gave_up, has_given_up) = sync_channel(1_000);
    (
        Endless { came, gave_up },
        Waiting::new(has_come),
        Waiting::new(has_given_up),
    )
}

struct Waiting(Arc<Mutex<Receiver<()>>>);

impl Waiting {
    fn new(receiver: Receiver<()>) -> Self {
        Self(Arc::new(Mutex::new(receiver)))
    }

    async fn wait(&self) {
        let receiver = Arc::clone(&self.0);
        let waited = tokio::task::spawn_blocking(move || {
            receiver
                .lock()
                .unwrap()
                .recv_timeout(Duration::from_secs(30))
        });
        waited.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_query_that_takes_too_long_ends() {
    let (source, _, has_given_up) = endless();
    let settings = Settings {
        // Long enough for a query to be started on a busy machine.
        timeout: Duration::from_secs(2),
        ..Settings::default()
    };
    let ours = serve(source, settings).await;
    for path in [
        "/api/v1/query?query=x&time=0",
        "/api/v1/series?match[]=x",
        "/api/v1/query?query=x&time=0&timeout=1s",
    ] {
        let answer = get(ours, path).await;
        assert_eq!(answer.status, 503, "{path}");
        let error = answer.json().unwrap();
        assert_eq!(error["errorType"], "timeout");
        assert_eq!(error["error"], "query timed out in expression evaluation");
        has_given_up.wait().await;
    }
}

/// A single sample of `up`, and endless samples of every other metric.
struct Mixed {
    endless: Endless,
    known: MemoryStorage,
}

impl Storage for Mixed {
    fn select(
        &self,
        selection: &Selection<'_>,
        each: &mut dyn FnMut(&Labels, &[Sample]) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let is_up = |matcher: &Matcher| matcher.name() == "__name__" && matcher.value() == "up";
        match selection.matchers.iter().any(is_up) {
            true => self.known.select(selection, each),
            false => self.endless.select(selection, each),
        }
    }
}

impl Source for Mixed {}

fn mixed() -> (Mixed, Waiting, Waiting) {
    let (endless, has_come, has_given_up) = endless();
    let mut known = MemoryStorage::new();
    let labels = Labels::new([("__name__", "up"), ("job", "demo")]);
    let sample = Sample {
        time: 0,
        value: 1.0,
    };
    known.insert(&labels, sample);
    (Mixed { endless, known }, has_come, has_given_up)
}

/// A query that is not tried on the serving thread because its text is too long.
fn long(expression: &str, more: &str) -> String {
    let blanks = "%20".repeat(2_000);
    format!("/api/v1/query?query={expression}{blanks}&time=0{more}")
}

/// While all permits for large queries are taken, large queries wait and all other requests are served.
#[tokio::test]
async fn only_large_queries_wait_for_large_queries() {
    let (source, has_come, has_given_up) = mixed();
    let settings = Settings {
        concurrency: 1,
        ..Settings::default()
    };
    let ours = serve(source, settings).await;
    let mut busy = Connection::open(ours).await.unwrap();
    let request = format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", long("x", ""));
    busy.send(request.as_bytes()).await.unwrap();
    // First as a small query, then as a large one.
    has_come.wait().await;
    has_come.wait().await;
    has_given_up.wait().await;

    let waited = get(ours, &long("x", "&timeout=500ms")).await;
    assert_eq!(waited.status, 503);
    assert_eq!(
        waited.json().unwrap()["error"],
        "query timed out in query queue"
    );
    has_come.wait().await;
    has_given_up.wait().await;

    let names = (0..300).map(|n| format!("job-{n}")).collect::<Vec<_>>();
    let names = names.join("%7C");
    for query in [
        "up".to_owned(),
        "up%7Bjob=~%22demo%22%7D".to_owned(),
        "up%7Bjob=~%22d.%2B%22%7D".to_owned(),
        "up%7Bjob!~%22(?i)DEMOS%22%7D".to_owned(),
        format!("up%7Bjob=~%22demo%7C{names}%22%7D"),
        "label_replace(up,%22a%22,%22$1%22,%22job%22,%22(d).*%22)".to_owned(),
    ] {
        let answer = get(ours, &format!("/api/v1/query?time=0&query={query}")).await;
        let answer = answer.json().unwrap();
        assert_eq!(answer["data"]["result"][0]["value"][1], "1", "{query}");
    }
    let answer = get(ours, &long("up", "")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    for path in [
        "/api/v1/series?match[]=up%7Bjob=~%22d.*%22%7D",
        "/api/v1/labels?match[]=up",
        "/api/v1/label/job/values?match[]=up",
        "/api/v1/format_query?query=up",
        "/api/v1/query_exemplars?query=up",
        "/api/v1/status/buildinfo",
        "/-/ready",
    ] {
        assert_eq!(get(ours, path).await.status, 200, "{path}");
    }

    drop(busy);
    has_given_up.wait().await;
}

#[tokio::test]
async fn a_duration_that_comes_to_nothing_is_bad_data() {
    let ours = ours().await;
    for (query, error) in [
        (
            "rate(odd[5m-6m])",
            "1:10: this duration must be greater than 0",
        ),
        (
            "rate(odd[step()])",
            "1:10: this duration must be greater than 0",
        ),
        (
            "max_over_time(odd[5m:range()])",
            "1:22: this duration must be greater than 0",
        ),
        ("odd%20offset%20(1m/step())", "1:13: division by zero"),
        ("odd[1e9*100]", "1:5: this duration is out of range"),
    ] {
        let answer = get(ours, &format!("/api/v1/query?query={query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        let answer = answer.json().unwrap();
        assert_eq!(answer["errorType"], "bad_data");
        assert_eq!(
            answer["error"],
            format!("invalid parameter \"query\": {error}")
        );
    }
}

/// The place of a client that leaves is given to the next query.
#[tokio::test]
async fn a_disconnect_releases_the_permit() {
    let (source, has_come, has_given_up) = mixed();
    let settings = Settings {
        concurrency: 1,
        ..Settings::default()
    };
    let ours = serve(source, settings).await;
    for _ in 0..3 {
        let mut busy = Connection::open(ours).await.unwrap();
        let request = format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", long("x", ""));
        busy.send(request.as_bytes()).await.unwrap();
        has_come.wait().await;
        has_given_up.wait().await;
        has_come.wait().await;
        drop(busy);
        has_given_up.wait().await;
    }
}

struct Broken;

impl Storage for Broken {
    fn select(
        &self,
        _: &Selection<'_>,
        _: &mut dyn FnMut(&Labels, &[Sample]) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        Err("the disk is gone".into())
    }
}

impl Source for Broken {}

#[tokio::test]
async fn samples_that_cannot_be_read() {
    let ours = serve(Broken, Settings::default()).await;
    for path in [
        "query?query=x",
        "series?match[]=x",
        "labels",
        "label/x/values",
    ] {
        let answer = get(ours, &format!("/api/v1/{path}")).await;
        assert_eq!(answer.status, 500, "{path}");
        let error = answer.json().unwrap();
        assert_eq!(error["errorType"], "internal");
        assert_eq!(
            error["error"],
            "the samples cannot be read: the disk is gone"
        );
    }
}

/// A result of several pieces, complete to the last byte.
#[tokio::test]
async fn a_long_result() {
    let mut storage = MemoryStorage::new();
    for series in 0..100 {
        let labels = Labels::new([("__name__", "x".to_owned()), ("n", format!("{series:03}"))]);
        for at in 0..100 {
            storage.insert(
                &labels,
                Sample {
                    time: at * 1_000,
                    value: at as f64 / 7.0,
                },
            );
        }
    }
    let ours = serve(storage, Settings::default()).await;
    let answer = get(ours, "/api/v1/query_range?query=x&start=0&end=99&step=1").await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.len() > 200_000, "{}", answer.body.len());
    let answer = answer.json().unwrap();
    let result = answer["data"]["result"].as_array().unwrap();
    assert_eq!(result.len(), 100);
    assert_eq!(result[99]["metric"]["n"], "099");
    let last = &result[99]["values"][99];
    assert_eq!(*last, serde_json::json!([99, "14.142857142857142"]));
}

#[tokio::test]
async fn annotations_and_statistics() {
    let ours = ours().await;
    let warned = get(ours, "/api/v1/query?query=quantile(2,odd)&time=1700000100")
        .await
        .json()
        .unwrap();
    let warning = "PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)";
    assert_eq!(warned["warnings"], serde_json::json!([warning]));
    let informed = get(ours, "/api/v1/query?query=rate(odd[1m])&time=1700000100")
        .await
        .json()
        .unwrap();
    let info = informed["infos"][0].as_str().unwrap();
    assert!(
        info.starts_with("PromQL info: metric might not be a counter"),
        "{info}"
    );
    let counted = get(ours, "/api/v1/query?query=odd&time=1700000100&stats=all")
        .await
        .json()
        .unwrap();
    let stats = &counted["data"]["stats"];
    assert!(stats["timings"]["evalTotalTime"].is_f64(), "{stats}");
    assert!(
        stats["samples"]["totalQueryableSamples"].as_u64() >= Some(5),
        "{stats}"
    );
}

/// What a query can make grow is held to its memory: labels, their copies, series, steps and the text of the answer.
#[tokio::test]
async fn labels_that_grow_are_refused() {
    let settings = Settings {
        limits: Limits {
            bytes: 4 << 20,
            ..Settings::default().limits
        },
        ..Settings::default()
    };
    let ours = serve(samples(), settings).await;
    let mut doubled = "label_replace(odd, \"z\", \"$1$1\", \"k\", \"(.*)\")".to_owned();
    for _ in 0..40 {
        doubled = format!("label_replace({doubled}, \"z\", \"$1$1\", \"z\", \"(.*)\")");
    }
    let sources = ",\"k\"".repeat(2_000);
    let joined = format!(
        "label_join({{__name__=~\".+\"}},\"z\",\"{}\"{sources})",
        "x".repeat(50_000)
    );
    let escaped = format!(
        "label_join(vector(1),\"z\",\"{}\"{})",
        "<".repeat(3_000),
        ",\"k\"".repeat(300)
    );
    let copied = format!(
        "odd * on() group_left(z) label_join(vector(1),\"z\",\"{}\"{})",
        "x".repeat(3_000),
        ",\"k\"".repeat(300)
    );
    let memory = "query processing would take too much memory in query execution: more than 4 MiB (the setting query.max_memory)";
    for (query, error) in [
        (doubled, "label_replace() matches at most 65536 bytes"),
        (joined.clone(), memory),
        (format!("count({joined})"), memory),
        (escaped, memory),
        (copied, memory),
        ("sum_over_time(odd[7d:100ms])".to_owned(), memory),
        ("1+".repeat(15_000) + "1", memory),
        (vec!["a{b=~\"(x{900}){3}\"}"; 100].join(" or "), memory),
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let form = format!("query={encoded}&time=1700000100");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let path = "/api/v1/query";
        let answer = http::request(ours, "POST", path, &headers, form.as_bytes());
        let answer = answer.await.unwrap();
        let beginning: String = query.chars().take(60).collect();
        assert_eq!(answer.status, 422, "{beginning}: {}", answer.text());
        let found = answer.json().unwrap();
        let found = found["error"].as_str().unwrap();
        assert!(found.contains(error), "{beginning}: {found}");
    }
}
