//! Prometheus' test scripts, which load samples, evaluate queries, and compare the results.
//!
//! ```
//! let report = vigie_promql::script::run(
//!     r#"
//!     load 1m
//!         http_requests_total{job="api"} 0+60x10
//!
//!     eval instant at 5m rate(http_requests_total[5m])
//!         {job="api"} 1
//!     "#,
//! );
//! assert_eq!(report.passed(), 1);
//! ```
//!
//! The grammar is that of Prometheus' `promql/promqltest/README.md`. As in Prometheus' runner, every instant query is
//! evaluated again with `@` on all its selectors at other times, and as the middle step of a range query; the results
//! must be equal.

mod case;
mod compare;
mod held;
mod histogram;
mod load;
pub mod notation;
mod parse;
mod run;

pub use case::{Class, Failure, Report, Verdict};
pub use parse::ScriptError;
pub use run::{run, run_with};
