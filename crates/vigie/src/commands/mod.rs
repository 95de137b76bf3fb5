//! What `vigie` can be told to do, one module per command.

pub mod check;
pub mod completions;
pub mod dashboards;
pub mod man;
pub mod query;
pub mod rules;
pub mod run;
