//! Runs templates, as Go's `text/template` does with Prometheus' functions.
//!
//! ```text
//! Template ─► run: nodes, pipelines, variables ─► builtin: Go's functions        ─► text
//!                                               └► prometheus: Prometheus' own ─► Environment
//! ```
//! A run is bounded: by the length of its output, and by the number of steps it takes.

mod builtin;
mod compare;
mod go;
mod humanize;
mod printf;
mod prometheus;
mod run;
#[cfg(test)]
mod tests;
mod time;
mod value;

pub use go::quote;
pub use run::{ExecutionError, Limits, execute};
pub use value::{Data, Sample, Value};

/// The queries, addresses and times that template functions need from the caller.
pub trait Environment {
    /// Evaluates an instant query, in the order of its result.
    ///
    /// # Errors
    /// The message of the failed query.
    fn query(&self, expression: &str) -> Result<Vec<Sample>, String>;

    /// The URL at which users reach the server, without a trailing slash.
    fn external_url(&self) -> &str;

    /// The time of the evaluation, in milliseconds since the Unix epoch.
    fn now(&self) -> i64;
}
