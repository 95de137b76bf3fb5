//! The commands of `vigie`, one module each; `vigie query` is the crate `vigie-query`.

pub mod alerts;
pub mod check;
pub mod completions;
pub mod dashboards;
pub mod man;
pub mod queue;
mod remote;
pub mod rules;
pub mod run;
pub mod silence;
