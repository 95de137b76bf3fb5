//! The samples of the tests, and a server.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use vigie_api::{Api, BuildInfo, Metadata, MetricKind, Settings, Source};
use vigie_promql::storage::{MemoryStorage, Selection, StorageError};
use vigie_promql::{Labels, Sample, Storage};
use vigie_testkit::http::{self, Response};

/// The first sample, in milliseconds since the epoch.
pub(crate) const START: i64 = 1_700_000_000_000;

/// Each series with the value of its n-th sample and the interval in milliseconds.
type Line = (
    &'static str,
    &'static [(&'static str, &'static str)],
    fn(i64) -> f64,
    i64,
);

/// Sorted by labels, as in Prometheus.
const LINES: &[Line] = &[
    (
        "http_requests_total",
        &[("code", "200"), ("instance", "a:1"), ("job", "api")],
        |n| 3.0 * n as f64,
        15_000,
    ),
    (
        "http_requests_total",
        &[("code", "200"), ("instance", "b:1"), ("job", "web")],
        |n| 1e10 * n as f64,
        15_000,
    ),
    (
        "http_requests_total",
        &[("code", "500"), ("instance", "a:1"), ("job", "api")],
        |n| 0.1 * n as f64,
        15_000,
    ),
    (
        "latency_seconds_bucket",
        &[("le", "+Inf")],
        |n| 2.5 * n as f64,
        15_000,
    ),
    (
        "latency_seconds_bucket",
        &[("le", "0.5")],
        |n| n as f64,
        15_000,
    ),
    (
        "latency_seconds_bucket",
        &[("le", "1")],
        |n| 2.0 * n as f64,
        15_000,
    ),
    ("odd", &[("k", "huge")], |_| 1.5e21, 15_000),
    ("odd", &[("k", "inf")], |_| f64::INFINITY, 15_000),
    ("odd", &[("k", "nan")], |_| f64::NAN, 15_000),
    ("odd", &[("k", "q\"u\\o<>&é\n")], |_| -0.0, 15_500),
    ("odd", &[("k", "tiny")], |_| 1e-7, 15_000),
];
const SAMPLES: i64 = 241;

/// The samples with metadata.
pub(crate) struct Known(MemoryStorage);

impl Storage for Known {
    fn select(
        &self,
        selection: &Selection<'_>,
        each: &mut dyn FnMut(&Labels, &[Sample]) -> std::ops::ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.0.select(selection, each)
    }
}

impl Source for Known {
    fn metadata(&self) -> Vec<Metadata> {
        let entry = |name: &str, kind, help: &str| Metadata {
            name: name.into(),
            kind,
            help: help.into(),
            unit: String::new(),
        };
        vec![
            entry("odd", MetricKind::Gauge, "Odd \"values\"."),
            entry("http_requests_total", MetricKind::Counter, "Requests."),
            entry("latency_seconds", MetricKind::Histogram, "Latency."),
        ]
    }
}

/// The samples for this API.
pub(crate) fn samples() -> Known {
    let mut storage = MemoryStorage::new();
    for (name, labels, value, every) in LINES {
        let labels = labels.iter().copied().chain([("__name__", *name)]);
        let labels = Labels::new(labels);
        for n in 0..SAMPLES {
            let (time, value) = (START + n * every, value(n));
            storage.insert(&labels, Sample { time, value });
        }
    }
    Known(storage)
}

/// The samples for Prometheus.
pub(crate) fn openmetrics() -> String {
    let mut page = String::new();
    let mut last = "";
    for (name, labels, value, every) in LINES {
        if *name != last {
            let family = name.trim_end_matches("_total").trim_end_matches("_bucket");
            let kind = match *name {
                "odd" => "gauge",
                "http_requests_total" => "counter",
                _ => "histogram",
            };
            writeln!(page, "# TYPE {family} {kind}").unwrap();
            last = name;
        }
        let escaped = |text: &str| {
            text.replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n")
        };
        let labels = labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
        let labels = labels.collect::<Vec<_>>().join(",");
        for n in 0..SAMPLES {
            let time = (START + n * every) as f64 / 1e3;
            let value = format!("{}", value(n)).replace("inf", "+Inf");
            writeln!(page, "{name}{{{labels}}} {value} {time}").unwrap();
        }
    }
    page + "# EOF\n"
}

/// Serves the API and returns its address; the server ends with the test.
pub(crate) async fn serve(source: impl Source + 'static, settings: Settings) -> SocketAddr {
    let api = Api::new(Arc::new(source), settings, BuildInfo::default());
    let router = vigie_api::router(api.clone()).merge(vigie_api::lifecycle(api));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Serves the samples.
pub(crate) async fn ours() -> SocketAddr {
    serve(samples(), Settings::default()).await
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Response {
    http::get(address, path).await.unwrap()
}

/// Sends a form.
pub(crate) async fn post(address: SocketAddr, path: &str, form: &[u8]) -> Response {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    http::request(address, "POST", path, &headers, form)
        .await
        .unwrap()
}

/// Sends a request in the syntax of the files: `GET PATH` or `POST PATH FORM`.
pub(crate) async fn send(address: SocketAddr, request: &str) -> Response {
    let mut words = request.splitn(3, ' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    match method {
        "GET" => get(address, path).await,
        "POST" => post(address, path, words.next().unwrap_or_default().as_bytes()).await,
        _ => panic!("{request}"),
    }
}
