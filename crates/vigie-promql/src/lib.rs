//! PromQL: a parser that tells where a slip is, and an evaluator over any source of samples.
//!
//! ```
//! let query = vigie_promql::parse("sum by (job) (rate(http_requests_total[5m]))").unwrap();
//! assert_eq!(query.to_string(), "sum by (job) (rate(http_requests_total[5m]))");
//!
//! let slip = vigie_promql::parse("sum(rate(http_requests_total[5m])) by job").unwrap_err();
//! assert_eq!(slip.to_string(), r#"1:39: unexpected "job", expected "(" after by"#);
//! ```
//!
//! The crate knows nothing of files, sockets, clocks or tasks.

pub mod annotations;
mod eval;
mod format;
mod functions;
mod labels;
mod matcher;
pub mod script;
pub mod storage;
pub mod syntax;
pub mod value;

pub use annotations::Annotations;
pub use eval::{Engine, EvalError, Limits, NameRemoval, TimeRange};
pub use labels::{Labels, METRIC_NAME};
pub use matcher::{MatchOp, Matcher};
pub use storage::Storage;
pub use syntax::{Expr, ParseError, parse};
pub use value::{Outcome, Sample, Value};
