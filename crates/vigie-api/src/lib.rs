//! Prometheus' HTTP API over any source of samples: what Grafana, promtool and every other client of Prometheus asks.
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
//! | path | what it answers |
//! | --- | --- |
//! | `/api/v1/query`, `/query_range` | a PromQL query, at one time or over a range |
//! | `/api/v1/series`, `/labels`, `/label/NAME/values` | what there is to ask for |
//! | `/api/v1/metadata` | type, help and unit of the metrics |
//! | `/api/v1/format_query` | the query as it is written best |
//! | `/api/v1/status/buildinfo` | which Prometheus this is compatible with |
//! | `/api/v1/status/runtimeinfo`, `/flags`, `/config` | when the API started, the limits of a query, an empty configuration |
//! | `/api/v1/rules`, `/alerts`, `/alertmanagers`, `/targets`, `/query_exemplars` | the right shape, with nothing in it |
//! | `/-/healthy`, `/-/ready` | that it serves, and that there is something to answer from |
//!
//! Shapes, number formats, error codes and most messages are those of Prometheus 3 (`web/api/v1` and `util/jsonutil` there).
//! What is told otherwise is told with more: a slip in a query with its line and column.
//!
//! Queries run on threads of their own, a bounded number at a time, each with a deadline; a client that leaves ends its
//! query. Small queries do not wait for large ones. A result is written while it is sent, piece by piece.

mod api;
mod error;
mod format;
mod gate;
mod json;
mod labels;
mod metadata;
mod methods;
mod multipart;
mod number;
mod params;
mod query;
mod result;
mod rules;
mod selectors;
mod sending;
mod source;
mod status;
mod time;
mod vacant;

pub use api::{Api, BuildInfo, Settings, lifecycle, router};
pub use params::LARGEST_FORM;
pub use source::{Metadata, MetricKind, Source};
