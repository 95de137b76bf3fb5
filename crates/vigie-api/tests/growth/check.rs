//! One request against the API, and the most memory that it took.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use http::{Request, StatusCode};
use tower::ServiceExt as _;
use vigie_api::{Api, BuildInfo, Settings, router};
use vigie_promql::storage::MemoryStorage;
use vigie_promql::{Labels, Limits, Sample};

use crate::counting;
use crate::queries::{self, Choices};

/// The budget of each query.
const BUDGET: usize = 4 << 20;
/// What a query may take beyond its budget: lists double as they grow, and the pieces of the answer, the parameters of the
/// request and a regular expression are not charged.
const BEYOND: usize = BUDGET / 4 + (1 << 20);

/// An API over a few series.
pub(crate) fn api() -> Router {
    let mut storage = MemoryStorage::new();
    for at in 0..40 {
        let (a, b) = (format!("{at}"), format!("{}", at % 7));
        let name = if at < 30 { "x" } else { "h_bucket" };
        let mut labels = vec![("__name__", name), ("a", &a), ("b", &b)];
        if at >= 30 {
            labels.push(("le", ["1", "2", "+Inf"][at % 3]));
        }
        let labels = Labels::new(labels);
        for time in 0..80_u32 {
            let value = f64::from(time % 13);
            let time = i64::from(time) * 15_000;
            storage.insert(&labels, Sample { time, value });
        }
    }
    let settings = Settings {
        timeout: Duration::from_secs(5),
        limits: Limits {
            bytes: BUDGET,
            ..Settings::default().limits
        },
        ..Settings::default()
    };
    router(Api::new(Arc::new(storage), settings, BuildInfo::default()))
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Answered,
    TooLarge,
    Refused,
    Interrupted,
}

/// Sends the request that `choices` make.
///
/// # Panics
/// When it takes more memory than it may.
pub(crate) async fn request(api: &Router, choices: &mut impl Choices) -> End {
    let (path, parameters) = queries::request(choices);
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in &parameters {
        form.append_pair(name, value);
    }
    let request = Request::post(format!("/api/v1/{path}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form.finish()))
        .expect("the request is well formed");
    let begin = counting::begin();
    let response = api
        .clone()
        .oneshot(request)
        .await
        .unwrap_or_else(|error| match error {});
    let status = response.status();
    let mut body = pin!(response.into_body());
    let mut beginning = Vec::new();
    while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await
    {
        let piece = frame
            .expect("the answer is whole")
            .into_data()
            .unwrap_or_default();
        if beginning.is_empty() {
            beginning.extend_from_slice(&piece[..piece.len().min(300)]);
        }
    }
    let most = counting::most_since(begin);
    let query = &parameters[0].1;
    assert!(
        most <= BUDGET + BEYOND,
        "{most} bytes, {status}, {path} with {query}"
    );
    let beginning = String::from_utf8_lossy(&beginning);
    match status {
        StatusCode::OK => End::Answered,
        StatusCode::UNPROCESSABLE_ENTITY if beginning.contains("query.max_memory") => End::TooLarge,
        StatusCode::SERVICE_UNAVAILABLE => End::Interrupted,
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => End::Refused,
        status => panic!("{status}: {beginning}, {path} with {query}"),
    }
}
