//! Prometheus' HTTP API over any source of samples, for Grafana, promtool and other clients of Prometheus.
//!
//! ```
//! use std::sync::Arc;
//! use axum::{body::Body, http::Request};
//! use tower::ServiceExt as _;
//! use vigie_api::{Api, BuildInfo, Settings};
//! use vigie_promql::{Labels, Sample, storage::MemoryStorage};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let mut samples = MemoryStorage::new();
//! let labels = Labels::new([("__name__", "up"), ("job", "api")]);
//! samples.insert(&labels, Sample { time: 60_000, value: 1.0 });
//!
//! let api = Api::new(Arc::new(samples), Settings::default(), BuildInfo::default());
//! let request = Request::get("/api/v1/query?query=up&time=61").body(Body::empty()).unwrap();
//! let answer = vigie_api::router(api).oneshot(request).await.unwrap();
//! let body = axum::body::to_bytes(answer.into_body(), 4096).await.unwrap();
//! assert_eq!(
//!     body,
//!     r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"api"},"value":[61,"1"]}]}}"#
//! );
//! # }
//! ```
//!
//! | path | response |
//! | --- | --- |
//! | `/api/v1/query`, `/query_range` | a PromQL query, at one time or over a range |
//! | `/api/v1/series`, `/labels`, `/label/NAME/values` | series and labels |
//! | `/api/v1/metadata` | type, help and unit of the metrics |
//! | `/api/v1/format_query` | the query as Prometheus lays it out |
//! | `/api/v1/status/buildinfo` | which Prometheus this is compatible with |
//! | `/api/v1/status/runtimeinfo`, `/flags`, `/config` | when the API started, the limits of a query, an empty configuration |
//! | `/api/v1/status/tsdb` | which metrics and labels have the most series |
//! | `/api/v1/rules`, `/alerts` | the rules of the source and their alerts |
//! | `/api/v1/alertmanagers`, `/targets`, `/query_exemplars` | the right shape, with nothing in it |
//! | `/federate` | the newest samples, in the text format |
//! | `/-/healthy`, `/-/ready` | that it serves, and that there is something to answer from |
//!
//! Shapes, number formats, error codes and most messages are those of Prometheus 3 (`web/api/v1` and `util/jsonutil`
//! there). The others contain more information: an error in a query has a line and a column.
//!
//! Queries run on separate threads, with limited concurrency and a deadline each; a query ends when its client
//! disconnects. Small queries do not wait for large ones. Results are serialized in pieces while they are sent.

mod api;
mod empty;
mod error;
mod federate;
mod format;
mod gate;
mod helpers;
mod histogram;
mod json;
mod labels;
mod metadata;
mod methods;
mod multipart;
mod number;
mod params;
mod query;
mod result;
pub mod rules;
mod selectors;
mod sending;
mod source;
mod status;
mod time;
mod tsdb;

pub use api::{Api, BuildInfo, Settings, lifecycle, router};
pub use source::{Metadata, MetricKind, Source};
