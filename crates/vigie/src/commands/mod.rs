//! The commands of `vigie`, one module each; `vigie query` is the crate `vigie-query`.

pub mod check;
pub mod completions;
pub mod dashboards;
pub mod man;
pub mod rules;
pub mod run;
