//! PromQL: a parser with precise error positions, and an evaluator over any source of samples.
//!
//! ```
//! let query = vigie_promql::parse("sum by (job) (rate(http_requests_total[5m]))").unwrap();
//! assert_eq!(query.to_string(), "sum by (job) (rate(http_requests_total[5m]))");
//!
//! let error = vigie_promql::parse("sum(rate(http_requests_total[5m])) by job").unwrap_err();
//! assert_eq!(error.to_string(), r#"1:39: unexpected "job", expected "(" after by"#);
//! ```
//!
//! An [`Engine`] evaluates a parsed query over any [`Storage`]:
//!
//! ```
//! use vigie_promql::{Engine, Labels, Sample, Value, parse, storage::MemoryStorage};
//!
//! let mut storage = MemoryStorage::new();
//! let labels = Labels::new([("__name__", "jobs_total"), ("queue", "mail")]);
//! for minute in 0..10 {
//!     let sample = Sample { time: minute * 60_000, value: 30.0 * minute as f64 };
//!     storage.insert(&labels, sample);
//! }
//! let query = parse("rate(jobs_total[5m])").unwrap();
//! let never = || false;
//! let outcome = Engine::default().instant(&storage, &query, 540_000, &never).unwrap();
//! let Value::Vector(result) = outcome.value else { unreachable!() };
//! assert_eq!(result[0].labels.to_string(), r#"{queue="mail"}"#);
//! assert_eq!(result[0].value, 0.5);
//! ```
//!
//! The semantics are those of Prometheus 3. Native histograms, and syntax that Prometheus has behind feature flags, are
//! refused. There are three intended differences: the first argument of an aggregation is evaluated at every step even if
//! `@` fixes the other; the date of a time that is not finite is NaN instead of a platform-dependent one; and of equal
//! values `topk` and `bottomk` return the first.
//!
//! The crate does no I/O and reads no clock.

pub mod annotations;
mod eval;
mod format;
mod functions;
mod histogram;
mod labels;
mod matcher;
mod re2;
pub mod script;
pub mod storage;
pub mod suggest;
pub mod syntax;
pub mod value;

pub use annotations::Annotations;
pub use eval::{Engine, EvalError, Limits, NameRemoval, TimeRange};
pub use format::go_general;
pub use histogram::{Bucket, Histogram, ResetHint};
pub use labels::{Labels, METRIC_NAME};
pub use matcher::{MatchOp, Matcher};
pub use re2::{Error as RegexpError, Search};
pub use storage::Storage;
pub use syntax::{Expr, Features, ParseError, parse, parse_selector, parse_with};
pub use value::{HistogramSample, Outcome, Sample, Samples, Value};
