//! Runs templates, as Go's `text/template` does with the functions of Prometheus or Alertmanager.
//!
//! ```text
//! run ─► nodes ─► eval: pipelines ─┬► builtin:      Go's functions
//!                                  ├► prometheus:   Prometheus' own ─► Environment
//!                                  ├► alertmanager: Alertmanager's own
//!                                  └► operand ─► method: methods of values
//! ```
//! A run is bounded: by the length of its output, by the number of steps it takes, and by the size of its strings.

mod alertmanager;
mod argument;
mod budget;
mod builtin;
mod collection;
mod compare;
mod constant;
mod eval;
mod failure;
mod format;
mod go;
mod html;
mod humanize;
mod json;
mod layout;
mod method;
mod nodes;
mod number;
mod operand;
mod out;
mod pairs;
mod printf;
mod prometheus;
mod regexp;
mod run;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod url;
mod value;

pub use alertmanager::Clock;
pub use budget::Limits;
pub use collection::{List, ListKind, Map};
pub use failure::ExecutionError;
pub(super) use failure::Source;
pub use go::quote;
pub use humanize::metric as humanized;
pub use run::execute;
pub(super) use run::execute_in;
pub(crate) use url::table_link;
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
